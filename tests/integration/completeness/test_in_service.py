"""Sites that the register closes, and opens again: nothing is asked of them meanwhile."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ecowarehouse.contracts import load_contracts
from ecowarehouse.pipeline import run_feed
from tests.conftest import own_database
from tests.integration.completeness.books import Books, at, books

DAYS = [date(2019, 7, day) for day in (18, 19, 20)]
REGISTER = load_contracts(Path(__file__).resolve().parents[3] / "city")["site_list"]
Span = tuple[str, str, str]  # site, first day, last day


@pytest.fixture
def kept(deployed_template: str, tmp_path: Path) -> Iterator[Books]:
    with own_database(deployed_template) as settings, books(settings, tmp_path) as made:
        yield made


def _register(kept: Books, known: float, *spans: Span) -> None:
    """A delivery of the register."""
    text = io.StringIO()
    writer = csv.DictWriter(text, REGISTER.header, restval="")
    writer.writeheader()
    for site, first, last in spans:
        writer.writerow({"element": "weather", "site_code": site, "valid_from": first, "valid_to": last})
    path = kept.house.write(text.getvalue().encode())
    run = run_feed(kept.house.conn, kept.house.settings, REGISTER, paths=[str(path)], known_at=at(known))
    assert [(one.outcome, one.rejects) for one in run.batches] == [("loaded", 0)]


def _told(kept: Books) -> list[tuple[int, int]]:
    """Of W2, by day: missing by the source's fault, and not required."""
    found = [kept.of("W2", day) if day in kept.days("W2") else {} for day in DAYS]
    return [(day.get("source_missing", 0), day.get("not_required", 0)) for day in found]


def test_a_station_that_the_register_closes_is_missed_no_more(kept: Books) -> None:
    kept.hours(1, 10, "W1", "W2")
    kept.hours(11, 50, "W1")
    kept.build()
    assert _told(kept) == [(10, 4), (24, 0), (3, 0)]  # the feed's day begins at 20:00
    _register(kept, 50.3, ("W1", "2019-01-01", ""), ("W2", "2019-01-01", "2019-07-18"))
    kept.build()
    assert _told(kept) == [(10, 4), (4, 20), (0, 0)]
    assert kept.sound()
    _register(kept, 50.5, ("W2", "2019-01-01", ""))  # a mistake
    kept.build()
    assert _told(kept) == [(10, 4), (24, 0), (3, 0)]
    assert kept.sound()


def test_nothing_is_asked_of_a_station_between_two_spans_of_the_register(kept: Books) -> None:
    _register(kept, 0.5, ("W2", "2019-01-01", "2019-07-18"), ("W2", "2019-07-20", ""))
    kept.hours(1, 10, "W1", "W2")
    kept.hours(11, 55, "W1")
    kept.build()
    assert _told(kept) == [(10, 4), (4, 20), (4, 4)]
    assert kept.sound()
