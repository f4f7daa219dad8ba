"""Rows of one feed before anything went wrong: in order of time, then place, values in the department's units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulation.city.places.geography import Site
from simulation.city.streams import Floats, Ints

Texts = np.ndarray[Any, np.dtype[np.object_]]


@dataclass(frozen=True, slots=True)
class Property:
    """What a feed reports: its name, the unit it is delivered in (UCUM), and how it may go wrong.

    `limit` is the detection limit, `missing` the share of readings to lose, `other_unit` the unit that a mistaken
    delivery has and the factor that makes it, `cap` the value below which a falsifier keeps, `sentinel` the number that
    stands for no reading. `faults` are the kinds that make sense: what is at rest by nature has no flat line.
    """

    name: str
    unit: str
    decimals: int
    limit: float | None = None
    missing: float = 0.01
    other_unit: tuple[str, float] | None = None
    cap: float | None = None
    sentinel: float = -999.0
    faults: frozenset[str] = frozenset(
        {"gap", "correction", "unit_error", "sentinel", "flat_line", "drift", "spike", "falsified"}
    )


def rarely(*kinds: str) -> frozenset[str]:
    """The kinds of fault of a property that stands still, is text-like or is sampled seldom."""
    return frozenset(kinds)


@dataclass(slots=True)
class Block:
    """One row a reading (or a sample, or a result) of a site.

    `time` is the start of the period or the moment of sampling and `ready` the moment at which the source shows the
    row, both seconds since 1970. `values` are by property, or of the one column `value` where `item` says for each row
    which of `items` it is. NaN is not measured. `gone` is the moment from which a row stands no more, because another
    took its place; registers have it.
    """

    sites: Sequence[Site]
    time: Ints
    site: Ints
    ready: Ints
    values: dict[str, Floats]
    texts: dict[str, Texts] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    item: Ints | None = None
    gone: Ints | None = None
    _rows: dict[tuple[int, str], Ints] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)

    def column(self, name: str) -> str:
        """The column of `values` that holds a property."""
        return "value" if self.item is not None else name

    def rows(self, site: int, name: str = "") -> Ints:
        """Rows of a site in order of time; in the long form those of one property, unless none is named."""
        if not self._rows:
            self._index()
        return self._rows.get((site, name if self.item is not None else ""), np.empty(0, np.int64))

    def between(self, site: int, name: str, begin: int, end: int) -> Ints:
        """Rows of a site (and property) whose time is in [begin, end)."""
        rows = self.rows(site, name)
        first, last = np.searchsorted(self.time[rows], (begin, end))
        return rows[first:last]

    def _index(self) -> None:
        order = np.argsort(self.site, kind="stable")
        edges = np.searchsorted(self.site[order], np.arange(len(self.sites) + 1))
        for place in range(len(self.sites)):
            rows = order[edges[place] : edges[place + 1]]
            self._rows[place, ""] = rows
            if self.item is not None:
                for number, name in enumerate(self.items):
                    self._rows[place, name] = rows[self.item[rows] == number]


def regular(
    sites: Sequence[Site],
    times: Ints,
    ready: Ints,
    values: Mapping[str, Floats],
    properties: Sequence[Property],
    texts: Mapping[str, Texts] | None = None,
) -> Block:
    """A row a period and site; `values` are periods × sites, rounded here to what the department shows.

    `ready` is periods × sites or one for each period.
    """
    count = len(sites)
    shown = {p.name: np.round(np.asarray(values[p.name]), p.decimals).ravel() + 0.0 for p in properties}
    return Block(
        sites=sites,
        time=np.repeat(times, count),
        site=np.tile(np.arange(count), len(times)),
        ready=ready.ravel() if ready.ndim == 2 else np.repeat(ready, count),
        values=shown,
        texts={name: np.asarray(cells, dtype=object).ravel() for name, cells in (texts or {}).items()},
    )


def ordered(
    sites: Sequence[Site],
    records: Sequence[Mapping[str, Any]],
    properties: Sequence[Property],
    item: str | None = None,
) -> Block:
    """A block from single records with `time`, `site` (number), `ready`, properties and texts; sorted by time and site.

    With `item` the block is long: records have `value` and the name of their property under that key.
    """
    rows = sorted(records, key=lambda r: (r["time"], r["site"]))
    names = tuple(p.name for p in properties)
    columns = ("value",) if item else names
    numbers = {"time", "site", "ready", "gone", *columns}
    texts = [key for key in (rows[0] if rows else ()) if key not in numbers]
    decimals = np.array([p.decimals for p in properties])
    index = np.array([names.index(r[item]) for r in rows], dtype=np.int64) if item else None
    values = {c: np.array([r[c] for r in rows], dtype=np.float64) for c in columns}
    for number, p in enumerate(properties):
        if index is None:
            values[p.name] = np.round(values[p.name], p.decimals)
        else:
            chosen = index == number
            values["value"][chosen] = np.round(values["value"][chosen], int(decimals[number]))
    return Block(
        sites=sites,
        time=np.array([r["time"] for r in rows], dtype=np.int64),
        site=np.array([r["site"] for r in rows], dtype=np.int64),
        ready=np.array([r["ready"] for r in rows], dtype=np.int64),
        values=values,
        texts={key: np.array([r[key] for r in rows] + [None], dtype=object)[:-1] for key in texts},
        items=names if item else (),
        item=index,
        gone=np.array([r["gone"] for r in rows], dtype=np.int64) if rows and "gone" in rows[0] else None,
    )
