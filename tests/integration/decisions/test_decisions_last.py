"""A person's decision survives every later run, a recompute and a restore; as of before, it had not been taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ecowarehouse import decisions
from ecowarehouse.decisions import DecisionRefused, corrections, datasets
from ecowarehouse.decisions.reviews import review
from ecowarehouse.decisions.withdrawing import enforce
from ecowarehouse.postgres import backup as backups
from ecowarehouse.postgres.connection import connect
from tests.integration.decisions.decision_house import BEFORE, NOON, PERIOD, WEATHER, DecisionHouse

LATER = timedelta(hours=8)
Check = Callable[[DecisionHouse], bool]


def invalid(house: DecisionHouse) -> int:
    """A reviewer takes one value out."""
    [written] = review(
        house.air.conn, house.air.contract, site="S1", channel="pm2_5", periods=PERIOD, stage="first_review",
        validity="invalid", reason="instrument_fault: lamp", by="Li",
    )  # fmt: skip
    return written


def corrected(house: DecisionHouse, value: str = "25.5") -> int:
    """The weather station's keeper says another temperature."""
    return corrections.correct(
        house.air.conn, house.settings, WEATHER, site="W1", channel="temperature", period=PERIOD, value=value,
        reason="sensor 3 read 5 too low", by="Wei",
    )  # fmt: skip


def embargoed(house: DecisionHouse, until: timedelta = LATER) -> int:
    """The newest version of S1 is held back."""
    return datasets.embargo(
        house.air.conn, house.dataset(), periods=PERIOD, until=datetime.now(UTC) + until, reason="under inquiry",
        by="Chen", rows={"station_code": "S1"},
    )  # fmt: skip


def withdrawn(house: DecisionHouse, kind: str) -> int:
    """S1's hour is taken back, at once."""
    written = datasets.withdraw(
        house.air.conn, house.dataset(), periods=PERIOD, kind=kind, reason="wrong inlet", by="Chen",
        zone="Asia/Shanghai", rows={"station_code": "S1"},
    )  # fmt: skip
    enforce(house.air.conn, house.settings, house.dataset())
    return written


def review_holds(house: DecisionHouse) -> bool:
    """Candidate, released relation and as-of agree that the value is out, and say who looked."""
    for relation in (
        "air.station_hour",
        "as_of.air__station_hour",
        "shared.air_station_hour",
        "open.air_station_hour",
    ):
        assert house.read(relation, "pm2_5, so2, reviewed_items, review_stage") == (
            None,
            12,
            "pm2_5",
            "raw",
        ), relation
    assert house.read("air.station_hour", "pm2_5", as_of=BEFORE) == 8
    assert house.read("shared.air_station_hour", "pm2_5", as_of=BEFORE) == 8
    assert house.read("air.station_hour", "pm2_5", as_of=datetime.now(UTC)) is None
    return True


def correction_holds(house: DecisionHouse) -> bool:
    """The corrected value stands in every relation; what the source says stands beside it in core."""
    columns = "air_temperature, relative_humidity, reviewed_items, synthetic"
    for relation in ("weather.station_hour", "as_of.weather__station_hour", "shared.weather_station_hour"):
        found = house.read(relation, columns, "W1")
        assert found[:3] == (Decimal("25.5"), 70, "air_temperature"), relation
    assert house.read("weather.station_hour", "air_temperature", "W1", as_of=BEFORE) == 20
    assert house.read("shared.weather_station_hour", "air_temperature", "W1", as_of=BEFORE) == 20
    assert house.air.all(
        "select series_kind, value from core.observation_current join core.series using (series_id, element)"
        " where site_code = 'W1' and channel = 'temperature' and period_start = %s order by 1", NOON,
    ) == [("real_time", 20), ("reviewed", Decimal("25.5"))]  # fmt: skip
    return True


