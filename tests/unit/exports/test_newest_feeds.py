"""Which day of each feed the page tells of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ecowarehouse.exports.page import newest


class Books:
    """Rows of the books, kept in memory."""

    period_to = datetime(2026, 11, 28, tzinfo=UTC)

    def __init__(self, *rows: tuple[str, str, str | None, str]) -> None:
        names = ("feed", "day", "complete_share", "awaited_count")
        self._rows = [dict(zip(names, row, strict=True)) for row in rows]

    def rows(
        self, columns: Any, since: datetime, until: datetime, wanted: Callable[[Any], bool]
    ) -> list[Any]:
        return [row for row in self._rows if f"{since:%Y-%m-%d}" <= str(row["day"]) and wanted(row)]


def told(*rows: tuple[str, str, str | None, str]) -> dict[str, str]:
    return {str(row["feed"]): str(row["day"]) for row in newest.feeds(Books(*rows), UTC)}  # type: ignore[arg-type]


def test_a_day_of_which_something_may_still_come_is_not_told() -> None:
    assert told(
        ("noise", "2026-11-25", "0.99", "0"), ("noise", "2026-11-26", None, "3456"), ("noise", "2026-11-27", None, "9"),
        ("rain", "2026-11-24", "0.98", "0"), ("rain", "2026-11-26", "1.0000", "26"),
    ) == {"noise": "2026-11-25", "rain": "2026-11-24"}  # fmt: skip


def test_a_feed_with_another_clock_is_told_with_its_own_last_day() -> None:
    air = [("air", "2026-02-28", "0.97", "0"), ("air", "2026-03-01", "0.96", "9")]
    assert told(("rain", "2026-11-25", "0.98", "0"), *air) == {"rain": "2026-11-25", "air": "2026-02-28"}


def test_a_feed_without_a_decided_day_is_told_with_what_is_decided() -> None:
    assert told(("rain", "2026-11-25", "0.5", "3"), ("rain", "2026-11-26", None, "26")) == {
        "rain": "2026-11-25"
    }
