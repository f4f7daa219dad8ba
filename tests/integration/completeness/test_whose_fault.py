"""Whose fault a missing value is: what speaks of other periods or of other days decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import own_database
from tests.integration.completeness.books import Books, at, books, item

FIRST = date(2019, 7, 18)
LAST_YEAR = date(2018, 7, 19)


@pytest.fixture
def kept(deployed_template: str, tmp_path: Path) -> Iterator[Books]:
    with own_database(deployed_template) as settings, books(settings, tmp_path) as made:
        yield made


def _blame(kept: Books, station: str, day: date = FIRST) -> tuple[int, int]:
    counts = kept.of(station, day)
    return counts.get("source_missing", 0), counts.get("platform_missing", 0)


def test_old_rows_that_come_later_do_not_turn_our_outage_into_the_sources_fault(kept: Books) -> None:
    kept.hours(1, 8, "W1", "W2")
    kept.hours(20, 26, "W1", "W2")  # of the hours 9 to 19 the source was not asked
    kept.build()
    assert _blame(kept, "W2") == (2, 9)
    kept.bring(26.2, [item("W1", 8, 21), item("W1", 27), item("W2", 27)])
    kept.bring(26.3, [item("W1", label) for label in range(9, 20)])
    kept.build()
    assert _blame(kept, "W1") == (0, 0)
    assert _blame(kept, "W2") == (2, 9)
    assert kept.sound()


def test_an_answer_speaks_of_the_periods_of_its_rows_and_not_of_those_between(kept: Books) -> None:
    kept.hours(1, 8, "W1", "W2")
    kept.bring(12.1, [item(station, label) for station in ("W1", "W2") for label in (8, 12)])
    kept.hours(16, 20, "W1", "W2")
    kept.build()
    # 9: nobody asked in the last hour; 10 and 11: asked, and not offered; 13: offered no more; 14, 15: not offered.
    counts = kept.of("W1", FIRST)
    assert "not_in_answer" not in counts
    assert (counts["not_asked"], counts["not_offered"]) == (3, 3)


def test_a_stray_old_row_promises_no_year(kept: Books) -> None:
    kept.hours(1, 24, "W1")
    stray = item("W2", 25) | {"time": "2018-07-19T01:00:00+08:00"}
    kept.bring(25.1, [item("W1", 25), stray])
    kept.hours(26, 30, "W1", "W2")
    kept.build()
    assert kept.days("W2") == [LAST_YEAR, date(2019, 7, 19)]
    assert kept.of("W2", LAST_YEAR) == {"expected": 24, "received": 1, "valid": 1, "not_required": 23}
    [(expected, source)] = kept.house.all(
        "select sum(expected_count - not_required_count - awaited_count), sum(source_missing_count)"
        " from governance.completeness_day where site_code = 'W2' and channel = 'temperature'"
    )
    assert (expected, source) == (9, 3)  # the stray one, and from the lateness before it was heard of
    assert kept.sound()


def test_what_a_sighting_that_arrives_late_promises_is_in_the_books(kept: Books) -> None:
    stray = item("W2", 25) | {"time": "2018-07-19T01:00:00+08:00"}
    kept.hours(1, 30, "W1")
    kept.bring(30.2, [item("W1", 30), stray])
    kept.build()
    assert kept.days("W2") == [LAST_YEAR, date(2019, 7, 19)]
    kept.bring(5.2, [item("W1", 5), stray])
    kept.build()
    assert kept.days("W2") == [LAST_YEAR, FIRST, date(2019, 7, 19)]
    assert kept.sound()


def test_what_our_own_failing_may_have_lost_is_not_the_sources_fault(kept: Books) -> None:
    kept.hours(1, 10, "W1", "W2")
    for label in range(11, 21):
        kept.hour(label, "W1")
        kept.fail(label + 0.15, "unreadable")  # a file for each station
    kept.hours(21, 26, "W1", "W2")
    kept.build()
    assert _blame(kept, "W2") == (0, 10)


def test_half_an_answer_lacks_nothing(kept: Books) -> None:
    kept.hours(1, 10, "W1", "W2")
    kept.hour(11, "W1")
    kept.house.admin.execute(
        "update landing.batch set outcome = 'partial' where known_at = %s", [at(11.1)]
    )  # the contract of weather takes no answer for partial
    kept.hours(15, 20, "W1", "W2")
    kept.build()
    counts = kept.of("W2", FIRST)
    assert "not_in_answer" not in counts
    assert counts["not_asked"] == 2  # 11 and 12


def test_the_last_attempt_decides_whose_fault_it_is(kept: Books) -> None:
    kept.hours(1, 10, "W1")
    kept.fail(13.1, "secret_missing")
    kept.fail(13.6, "connect_error")
    kept.fail(14.1, "connect_error")
    kept.fail(14.6, "secret_missing")
    kept.hours(16, 20, "W1")
    kept.build()
    counts = kept.of("W1", FIRST)
    assert (counts["source_down"], counts["attempt_failed"]) == (1, 1)
