"""How each feed stands: its last delivery, and what is missing of it, as its contract promises it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg

from ecowarehouse.contracts import Contract, ContractSet, ObservationContract
from ecowarehouse.heard import Heard, heard

# The newest day that is over by the clock on the wall and decided, so that nothing of it may still come; of a feed
# without one the newest of which something is decided. The public page chooses by the same order among the days that
# were over, by the city's clock, when the newest of all books ends (exports/page/newest.py).
_BOOKS: Final = """
select f.feed, d.day, d.complete_share, d.source_missing_count, d.platform_missing_count,
    d.marked_invalid_count, d.invalidated_by_review_count, d.not_required_count, d.awaited_count,
    d.rejected_count, d.unplaced_count
from core.feed as f
cross join lateral (
    select * from governance.feed_day as d
    where d.feed = f.feed and d.day < core.day_of(clock_timestamp(), f.timezone, f.day_boundary)
        and d.complete_share is not null
    order by d.awaited_count = 0 desc, d.day desc limit 1
) as d
where f.counted_by_day
"""
_NEWEST: Final = """
select feed, max(period_to) from landing.batch
where feed = any(%s) and outcome in ('loaded', 'partial', 'unchanged') group by feed
"""


@dataclass(frozen=True, slots=True)
class Books:
    """Counts of values of `day`, the newest decided day of a feed in the books."""

    day: date
    complete_share: Decimal
    source_missing: int
    platform_missing: int
    marked_invalid: int
    invalidated_by_review: int
    not_required: int
    awaited: int
    refused: int
    refused_unplaced: int

    def line(self) -> str:
        """For people."""
        missing = {
            "source": self.source_missing, "platform": self.platform_missing,
            "marked invalid": self.marked_invalid, "invalidated by review": self.invalidated_by_review,
            "not required": self.not_required,
        }  # fmt: skip
        awaited = f"; still awaited {self.awaited:,}" if self.awaited else ""
        refused = {"": self.refused, "of no known site or period ": self.refused_unplaced}
        besides = "".join(f"; refused {kind}{count:,}" for kind, count in refused.items() if count)
        told = ", ".join(f"{kind} {count:,}" for kind, count in missing.items() if count) or "nothing"
        return f"{self.day} complete {self.complete_share:.1%}, missing: {told}{awaited}{besides}"


@dataclass(frozen=True, slots=True)
class FeedStanding:
    """One feed of the city.

    Of what follows hour by hour and day by day the books count each value (`books`; None before the first build).
    Of samples and of what comes by month or year only the newest is known, and by when the next is promised (`due`).
    A register is neither.
    """

    feed: str
    heard: Heard | None
    allowed: timedelta
    register: bool
    by_day: bool
    books: Books | None
    newest: datetime | None
    due: datetime | None
    asked_at: datetime

    @property
    def silent(self) -> bool:
        """Whether it gave nothing usable for longer than the contract allows since it was first asked."""
        return self.heard is not None and self.heard.silent(self.asked_at, self.allowed)

    @property
    def overdue(self) -> bool:
        """Whether what is promised once a month, quarter or year should be here."""
        return self.due is not None and self.asked_at > self.due

    def line(self) -> str:
        """For people, in one line."""
        return f"{self.feed:<24} {self._age()}{' (silent)' if self.silent else ''}; {self._what()}"

    def _age(self) -> str:
        if self.heard is None:
            return "never asked"
        if self.heard.delivered is None:
            return f"never delivered, asked for {_short(self.asked_at - self.heard.first_asked)}"
        return f"delivered {_short(self.asked_at - self.heard.delivered)} ago"

    def _what(self) -> str:
        if self.register:
            return "register"
        if self.by_day:
            nothing = "no day in the books yet of which anything is due: eco build governance"
            return self.books.line() if self.books else nothing
        if self.newest is None or self.due is None:
            return "not counted by day; nothing yet"
        word = "overdue since" if self.overdue else "next by"
        return f"not counted by day; newest until {self.newest:%Y-%m-%d}, {word} {self.due:%Y-%m-%d}"


def standing(conn: psycopg.Connection[Any], contracts: ContractSet) -> list[FeedStanding]:
    """How each feed of the city stands now, in the order of their names; empty before the first migration."""
    row = conn.execute(
        "select to_regclass('core.feed') is not null, to_regclass('governance.feed_day') is not null"
    ).fetchone()
    if row is None or not row[0]:
        return []
    feeds = sorted(contracts.contracts)
    asked = heard(conn, feeds)
    books = {feed: Books(*found) for feed, *found in conn.execute(_BOOKS)} if row[1] else {}
    uncounted = [feed for feed in feeds if _every(contracts[feed])]
    newest = dict(conn.execute(_NEWEST, [uncounted]).fetchall())
    now = datetime.now(UTC)
    return [
        _standing(contracts[feed], asked.get(feed), books.get(feed), newest.get(feed), now) for feed in feeds
    ]


def _standing(
    contract: Contract, found: Heard | None, books: Books | None, newest: datetime | None, now: datetime
) -> FeedStanding:
    observed = isinstance(contract, ObservationContract)
    every = _every(contract)
    return FeedStanding(
        feed=contract.feed, heard=found, allowed=contract.freshness, register=not observed,
        by_day=observed and every is None, books=books, newest=newest,
        due=newest + every + contract.lateness if newest and every else None, asked_at=now,
    )  # fmt: skip


def _every(contract: Contract) -> timedelta | None:
    """How often a value is promised, of samples and of what comes by month or year."""
    return contract.period.every if isinstance(contract, ObservationContract) else None


def _short(age: timedelta) -> str:
    hours, minutes = divmod(int(age.total_seconds()) // 60, 60)
    return f"{hours // 24} d {hours % 24} h" if hours >= 48 else f"{hours} h {minutes:02} min"
