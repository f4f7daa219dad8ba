"""An outage longer than a day is an outage, and a site that left is missed by nobody."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ecowarehouse.decisions import DecisionRefused, datasets
from ecowarehouse.decisions.record import revoke
from tests.integration.toy_mart import HOUR, STATION_HOUR, STATIONS, T0, ZONE, Toy

DAYS = timedelta(days=1)


def after(toy: Toy, silence: timedelta, stations: list[str]) -> tuple[int, datetime]:
    """Ten stations report for two hours, then these alone, from the end of the silence on; the build, the last hour."""
    toy.fill(2)
    start = T0 + silence
    hours = toy.fill(2, start, stations)
    return toy.build([T0, *hours]), hours[-1]


@pytest.mark.parametrize(
    ("silence", "word"), [(2 * DAYS, "blocked"), (29 * DAYS, "blocked"), (31 * DAYS, "publish")]
)
def test_stations_are_missed_for_as_long_as_the_suite_remembers(
    toy: Toy, silence: timedelta, word: str
) -> None:
    build, hour = after(toy, silence, STATIONS[:6])
    toy.judge(build)
    assert toy.verdict(build, hour)[0] == word
    assert toy.verdict(build, T0)[0] == "publish", "there was no network yet to compare with"


def test_codes_that_come_instead_of_others_do_not_make_up_for_them(toy: Toy) -> None:
    build, hour = after(toy, 2 * DAYS, [*STATIONS[:6], "N1", "N2", "N3", "N4"])
    toy.judge(build)
    assert "stations_share is 0.6" in toy.verdict(build, hour - HOUR)[1]


def test_a_site_that_left_is_not_expected_until_somebody_takes_that_back(toy: Toy) -> None:
    build, hour = after(toy, 2 * DAYS, STATIONS[:7])
    toy.judge(build)
    assert "stations_share is 0.7" in toy.verdict(build, hour)[1]
    gone = [depart(toy, site, hour - HOUR) for site in STATIONS[7:]]
    toy.judge(build)
    assert toy.verdict(build, hour) == ("publish", "")
    revoke(toy.conn, str(gone[0]), by="Wei", reason="it is only off")
    toy.judge(build)
    assert toy.verdict(build, hour)[0] == "publish_with_warnings"
    assert "stations_share is 0.875" in toy.verdict(build, hour)[1]


def test_a_site_that_left_later_was_expected_before(toy: Toy) -> None:
    build, hour = after(toy, 2 * DAYS, STATIONS[:7])
    toy.judge(build)
    for site in STATIONS[7:]:
        depart(toy, site, hour)
    toy.judge(build)
    assert toy.verdict(build, hour)[0] == "publish"
    assert toy.verdict(build, hour - HOUR)[0] == "blocked"


def test_a_site_that_the_register_ended_is_not_expected(toy: Toy) -> None:
    build, hour = after(toy, 2 * DAYS, STATIONS[:7])
    toy.admin.execute(
        "insert into core.site (feed, site_code, known_at, element, valid_to, batch_id)"
        " select 'toy', s, %s, 'air', %s, 1 from unnest(%s::text[]) s",
        [T0, hour, STATIONS[7:]],
    )
    toy.judge(build)
    assert toy.verdict(build, hour)[0] == "publish"
    assert toy.verdict(build, hour - HOUR)[0] == "blocked"


def depart(toy: Toy, site: str, gone: datetime) -> int:
    [written] = datasets.depart(
        toy.conn, [STATION_HOUR], site=site, periods=(gone, gone + 365 * DAYS), reason="taken down", by="Wei",  # type: ignore[list-item]
        zone=ZONE,
    )  # fmt: skip
    return written


def test_a_site_that_never_was_there_cannot_leave(toy: Toy) -> None:
    build, hour = after(toy, 2 * DAYS, STATIONS)
    toy.judge(build)
    with pytest.raises(DecisionRefused, match=r"'S99' never reported to air\.station_hour"):
        depart(toy, "S99", hour)
