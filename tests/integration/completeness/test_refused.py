"""What was refused is in the count of its site and day, or, where it names none, of the day on which it came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import own_database
from tests.integration.completeness.books import Books, books, item

FIRST, SECOND, THIRD = (
    date(2019, 7, 18),
    date(2019, 7, 19),
    date(2019, 7, 20),
)  # each begins at 20:00 of the day before


@pytest.fixture
def kept(deployed_template: str, tmp_path: Path) -> Iterator[Books]:
    with own_database(deployed_template) as settings, books(settings, tmp_path) as made:
        yield made


def _refused(kept: Books) -> dict[date, tuple[int, int]]:
    """By day: with site and period, and without."""
    return {
        day: (placed, unplaced)
        for day, placed, unplaced in kept.house.all(
            "select day, rejected_count, unplaced_count from governance.feed_day order by day"
        )
    }


def test_rows_without_a_readable_time_or_site_are_counted_on_the_day_they_came(kept: Books) -> None:
    kept.hours(1, 21, "W1")
    kept.bring(22.1, [item("W1", 22), item("W1", 22) | {"time": "昨天"}, item("", 22)])
    kept.bring(23.1, [item("W1", 23, temperature="热")])
    kept.build()
    assert _refused(kept) == {FIRST: (0, 0), SECOND: (1, 2)}
    assert kept.sound()


def test_rows_of_a_site_that_nothing_was_ever_taken_of_are_counted_too(kept: Books) -> None:
    kept.hours(1, 3, "W1")
    kept.bring(4.1, [item("W1", 4), item("W9", 4) | {"time": "2031-01-01T00:00:00+08:00"}])
    kept.build()
    assert _refused(kept) == {FIRST: (0, 1)}
    assert kept.sound()


def test_an_answer_at_the_very_moment_a_day_begins_is_of_that_day(kept: Books) -> None:
    kept.hours(1, 43, "W1")
    kept.build()
    assert kept.days("W1") == [FIRST, SECOND]
    kept.bring(44.0, [item("W1", 44)])
    kept.build()
    assert kept.days("W1") == [FIRST, SECOND, THIRD]
    assert kept.sound()
