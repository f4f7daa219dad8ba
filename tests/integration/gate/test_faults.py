"""No fault ends green by accident, and none blocks what it is not in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.toy_mart import HOUR, STATIONS, T0, Fault, Toy, expectation, local_day, suite

DAY = local_day(2019, 7, 18)
BAD = T0 + 30 * HOUR
GOOD = T0 + 29 * HOUR


def no_suite(toy: Toy) -> None:
    toy.write_suite(None)


def dataset_not_in_suite(toy: Toy) -> None:
    content = suite()
    del content["datasets"]["air.station_hour"]
    toy.write_suite(content)


def empty_suite(toy: Toy) -> None:
    content = suite()
    content["datasets"]["air.station_hour"]["expectations"] = []
    toy.write_suite(content)


def expectation_raises(toy: Toy) -> None:
    content = suite()
    content["datasets"]["air.station_hour"]["expectations"].append(
        expectation("impossible", "highest", min_value=9, max_value=1)
    )
    toy.write_suite(content)


def measure_raises(toy: Toy) -> None:
    content = suite()
    content["datasets"]["air.station_hour"]["measures"]["highest"] = "max(aqi) / 0"
    toy.write_suite(content)


def limit_counted_once(toy: Toy) -> None:
    """Great Expectations keeps one of two equal expectations: fewer evaluated than declared."""
    content = suite()
    content["datasets"]["air.station_hour"]["expectations"].append(
        expectation("twin", "disagreement_share", max_value=0.001)
    )
    toy.write_suite(content)


def missing_candidate(toy: Toy) -> None:
    toy.admin.execute("drop table air.station_hour")


def unapproved_standard(toy: Toy) -> None:
    toy.unapproved = ["air_iaqi.csv"]


WHOLE: list[tuple[Fault, str]] = [
    (no_suite, "no suite"),
    (dataset_not_in_suite, "no suite"),
    (empty_suite, "empty suite"),
    (expectation_raises, "5 expectations evaluated"),
    (limit_counted_once, "expectations evaluated"),
    (measure_raises, "division by zero"),
    (missing_candidate, "missing candidate"),
    (unapproved_standard, "standards not approved"),
]


def empty_candidate(toy: Toy) -> None:
    toy.admin.execute("delete from air.station_hour where period_start = %s", [BAD])


def disagreement(toy: Toy) -> None:
    toy.admin.execute(
        "update air.station_hour set aqi_agrees = false where period_start = %s and station_code = 'S01'",
        [BAD],
    )


def stations_gone(toy: Toy) -> None:
    toy.admin.execute(
        "delete from air.station_hour where period_start = %s and station_code = any(%s)", [BAD, STATIONS[:3]]
    )


ONE_PERIOD: list[tuple[Fault, str]] = [
    (empty_candidate, "empty candidate"),
    (disagreement, "agreement"),
    (stations_gone, "stations"),
]


def published_before(toy: Toy) -> list[tuple[Any, ...]]:
    """A first release of 30 good hours; then the 31st comes."""
    hours = toy.fill(30)
    build = toy.build(hours, [DAY])
    assert toy.judge(build).outcome == "done"
    assert toy.release(build).outcome == "done"
    toy.fill(1, BAD)
    return readable(toy)


def readable(toy: Toy) -> list[tuple[Any, ...]]:
    return toy.all("select * from shared.air_station_hour where period_start < %s order by 1, 2", BAD)


@pytest.mark.parametrize(("fault", "reason"), WHOLE, ids=lambda v: getattr(v, "__name__", None))
def test_a_fault_of_the_dataset_blocks_it_and_leaves_the_release_readable(
    toy: Toy, fault: Fault, reason: str
) -> None:
    before = published_before(toy)
    days = [DAY, DAY + timedelta(days=1)]
    build = toy.build([GOOD, BAD], days)
    toy.admin.execute(
        "insert into governance.build_scope values (%s, 'air', 'S01', %s, %s)", [build, GOOD, BAD + HOUR]
    )
    fault(toy)
    result = toy.judge(build)
    assert result.outcome == "blocked"
    assert result.counts["air.station_hour"] == {"blocked": 2}
    word, told = toy.verdict(build, BAD)
    assert word == "blocked"
    assert reason in told
    other = toy.verdict(build, days[1], "air.area_day")[0]
    assert other == ("blocked" if fault in (no_suite, unapproved_standard) else "publish")
    toy.release(build)
    assert readable(toy) == before
    assert toy.one("select count(*) from shared.air_station_hour where period_start = %s", BAD) == 0


@pytest.mark.parametrize(("fault", "reason"), ONE_PERIOD, ids=lambda v: getattr(v, "__name__", None))
def test_a_fault_of_a_period_blocks_that_period_alone(toy: Toy, fault: Fault, reason: str) -> None:
    before = published_before(toy)
    toy.admin.execute("update air.station_hour set aqi = 60 where period_start = %s", [GOOD])
    fault(toy)
    build = toy.build([GOOD, BAD])
    result = toy.judge(build)
    assert [(b.dataset, b.period_start) for b in result.blocked] == [("air.station_hour", BAD)]
    assert reason in result.blocked[0].reason
    assert toy.verdict(build, GOOD)[0] == "publish"
    toy.release(build)
    assert len(readable(toy)) == len(before)
    assert toy.one("select count(*) from shared.air_station_hour where aqi = 60") == len(STATIONS)
    assert toy.one("select count(*) from shared.air_station_hour where period_start = %s", BAD) == 0
    assert toy.one("select count(*) from governance.notice") == 1
    toy.judge(build)
    assert toy.one("select count(*) from governance.notice") == 1, "once, not each cycle"


def test_the_same_build_without_a_fault_is_published(toy: Toy) -> None:
    published_before(toy)
    build = toy.build([GOOD, BAD], [DAY, DAY + timedelta(days=1)])
    result = toy.judge(build)
    assert (result.outcome, result.blocked) == ("done", [])
    assert toy.verdict(build, BAD)[0] == "publish"
    toy.release(build)
    assert toy.one("select count(*) from shared.air_station_hour where period_start = %s", BAD) == len(
        STATIONS
    )


def test_two_warnings_end_publish_with_warnings(toy: Toy) -> None:
    published_before(toy)
    toy.admin.execute("update air.station_hour set aqi = 501 where period_start = %s", [BAD])
    toy.admin.execute("delete from air.station_hour where period_start = %s and station_code = 'S00'", [BAD])
    build = toy.build([BAD])
    assert toy.judge(build).outcome == "done"
    word, reason = toy.verdict(build, BAD)
    assert word == "publish_with_warnings"
    assert "range" in reason
    assert "nearly_all_stations" in reason
    toy.release(build)
    assert toy.one("select count(*) from shared.air_station_hour where period_start = %s", BAD) == 9


def test_a_verdict_counts_for_its_own_build_alone(toy: Toy) -> None:
    before = published_before(toy)
    first = toy.build([BAD])
    assert toy.judge(first).outcome == "done"
    second = toy.build([BAD])
    assert toy.release(first).outcome == "superseded"
    assert toy.judge(first).outcome == "superseded"
    assert toy.release(second).outcome == "nothing_to_do", "it has no verdict of its own"
    assert toy.one("select count(*) from shared.air_station_hour") == len(before)
    toy.judge(second)
    assert toy.release(second).outcome == "done"


def test_a_candidate_touched_after_its_build_is_blocked(toy: Toy) -> None:
    published_before(toy)
    build = toy.build([BAD])
    toy.admin.execute("update air.station_hour set aqi = 1 where period_start = %s", [BAD])
    assert "is not what its build left" in toy.judge(build).blocked[0].reason


def test_a_build_that_failed_is_not_judged(toy: Toy) -> None:
    hours = toy.fill(1)
    with pytest.raises(RuntimeError, match="failed, not built"):
        toy.judge(toy.build(hours, outcome="failed"))


def test_a_build_whose_gate_was_killed_is_judged_with_the_next(toy: Toy) -> None:
    hours = toy.fill(31)
    toy.build(hours[:30])
    second = toy.build(hours[30:])
    assert toy.judge(second).counts["air.station_hour"] == {"publish": 31}


def test_open_periods_are_released_as_real_time_data_and_judged_again(toy: Toy) -> None:
    published_before(toy)
    toy.admin.execute(
        "delete from air.station_hour where period_start = %s and station_code = any(%s)", [BAD, STATIONS[:3]]
    )
    toy.admin.execute(
        "delete from landing.batch where batch_id not in (select batch_id from governance.build_batch)"
    )
    toy.admin.execute("update landing.batch set known_at = %s", [BAD])
    build = toy.build([BAD], known_at=BAD + HOUR)
    assert toy.judge(build).outcome == "done"
    toy.release(build)
    assert toy.one("select count(*) from shared.air_station_hour where period_start = %s", BAD) == 7
    assert (
        toy.one(
            "select state from governance.dataset_state"
            " where period_start = %s and dataset = 'air.station_hour'",
            BAD,
        )
        == "open"
    )
    toy.clock(BAD + 5 * HOUR)
    assert toy.judge(build).outcome == "blocked", "three stations never came, and the lateness is over"
    assert toy.one("select count(*) from shared.air_station_hour where period_start = %s", BAD) == 7, (
        "stays readable"
    )
