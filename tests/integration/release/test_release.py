"""A release is one transaction, repeatable without effect, at a cost by what changed; history stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from ecowarehouse.decisions.record import revoke
from ecowarehouse.gate import waive
from ecowarehouse.gate.store import unresolved_verdicts
from ecowarehouse.postgres.connection import connect
from ecowarehouse.release import RelationError, publishing
from tests.integration.toy_mart import HOUR, STATIONS, T0, Toy, local_day

DAY = local_day(2019, 7, 18)


def released(toy: Toy, hours: int = 30) -> int:
    """A first build, judged and released."""
    build = toy.build(toy.fill(hours), [DAY])
    toy.judge(build)
    assert toy.release(build).outcome == "done"
    return build


def test_a_release_keeps_from_which_release_to_which_a_row_held(toy: Toy) -> None:
    released(toy)
    toy.admin.execute(
        "update air.station_hour set aqi = 60, note = 'revised'"
        " where period_start = %s and station_code = 'S01'",
        [T0],
    )
    toy.admin.execute("delete from air.station_hour where period_start = %s and station_code = 'S02'", [T0])
    build = toy.build([T0])
    toy.judge(build)
    result = toy.release(build)
    assert (result.inserted["air.station_hour"], result.closed["air.station_hour"]) == (1, 2)
    history = toy.all(
        "select station_code, aqi, release_to is null from published.air_station_hour where period_start = %s"
        " and station_code in ('S01', 'S02') order by 1, release_from", T0,
    )  # fmt: skip
    assert [(s, int(a), h) for s, a, h in history] == [
        ("S01", 50, False),
        ("S01", 60, True),
        ("S02", 50, False),
    ]
    inserted, closed = toy.all(
        "select inserted, closed from governance.release_period where release_id = %s", result.release_id
    )[0]
    assert (inserted, closed) == (1, 2)


def test_a_second_release_changes_nothing(toy: Toy) -> None:
    build = released(toy)
    before = toy.all("select * from published.air_station_hour order by 1, 2")
    assert toy.release(build).outcome == "nothing_to_do"
    toy.judge(build)
    assert toy.release(build).outcome == "nothing_to_do"
    again = toy.build([T0, T0 + HOUR], [DAY])
    toy.judge(again)
    assert toy.release(again).outcome == "nothing_to_do", "rebuilt alike"
    assert toy.all("select * from published.air_station_hour order by 1, 2") == before
    assert toy.one("select count(*) from governance.release") == 1


def test_every_release_stores_its_inputs(toy: Toy) -> None:
    build = released(toy)
    inputs = toy.one("select inputs from governance.release where build_id = %s", build)
    assert [sha for _, sha in inputs["batches"]] == ["abc"]
    assert inputs["verdicts"]["air.station_hour"] == {"publish": 30}
    assert inputs["suites"]["air.area_day"]


@pytest.mark.parametrize("place", ["_publish", "_insert_periods", "_settle", "_refuse"])
def test_a_kill_leaves_the_old_state_and_a_rerun_completes(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    released(toy)
    before = toy.all("select * from shared.air_station_hour order by 1, 2")
    toy.admin.execute("update air.station_hour set aqi = 70 where period_start = %s", [T0])
    build = toy.build([T0])
    toy.judge(build)
    original = getattr(publishing, place)

    def killed(*arguments: Any) -> None:
        original(*arguments)
        toy.admin.execute("select pg_terminate_backend(%s)", [toy.conn.info.backend_pid])

    with monkeypatch.context() as patch:
        patch.setattr(publishing, place, killed)
        with pytest.raises(psycopg.OperationalError):
            toy.release(build)
    assert toy.all("select * from shared.air_station_hour order by 1, 2") == before
    assert toy.one("select count(*) from governance.release") == 1
    with connect(application="toy again") as toy.conn:
        assert toy.release(build).inserted == {"air.station_hour": len(STATIONS)}
    assert toy.one("select count(*) from shared.air_station_hour where aqi = 70") == len(STATIONS)
    outcomes = toy.all("select outcome from governance.step where kind = 'release' order by step_id")
    assert [o for (o,) in outcomes] == ["done", "aborted", "done"]


def test_a_candidate_touched_after_the_verdict_is_refused(toy: Toy) -> None:
    released(toy)
    build = toy.build([T0, T0 + HOUR])
    toy.admin.execute("update air.station_hour set aqi = 60 where period_start = %s", [T0 + HOUR])
    toy.record_again(build, [T0 + HOUR])
    toy.judge(build)
    toy.admin.execute("update air.station_hour set aqi = 1 where period_start = %s", [T0 + HOUR])
    result = toy.release(build)
    assert result.outcome == "blocked"
    assert "changed after the verdict" in result.refused[0].reason
    assert toy.one("select count(*) from shared.air_station_hour where aqi = 1") == 0


def test_a_failed_expectation_can_be_waived_by_a_named_person(toy: Toy) -> None:
    released(toy)
    toy.admin.execute(
        "delete from air.station_hour where period_start = %s and station_code < 'S03'", [T0 + 29 * HOUR]
    )
    build = toy.build([T0 + 29 * HOUR])
    assert toy.judge(build).outcome == "blocked"
    waiver = waive(
        toy.conn, "air.station_hour", period_from=T0 + 29 * HOUR, period_to=T0 + 30 * HOUR,
        expectation="stations", reason="flood: three stations without power", by="Wei",
        until=_soon(), setup=toy.setup(),
    )  # fmt: skip
    assert toy.judge(build).outcome == "done"
    assert toy.verdict(build, T0 + 29 * HOUR)[0] == "publish_with_warnings"
    toy.release(build)
    assert (
        toy.one("select count(*) from shared.air_station_hour where period_start = %s", T0 + 29 * HOUR) == 7
    )
    shown = toy.all("select waived_by, waived_because from shared.dataset_period where waived_by is not null")
    assert shown == [("Wei", "flood: three stations without power")]
    assert toy.one("select count(*) from governance.verdict where waiver_id = %s", waiver) == 1
    assert toy.one("select count(*) from governance.verdict where build_id = %s", build) == 2, "both stay"


def _soon() -> Any:
    return datetime.now(UTC) + timedelta(days=1)


def _waived(toy: Toy, until: datetime) -> tuple[int, int]:
    """A build of an hour that lost three stations, let through by a waiver; both ids."""
    released(toy)
    gone = T0 + 29 * HOUR
    toy.admin.execute("delete from air.station_hour where period_start = %s and station_code < 'S03'", [gone])
    build = toy.build([gone])
    waiver = waive(
        toy.conn, "air.station_hour", period_from=gone, period_to=gone + HOUR, expectation="stations",
        reason="flood", by="Wei", until=until, setup=toy.setup(),
    )  # fmt: skip
    assert toy.judge(build).outcome == "done"
    return build, waiver


def _run_out(toy: Toy, waiver: int) -> None:
    toy.admin.execute("alter table decision.waiver disable trigger append_only")
    toy.admin.execute("update decision.waiver set until = clock_timestamp() where waiver_id = %s", [waiver])


def _revoke(toy: Toy, waiver: int) -> None:
    revoke(toy.conn, f"waiver/{waiver}", by="Wei", reason="the stations were never without power")


@pytest.mark.parametrize("end", [_run_out, _revoke])
def test_a_waiver_that_ended_after_the_verdict_lets_nothing_through(
    toy: Toy, end: Callable[[Toy, int], None]
) -> None:
    build, waiver = _waived(toy, _soon())
    end(toy, waiver)
    result = toy.release(build)
    assert [r.period_start for r in result.refused] == [T0 + 29 * HOUR]
    assert _told(toy, build) == ("blocked", 10, result.refused[0].reason)
    assert f"waiver {waiver} ended after the verdict" in result.refused[0].reason
    assert toy.judge(build).outcome == "blocked", "the gate says the same, in its own words"
    [shown] = unresolved_verdicts(toy.admin, "air.station_hour")
    assert "stations_share is 0.7" in shown["reason"]


def _told(toy: Toy, build: int) -> tuple[str, int, str]:
    """Outcome in the ledger, rows readable of the hour in question, and the reason that `eco gate show` has."""
    [step] = toy.all(
        "select outcome, figures -> 'reasons' ->> 0 from governance.step where kind = 'release' and build_id = %s",
        build,
    )
    [shown] = unresolved_verdicts(toy.admin, "air.station_hour")
    assert step[1] == shown["reason"]
    hour = T0 + 29 * HOUR
    return (
        step[0],
        toy.one("select count(*) from shared.air_station_hour where period_start = %s", hour),
        step[1],
    )


def _unapproved(toy: Toy) -> None:
    toy.unapproved = ["standards/air_limits.csv"]


def _applied(toy: Toy) -> None:
    toy.standards = "others, approved"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_unapproved, "standards not approved: standards/air_limits.csv"),
        (_applied, "made by other standards"),
    ],
)
def test_standards_that_changed_after_the_verdict_let_nothing_through(
    toy: Toy, change: Callable[[Toy], None], told: str
) -> None:
    released(toy)
    toy.admin.execute("update air.station_hour set aqi = 60 where period_start = %s", [T0 + 29 * HOUR])
    build = toy.build([T0 + 29 * HOUR])
    assert toy.judge(build).outcome == "done"
    change(toy)
    result = toy.release(build)
    assert told in result.refused[0].reason
    assert _told(toy, build) == ("blocked", 10, result.refused[0].reason)
    assert toy.one("select count(*) from shared.air_station_hour where aqi = 60") == 0
    again = toy.judge(build)
    assert told in again.blocked[0].reason, "nor does the gate"
    toy.unapproved = []
    build = toy.build([T0 + 29 * HOUR])
    toy.judge(build)
    assert toy.release(build).outcome == "done"
    assert toy.one("select count(*) from shared.air_station_hour where aqi = 60") == 10


def test_rows_are_held_back_below_the_threshold_and_the_nation_is_not(toy: Toy) -> None:
    stations = [f"N{n:04d}" for n in range(1500)]
    hours = toy.fill(1, stations=stations)
    toy.admin.execute("update air.station_hour set aqi_agrees = false, aqi = 99 where station_code = 'N0007'")
    build = toy.build(hours)
    assert toy.judge(build).outcome == "done"
    assert toy.verdict(build, T0)[0] == "publish_with_warnings"
    toy.release(build)
    assert toy.one("select count(*) from shared.air_station_hour") == 1499
    assert toy.judge(build).outcome == "done"
    assert toy.release(build).outcome == "nothing_to_do"


def test_as_of_answers_what_was_readable_then(toy: Toy) -> None:
    released(toy)
    toy.admin.execute("update air.station_hour set aqi = 60 where period_start = %s", [T0])
    build = toy.build([T0], known_at=T0 + 90 * HOUR)
    toy.judge(build)
    toy.release(build)
    question = "select distinct aqi::int from shared.air_station_hour where period_start = %s"
    assert toy.all(question, T0) == [(60,)]
    for moment, answer in ((T0 + 89 * HOUR, [(50,)]), (T0 + 90 * HOUR, [(60,)]), (T0, [])):
        toy.admin.execute("select set_config('eco.as_of', %s, false)", [moment.isoformat()])
        assert toy.all(question, T0) == answer
    toy.admin.execute("select set_config('eco.as_of', '', false)")


def test_roles_read_what_is_theirs_and_nothing_else(toy: Toy) -> None:
    released(toy)
    columns = toy.all(
        "select attname::text from pg_attribute"
        " where attrelid = 'open.air_station_hour'::regclass and attnum > 0 order by attnum"
    )
    assert [c for (c,) in columns] == ["station_code", "period_start", "aqi", "released_at"]
    assert toy.one("select to_regclass('open.air_area_day')") is None
    assert toy.one(
        "select col_description('shared.air_station_hour'::regclass, attnum) from pg_attribute"
        " where attrelid = 'shared.air_station_hour'::regclass and attname = 'aqi'"
    ) == "空气质量指数 · air quality index"  # fmt: skip
    for role, relation, may in (
        ("eco_public", "open.air_station_hour", True), ("eco_public", "shared.air_station_hour", False),
        ("eco_department", "shared.air_station_hour", True),
        ("eco_department", "published.air_station_hour", False),
        ("eco_department", "air.station_hour", False), ("eco_auditor", "published.air_station_hour", True),
    ):  # fmt: skip
        assert can_read(role, relation) is may, (role, relation)


def can_read(role: str, relation: str) -> bool:
    with connect(role, application="toy reader") as conn:
        try:
            return conn.execute(f"select count(*) from {relation}".encode()).fetchone() is not None
        except psycopg.errors.InsufficientPrivilege:
            return False


def test_new_columns_follow_and_lost_ones_are_refused(toy: Toy) -> None:
    released(toy)
    toy.admin.execute("create view shared.of_somebody as select * from shared.air_station_hour")
    toy.admin.execute("alter table air.station_hour add column so2 numeric")
    toy.admin.execute("update air.station_hour set so2 = 7 where period_start = %s", [T0])
    columns = ["station_code", "period_start", "aqi", "aqi_reported", "aqi_agrees", "note", "so2"]
    build = toy.build([])
    toy.record_again(build, [T0], columns)
    assert toy.judge(build).outcome == "done"
    toy.release(build)
    assert toy.one("select count(*) from shared.air_station_hour where so2 = 7") == len(STATIONS)
    toy.admin.execute("alter table air.station_hour drop column note")
    build = toy.build([])
    toy.record_again(build, [T0], [c for c in columns if c != "note"])
    toy.judge(build)
    with pytest.raises(RelationError, match="lost note"):
        toy.release(build)


@pytest.mark.slow
def test_a_few_changed_rows_among_300_000_cost_milliseconds(toy: Toy) -> None:
    stations = [f"N{n:04d}" for n in range(1500)]
    hours = toy.fill(200, stations=stations)
    toy.admin.execute("analyze air.station_hour")
    build = toy.build(hours)
    toy.judge(build)
    started = time.perf_counter()
    assert toy.release(build).inserted == {"air.station_hour": 300_000}
    full = time.perf_counter() - started
    toy.admin.execute(
        "update air.station_hour set aqi = 60 where period_start = %s and station_code < 'N0010'", [T0]
    )
    build = toy.build([T0])
    toy.judge(build)
    toy.release(build)
    timings = []
    for aqi in (61, 62, 63):
        toy.admin.execute(
            "update air.station_hour set aqi = %s where period_start = %s and station_code < 'N0010'",
            [aqi, T0],
        )
        build = toy.build([T0])
        toy.judge(build)
        started = time.perf_counter()
        assert toy.release(build).inserted == {"air.station_hour": 10}
        timings.append(time.perf_counter() - started)
    few = min(timings)
    print(
        f"\nfirst release {full * 1000:.0f} ms, 10 rows of 300,000 {few * 1000:.1f} ms,"
        f" ratio {full / few:.0f}"
    )
    assert few < full / 10