def embargo_holds(house: DecisionHouse) -> bool:
    """What was readable stays, and the candidate's new version is not released."""
    assert house.read("air.station_hour", "pm2_5") == house.air.one(
        "select value from core.observation_current join core.series using (series_id, element)"
        " where site_code = 'S1' and channel = 'pm2_5' and period_start = %s", NOON,
    )  # fmt: skip
    assert house.read("shared.air_station_hour", "pm2_5") == 8
    assert house.read("shared.air_station_hour", "count(*)", "S2") == 1
    return True


def superseded_holds(house: DecisionHouse) -> bool:
    """Gone from what holds, there in what was released before."""
    for relation in ("shared.air_station_hour", "open.air_station_hour"):
        assert house.read(relation, "pm2_5") is None
        assert house.read(relation, "pm2_5", as_of=BEFORE) == 8
        assert house.read(relation, "pm2_5", "S2") == 8
    return True


def retraction_holds(house: DecisionHouse) -> bool:
    """Gone, and gone from what was released before."""
    for relation in ("shared.air_station_hour", "open.air_station_hour", "air.station_hour"):
        assert house.read(relation, "pm2_5") is None, relation
        assert house.read(relation, "pm2_5", as_of=BEFORE) is None, relation
        assert house.read(relation, "pm2_5", "S2", as_of=BEFORE) == 8, relation
    return True


