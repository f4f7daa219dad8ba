"""Open or closed: by the clock of the feeds, never by the wall's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

_NOTHING_IS_CLOSED: Final = datetime.min.replace(tzinfo=UTC)


def closed_before(
    conn: psycopg.Connection[Any], feeds: Sequence[str], lateness: Mapping[str, timedelta]
) -> datetime | None:
    """Periods that end at or before this moment are closed: every feed's clock is past that and its lateness.

    A feed that never delivered does not decide. None: no feed did, so nothing more is to come. Of a feed whose
    contract cannot be read nobody knows how late it may be: it closes nothing.
    """
    rows = conn.execute(
        """
        select f.feed, b.known_at
        from unnest(%s::text[]) as f(feed)
        cross join lateral (
            select known_at from landing.batch b
            where b.feed = f.feed and b.outcome in ('loaded', 'unchanged', 'partial')
            order by known_at desc nulls last limit 1
        ) b
        where b.known_at is not null
        """,
        [list(feeds)],
    ).fetchall()
    limits = [
        known_at - lateness[feed] if feed in lateness else _NOTHING_IS_CLOSED for feed, known_at in rows
    ]
    return min(limits) if limits else None


def longest_lateness(feeds: Sequence[str], lateness: Mapping[str, timedelta]) -> timedelta:
    """The lateness of a dataset: that of its slowest feed."""
    return max((lateness.get(feed, timedelta()) for feed in feeds), default=timedelta())


def is_closed(period_end: datetime, limit: datetime | None, stations_share: float | None) -> bool:
    """Whether a period is closed: its lateness is over, or all sites that were expected came."""
    if limit is None or period_end <= limit:
        return True
    return stations_share is not None and stations_share >= 1
