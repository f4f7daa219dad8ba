"""What status says of a feed, by what its contract promises."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ecowarehouse.completeness import Books, FeedStanding
from ecowarehouse.heard import Heard

NOW = datetime(2026, 3, 10, 8, tzinfo=UTC)


def asked(delivered: float | None, first: float = 100) -> Heard:
    """Asked for the first time and last delivered so many hours ago."""
    hours = timedelta(hours=delivered or 0)
    return Heard(
        "f", NOW - hours if delivered is not None else None, NOW - timedelta(hours=first), NOW, "failed", "x"
    )


def standing(**changes: Any) -> FeedStanding:
    given: dict[str, Any] = {
        "feed": "f", "heard": asked(2), "allowed": timedelta(hours=3), "register": False, "by_day": True, "books": None,
        "newest": None, "due": None, "asked_at": NOW,
    }  # fmt: skip
    return FeedStanding(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "said", "silent"),
    [
        ({}, "delivered 2 h 00 min ago; no day in the books yet", False),
        ({"heard": asked(3.5)}, "delivered 3 h 30 min ago (silent)", True),
        ({"heard": asked(None)}, "never delivered, asked for 4 d 4 h (silent)", True),
        ({"heard": asked(None, first=1)}, "never delivered, asked for 1 h 00 min;", False),
        ({"heard": None}, "never asked; ", False),
        ({"register": True, "by_day": False}, "ago; register", False),
        (
            {"books": Books(date(2026, 3, 9), Decimal("0.955"), 0, 3, 4, 0, 0, 1, 0, 2)},
            ("; 2026-03-09 complete 95.5%, missing: platform 3, marked invalid 4; still awaited 1;"
            " refused of no known site or period 2"),
            False,
        ),
    ],
)  # fmt: skip
def test_a_line_says_when_it_delivered_and_what_is_missing(
    changes: dict[str, Any], said: str, silent: bool
) -> None:
    found = standing(**changes)
    assert said in found.line()
    assert found.silent is silent


def test_samples_are_overdue_when_the_next_was_promised_and_did_not_come() -> None:
    newest = datetime(2026, 1, 31, tzinfo=UTC)
    late = standing(by_day=False, newest=newest, due=NOW - timedelta(days=1))
    assert late.overdue
    assert "newest until 2026-01-31, overdue since 2026-03-09" in late.line()
    waiting = standing(by_day=False, newest=newest, due=NOW + timedelta(days=1))
    assert not waiting.overdue
    assert "next by 2026-03-11" in waiting.line()
    assert "nothing yet" in standing(by_day=False).line()
