"""How each feed stands: its last answer, and what came of its newest whole day, from the books of the house."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg

# A day is whole when it is over by the clock on the wall, and something of it is decided; a replay of old days has its
# last one.
_STANDING: Final = """
select f.feed, heard.answered, clock_timestamp() - heard.answered, f.freshness, d.day, d.complete_share,
    coalesce(d.source_missing_count, 0), coalesce(d.platform_missing_count, 0),
    coalesce(d.invalidated_by_review_count, 0), coalesce(d.not_required_count, 0), coalesce(d.awaited_count, 0),
    coalesce(d.source_down_count, 0), f.counted_by_day
from core.feed as f
cross join lateral (
    select max(ended_at) as answered from landing.batch as b
    where b.feed = f.feed and b.outcome in ('loaded', 'partial', 'unchanged')
) as heard
left join lateral (
    select * from {books} as d
    where d.feed = f.feed and d.day < core.day_of(clock_timestamp(), f.timezone, f.day_boundary)
        and d.complete_share is not null
    order by d.day desc limit 1
) as d on true
order by f.feed
"""
_BOOKS: Final = "governance.feed_day"
_NO_BOOKS: Final = (
    "(select null::text as feed, null::date as day, null::numeric as complete_share, 0 as source_missing_count,"
    " 0 as platform_missing_count, 0 as invalidated_by_review_count, 0 as not_required_count, 0 as awaited_count,"
    " 0 as source_down_count)"
)


@dataclass(frozen=True, slots=True)
class FeedStanding:
    """One feed; counts are values of `day`, its newest whole day in the books, None before the first build.

    `by_day`: whether its periods follow one on another within a day, so that the books count them.
    """

    feed: str
    answered: datetime | None
    age: timedelta | None
    freshness: timedelta
    day: date | None
    complete_share: Decimal | None
    source_missing: int
    platform_missing: int
    invalidated_by_review: int
    not_required: int
    awaited: int
    source_down: int
    by_day: bool

    @property
    def silent(self) -> bool:
        """Whether the last answer is older than the contract allows."""
        return self.age is None or self.age > self.freshness

    def line(self) -> str:
        """For people, in one line."""
        age = "never answered" if self.age is None else f"answered {_short(self.age)} ago"
        said = f"{self.feed:<24} {age}{' (silent)' if self.silent else ''}"
        if not self.by_day:
            return f"{said}; samples and yearly values are not counted by day"
        if self.day is None or self.complete_share is None:
            return f"{said}; no day in the books yet of which anything is due: eco build governance"
        missing = {
            "source": self.source_missing, "platform": self.platform_missing,
            "invalidated by review": self.invalidated_by_review, "not required": self.not_required,
            "awaited": self.awaited,
        }  # fmt: skip
        told = ", ".join(f"{kind} {count:,}" for kind, count in missing.items() if count) or "nothing"
        return f"{said}; {self.day} complete {self.complete_share:.1%}, missing: {told}"


def standing(conn: psycopg.Connection[Any]) -> list[FeedStanding]:
    """How each feed that ever delivered stands now, in the order of their names."""
    row = conn.execute("select to_regclass('core.feed'), to_regclass(%s)", [_BOOKS]).fetchone()
    if row is None or row[0] is None:
        return []
    statement = _STANDING.format(books=_NO_BOOKS if row[1] is None else _BOOKS)
    return [FeedStanding(*found) for found in conn.execute(statement.encode())]


def _short(age: timedelta) -> str:
    hours, minutes = divmod(int(age.total_seconds()) // 60, 60)
    return f"{hours // 24} d {hours % 24} h" if hours >= 48 else f"{hours} h {minutes:02} min"
