"""A history that a source hands over: counted where the source spoke, and no promise of the past is broken late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import own_database
from tests.integration.completeness.books import Books, books, item

FIRST, SECOND = date(2019, 7, 18), date(2019, 7, 19)  # days of the feed begin at 20:00 of the day before


@pytest.fixture
def kept(deployed_template: str, tmp_path: Path) -> Iterator[Books]:
    with own_database(deployed_template) as settings, books(settings, tmp_path) as made:
        yield made


def test_a_hole_of_one_station_in_a_history_is_the_sources_and_nothing_of_it_is_late(kept: Books) -> None:
    kept.bring(
        50.1,
        [item("W1", label) for label in range(1, 51)]
        + [item("W2", label) for label in (*range(1, 9), *range(12, 51))],
    )
    kept.build()
    assert kept.of("W1", FIRST) == {"expected": 24, "received": 20, "valid": 20, "not_required": 4}
    assert kept.of("W2", FIRST) == {
        "expected": 24, "received": 17, "valid": 17, "source_missing": 3, "not_in_answer": 3, "not_required": 4,
    }  # fmt: skip
    assert kept.of("W2", SECOND) == {"expected": 24, "received": 24, "valid": 24}
    assert kept.sound()


def test_what_a_history_does_not_speak_of_was_never_promised(kept: Books) -> None:
    kept.bring(50.1, [item("W1", label) for label in (*range(1, 9), *range(12, 51))])
    kept.build()
    assert kept.of("W1", FIRST) == {"expected": 24, "received": 17, "valid": 17, "not_required": 7}
    kept.bring(50.2, [item("W2", label) for label in range(1, 51)])
    kept.build()  # now the source has spoken of the hours that W1 lacks
    assert kept.of("W1", FIRST)["not_in_answer"] == 3
    assert kept.sound()


def test_a_history_in_several_answers_is_counted_in_whatever_order_they_come(kept: Books) -> None:
    for known, first, last in ((50.3, 25, 48), (50.1, 1, 24), (50.2, 49, 50)):
        kept.bring(known, [item("W1", label) for label in range(first, last + 1)])
        kept.build()
    assert kept.of("W1", FIRST) == {"expected": 24, "received": 20, "valid": 20, "not_required": 4}
    assert kept.of("W1", SECOND) == {"expected": 24, "received": 24, "valid": 24}
    assert kept.sound()


def test_answers_of_before_a_station_was_told_of_promise_nothing_of_it(kept: Books) -> None:
    kept.hours(1, 40, "W1")
    kept.bring(41.1, [item("W1", 41), *(item("W2", label) for label in (1, 2, 41))])
    kept.build()
    counts = kept.of("W2", FIRST)
    assert (counts["received"], counts["not_required"]) == (2, 22)
    assert "late" not in counts
    assert kept.sound()
