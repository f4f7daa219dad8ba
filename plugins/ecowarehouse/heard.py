"""When a feed last delivered and was last asked, and whether that is a silence: for status and notices alike.

To look into an empty folder, or to hear that nothing changed (304), is no delivery: a department that sends no more
files, and a source that stands still, are silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

_HEARD: Final = """
select f.feed, f.delivered, f.first_asked, l.started_at, l.outcome, l.reason
from (
    select feed, max(ended_at) filter (
            where outcome in ('loaded', 'partial', 'unchanged') and reason is distinct from 'not_modified'
        ) as delivered,
        min(started_at) as first_asked
    from landing.batch where feed = any(%(feeds)s) group by feed
) f
cross join lateral (
    select started_at, outcome, reason from landing.batch b where b.feed = f.feed order by batch_id desc limit 1
) l
order by f.feed
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the ledger has of one feed; `delivered`: the end of the last attempt that brought something usable."""

    feed: str
    delivered: datetime | None
    first_asked: datetime
    last_asked: datetime
    outcome: str
    reason: str | None

    @property
    def since(self) -> datetime:
        """The last delivery, or the first time anybody asked."""
        return self.delivered or self.first_asked

    def silent(self, moment: datetime, allowed: timedelta) -> bool:
        """Whether it gave nothing for longer than its contract allows (`schedule.freshness`)."""
        return moment - self.since > allowed


def heard(conn: psycopg.Connection[Any], feeds: Sequence[str]) -> dict[str, Heard]:
    """By feed, in the order of their names; a feed that was never asked is not in service and not among them."""
    return {row[0]: Heard(*row) for row in conn.execute(_HEARD, {"feeds": list(feeds)})}