KINDS: dict[str, tuple[Callable[[DecisionHouse], int], Check]] = {
    "review": (invalid, review_holds),
    "correction": (corrected, correction_holds),
    "embargo": (embargoed, embargo_holds),
    "superseded": (lambda house: withdrawn(house, "superseded"), superseded_holds),
    "retracted": (lambda house: withdrawn(house, "retracted"), retraction_holds),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_lasts(house: DecisionHouse, tmp_path: Path, kind: str) -> None:
    decide, holds = KINDS[kind]
    decide(house)
    house.cycle()
    assert holds(house)
    house.three_more()
    assert holds(house)
    assert house.sound()
    file = tmp_path / "backup.tar"
    backups.backup(file, house.settings)
    house.air.conn.close()
    house.air.admin.close()
    backups.restore(file, house.settings, force=True)
    with (
        connect(application="test", settings=house.settings) as conn,
        connect(application="test", admin=True, autocommit=True, settings=house.settings) as admin,
    ):
        again = DecisionHouse(
            type(house.air)(house.settings, tmp_path, conn, admin), house.settings, house.pulls
        )
        assert holds(again)
        again.pull()
        again.cycle()
        assert holds(again)


def test_the_end_of_a_correction_gives_the_source_its_word_back(house: DecisionHouse) -> None:
    first, second = corrected(house, "24"), corrected(house, "25.5")
    house.cycle()
    while_it_held = datetime.now(UTC)
    house.three_more()
    decisions.revoke(house.air.conn, str(second), by="Wei", reason="the first was right")
    house.cycle()
    assert house.read("shared.weather_station_hour", "air_temperature", "W1") == 24
    decisions.revoke(house.air.conn, str(first), by="Wei", reason="neither")
    house.cycle()
    assert house.read("shared.weather_station_hour", "air_temperature, review_stage", "W1") == (20, "raw")
    assert house.read("weather.station_hour", "air_temperature", "W1", as_of=while_it_held) == Decimal("25.5")
    assert house.sound()


def test_the_end_of_a_review_brings_the_value_back(house: DecisionHouse) -> None:
    written = invalid(house)
    house.cycle()
    decisions.revoke(house.air.conn, str(written), by="Li", reason="lamp was sound")
    house.cycle()
    assert house.read("shared.air_station_hour", "pm2_5, reviewed_items") == (8, None)


def test_a_person_who_found_a_value_sound_outweighs_a_test(house: DecisionHouse) -> None:
    house.pull(so2=99999)
    house.cycle()
    assert house.read("air.station_hour", "so2") is None, "outside what an instrument can give"
    review(
        house.air.conn, house.air.contract, site="S1", channel="so2", periods=PERIOD, stage="final",
        validity="valid", reason="a fire beside the station", by="Li",
    )  # fmt: skip
    house.cycle()
    assert house.read("air.station_hour", "so2, suspect_count") == (99999, 0)


def test_an_embargo_holds_new_versions_and_ends_by_itself(house: DecisionHouse) -> None:
    embargoed(house, timedelta(hours=8))
    house.pull(pm2_5=30, aqi=43)
    house.cycle()
    assert house.read("air.station_hour", "pm2_5") == 30
    assert house.read("shared.air_station_hour", "pm2_5") == 8
    pass_time(house)
    house.cycle()
    assert house.read("shared.air_station_hour", "pm2_5") == 30


def pass_time(house: DecisionHouse) -> None:
    """Every end that lies ahead is just past: what the clock would do, without waiting for it."""
    house.air.admin.execute("alter table decision.decision disable trigger append_only")
    house.air.admin.execute(
        "update decision.decision set decided_at = decided_at - interval '2 days', until = clock_timestamp()"
        " where until is not null"
    )
    house.air.admin.execute("alter table decision.decision enable trigger append_only")


def test_national_values_are_received_again_and_never_corrected_here(house: DecisionHouse) -> None:
    with pytest.raises(DecisionRefused, match="only received again"):
        corrections.correct(
            house.air.conn, house.settings, house.air.contract, site="S1", channel="pm2_5", period=PERIOD,
            value="9", reason="typo", by="Wei",
        )  # fmt: skip
    assert house.air.one("select count(*) from decision.decision") == 0


def test_a_killed_correction_is_delivered_by_the_next_run(
    house: DecisionHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(corrections, "_land", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            corrected(house)
    house.pull()
    house.cycle()
    assert correction_holds(house)


@pytest.mark.parametrize("kind", ["superseded", "retracted"])
def test_the_end_of_a_withdrawal_brings_rows_and_history_back(house: DecisionHouse, kind: str) -> None:
    written = withdrawn(house, kind)
    house.three_more()
    decisions.revoke(house.air.conn, str(written), by="Chen", reason="the inlet was right")
    enforce(house.air.conn, house.settings, house.dataset())
    house.cycle()
    assert house.read("shared.air_station_hour", "pm2_5") == 8
    assert house.read("shared.air_station_hour", "pm2_5", as_of=BEFORE) == 8
    assert house.read("air.station_hour", "pm2_5") == 8


def test_a_waiver_can_be_ended(house: DecisionHouse) -> None:
    from ecowarehouse.gate import waive

    waiver = waive(
        house.air.conn, "air.station_hour", period_from=PERIOD[0], period_to=PERIOD[1],
        expectation="sites_are_there", reason="known", by="Chen", until=datetime.now(UTC) + LATER,
    )  # fmt: skip
    assert house.air.one("select count(*) from decision.waiver_current") == 1
    decisions.revoke(house.air.conn, f"waiver/{waiver}", by="Chen", reason="no longer")
    assert house.air.one("select count(*) from decision.waiver_current") == 0
    with pytest.raises(DecisionRefused, match="has ended already"):
        decisions.revoke(house.air.conn, f"waiver/{waiver}", by="Chen", reason="again")


def test_a_known_disagreement_is_released_with_its_cause(house: DecisionHouse) -> None:
    house.pull(aqi=499, quality="严重污染")
    house.cycle()
    assert house.read("shared.air_station_hour", "aqi_reported") == 12, (
        "what disagrees is held back: the earlier one stands"
    )
    for station in ("S1", "S2"):
        datasets.disagree(
            house.air.conn, house.dataset(), periods=(DAY_FROM, DAY_TO), rows={"station_code": station},
            cause="the source shows the value before", by="Li", until=datetime.now(UTC) + LATER,
        )  # fmt: skip
    house.cycle()
    assert house.read("shared.air_station_hour", "aqi_reported") == 499
    with connect("eco_department", application="test", settings=house.settings) as conn:
        told = conn.execute("select distinct reason, decided_by from shared.decision").fetchall()
    assert told == [("the source shows the value before", "Li")]


DAY_FROM, DAY_TO = NOON - timedelta(hours=2), NOON + timedelta(hours=22)
