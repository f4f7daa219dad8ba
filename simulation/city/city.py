"""The city: feeds by name, the manifest of all that was planted, one hash over everything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date

import pyarrow as pa

from simulation.city.delivery import truth
from simulation.city.delivery.faults import Faults, plant
from simulation.city.delivery.feed import Feed
from simulation.city.departments.registry import FEEDS
from simulation.city.nature.world import World
from simulation.city.window import Window

FIRST_DAY = date(2026, 7, 1)
DAYS = 120
MONTHS = 26


class City:
    """A synthetic city of one seed; the same arguments always give the same city, in any process.

    Feeds are worked out when first asked for and kept; none depends on which were asked for before.

    Example:
        >>> city = City(seed=1)
        >>> city.feed("hydrology").rows(since, until, known_at=now)
    """

    def __init__(
        self,
        seed: int = 1,
        first_day: date = FIRST_DAY,
        days: int = DAYS,
        months: int = MONTHS,
        faults: Faults | None = None,
    ) -> None:
        self.seed = seed
        self.window = Window(first_day, days, months)
        self.faults = faults or Faults()
        self.world = World(self.window, seed)
        self._feeds: dict[str, Feed] = {}

    def feed(self, name: str) -> Feed:
        """A feed.

        Raises:
            KeyError: there is no such feed; the message lists all.
        """
        if name not in self._feeds:
            if name not in FEEDS:
                raise KeyError(f"the city has no feed {name!r}; it has {', '.join(FEEDS)}")
            draft = FEEDS[name](self.world)
            faults = plant(
                self.faults, name, draft.clean, draft.properties, draft.step, self.seed, self.window.days
            )
            self._feeds[name] = Feed(draft, faults)
        return self._feeds[name]

    def feeds(self) -> Iterator[Feed]:
        """All feeds, in the order of their list."""
        return (self.feed(name) for name in FEEDS)

    def manifest(self) -> pa.Table:
        """Everything planted, faults and phenomena, by feed."""
        return truth.table(p for feed in self.feeds() for p in (*feed.draft.phenomena, *feed.plants))

    def months(self, name: str) -> pa.Table:
        """Aggregates of a feed's clean series by month over all months of the window.

        Raises:
            KeyError: there is no such feed, or it has no continuous series.
        """
        draft = self.feed(name).draft
        if draft.months is None:
            raise KeyError(f"the feed {name!r} has no continuous series, so no months")
        return draft.months()

    def digest(self) -> str:
        """SHA-256 over all feeds as delivered and as clean, over the months and the manifest."""
        found = hashlib.sha256()
        for feed in self.feeds():
            tables = [feed.rows(), feed.clean(), truth.table(feed.plants)]
            if feed.draft.months is not None:
                tables.append(feed.draft.months())
            for shown in tables:
                sink = pa.BufferOutputStream()
                with pa.ipc.new_stream(sink, shown.schema) as writer:
                    writer.write_table(shown.combine_chunks())
                found.update(sink.getvalue())
        return found.hexdigest()
