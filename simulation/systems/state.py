"""What every system knows: the city, and the moment at which it is asked."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

import pyarrow as pa

from simulation.city.city import City


class Now:
    """The city at a moment that only goes on; threads of the servers ask it, the clock moves it."""

    def __init__(self, city: City, at: datetime) -> None:
        self.city = city
        self._at = at
        self._lock = threading.Lock()

    @property
    def at(self) -> datetime:
        """The city's time."""
        return self._at

    def move(self, at: datetime) -> None:
        """The city's time goes on."""
        self._at = at

    def rows(
        self, feed: str, since: datetime | None = None, changed_after: datetime | None = None
    ) -> pa.Table:
        """What a department's table shows now; the newest row is the one that is known by now."""
        with self._lock:  # feeds are worked out when first asked for
            shown = self.city.feed(feed)
        return shown.rows(since=since, known_at=self._at, changed_after=changed_after)

    def changed(self, feeds: Iterable[str], since: datetime) -> bool:
        """Whether a department's tables show something else now than at a moment before."""
        found = (self.city.feed(feed).next_change(since) for feed in feeds)
        return any(after is not None and after <= self._at.timestamp() for after in found)

    def days(self, count: int) -> list[datetime]:
        """Midnights of the last days up to now, oldest first."""
        today = self._at.replace(hour=0, minute=0, second=0, microsecond=0)
        return [today - timedelta(days=back) for back in range(count - 1, -1, -1)]
