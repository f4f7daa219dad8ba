"""How often what goes wrong, and where: plants are drawn here and applied in `truth`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType
from typing import Any

import numpy as np

from simulation.city.delivery.block import Block, Property
from simulation.city.delivery.truth import FAULTS, Plant
from simulation.city.streams import Floats, stream
from simulation.city.window import DAY, HOUR

_DENSE = MappingProxyType(
    {"late_batch": 8, "correction": 8, "unit_error": 5, "sentinel": 10, "flat_line": 8, "drift": 4, "spike": 12,
     "duplicate": 8, "falsified": 4}
)  # fmt: skip
_SAMPLED = MappingProxyType(
    {"late_batch": 3, "correction": 4, "unit_error": 3, "sentinel": 3, "duplicate": 3, "spike": 2}
)

# Lengths in periods of the feed, least and most, by kind.
_LENGTHS = {
    "late_batch": (3, 24), "correction": (1, 12), "unit_error": (12, 72), "sentinel": (1, 6), "flat_line": (8, 48),
    "drift": (240, 600), "spike": (1, 1), "duplicate": (1, 6), "falsified": (72, 240),
}  # fmt: skip
_APART = 3  # periods left untouched around a plant, so that two are never taken for one
_TRIES = 60


@dataclass(frozen=True, slots=True)
class Faults:
    """How many plants of each kind a feed gets in 120 days.

    `dense` holds for feeds with a period of a day or less, `sampled` for samples; `by_feed` replaces single numbers of
    a feed; `scale` multiplies all of them, gaps too (0 plants nothing). `feeds` names the feeds that get any, None all.
    """

    dense: Mapping[str, int] = field(default_factory=lambda: _DENSE)
    sampled: Mapping[str, int] = field(default_factory=lambda: _SAMPLED)
    by_feed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    scale: float = 1.0
    feeds: frozenset[str] | None = None

    def __post_init__(self) -> None:
        kinds = {*self.dense, *self.sampled, *(k for counts in self.by_feed.values() for k in counts)}
        if unknown := kinds - set(FAULTS):
            raise ValueError(
                f"no such kind of fault: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}"
            )

    def counts(self, feed: str, sampled: bool, days: int) -> dict[str, int]:
        """Plants by kind for a feed."""
        if self.feeds is not None and feed not in self.feeds:
            return {}
        base = {**(self.sampled if sampled else self.dense), **self.by_feed.get(feed, {})}
        share = self.scale * (1 if sampled else min(days / 120, 1))
        return {kind: ceil(count * share) for kind, count in base.items() if share > 0}


def plant(
    faults: Faults,
    feed: str,
    clean: Block,
    properties: Sequence[Property],
    step: int | None,
    seed: int,
    days: int,
) -> list[Plant]:
    """Draw the plants of a feed; `step` is its period in seconds, None for samples. No two touch one another."""
    if not len(clean) or not properties or (faults.feeds is not None and feed not in faults.feeds):
        return []
    ground = _Ground(feed, clean, properties, step, seed)
    for kind, count in faults.counts(feed, step is None, days).items():
        ground.scatter(kind, count)
    ground.lose(faults.scale)
    return sorted(ground.plants, key=lambda p: (p.begin, p.site, p.property, p.kind))


class _Ground:
    """Cells of a feed, and which of them are taken."""

    def __init__(
        self, feed: str, clean: Block, properties: Sequence[Property], step: int | None, seed: int
    ) -> None:
        self.feed, self.clean, self.properties, self.step, self.seed = feed, clean, properties, step, seed
        self.taken = {name: np.zeros(len(clean), bool) for name in clean.values}
        self.plants: list[Plant] = []

    def scatter(self, kind: str, count: int) -> None:
        """Plant so many of a kind, where there is room."""
        able: Sequence[Property] = [p for p in self.properties if kind in p.faults and self._can(kind, p)]
        whole = kind in ("late_batch", "duplicate")
        if not able and not whole:
            return
        rng = stream(self.seed, "fault", self.feed, kind)
        for number in range(count):
            for _ in range(_TRIES):
                # Properties take turns, so that each kind meets each of them.
                target = None if whole else able[number % len(able)]
                if self._try(kind, target, rng):
                    break

    def _can(self, kind: str, of: Property) -> bool:
        return of.other_unit is not None if kind == "unit_error" else True

    def _try(self, kind: str, of: Property | None, rng: np.random.Generator) -> bool:
        place = int(rng.integers(len(self.clean.sites)))
        name = of.name if of else ""
        rows = self.clean.rows(place, name)
        least, most = _LENGTHS[kind] if self.step and self.step <= HOUR else _shorter(kind, self.step)
        length = int(rng.integers(least, most + 1))
        apart = _APART if self.step else 1
        if len(rows) < length + 2 * apart:
            return False
        first = int(rng.integers(apart, len(rows) - length - apart + 1))
        if not self._free(place, name, rows, first, length, apart):
            return False
        parameters = _DRAWS[kind](self, of, rows, first, length, rng)
        if parameters is None:
            return False
        self._take(kind, place, name, rows, first, length, parameters)
        return True

    def _span(self, rows: Any, first: int, length: int) -> tuple[int, int]:
        times = self.clean.time[rows]
        return int(times[first]), int(times[first + length - 1]) + (self.step or 1)

    def _columns(self, name: str) -> list[str]:
        return [self.clean.column(name)] if name else list(self.taken)

    def _free(self, place: int, name: str, rows: Any, first: int, length: int, apart: int) -> bool:
        """Whether nothing is planted there or just before and after; bottles of the same moment go together."""
        around = rows[max(first - apart, 0) : first + length + apart]
        together = self.clean.between(place, name, *self._span(rows, first, length))
        return not any(
            self.taken[c][around].any() or self.taken[c][together].any() for c in self._columns(name)
        )

    def _take(
        self, kind: str, place: int, name: str, rows: Any, first: int, length: int, parameters: dict[str, Any]
    ) -> int:
        begin, end = self._span(rows, first, length)
        self.plants.append(
            Plant(kind, "fault", self.feed, self.clean.sites[place].code, name, begin, end, parameters)
        )
        chosen = self.clean.between(place, name, begin, end)
        for column in self._columns(name):
            self.taken[column][chosen] = True
        return len(chosen)

    def lose(self, scale: float) -> None:
        """Plant gaps until each property has lost its share; four tenths of the least share are whole rows."""
        able = [p for p in self.properties if "gap" in p.faults and p.missing > 0]
        if scale <= 0 or not able:
            return
        rng = stream(self.seed, "fault", self.feed, "gap")
        common = 0.4 * min(p.missing for p in able) if self.clean.item is None else 0.0
        self._lose(None, round(common * scale * len(self.clean)), rng)
        for of in able:
            share = (of.missing - common) * scale
            cells = sum(len(self.clean.rows(place, of.name)) for place in range(len(self.clean.sites)))
            self._lose(of, round(share * cells), rng)

    def _lose(self, of: Property | None, budget: int, rng: np.random.Generator) -> None:
        name = of.name if of else ""
        tries = 20 * budget + 100
        while budget > 0 and tries:
            tries -= 1
            place = int(rng.integers(len(self.clean.sites)))
            rows = self.clean.rows(place, name)
            length = min(int(rng.geometric(1 / (5 if self.step else 1))), 72, budget)
            if len(rows) <= length + 2:
                continue
            first = int(rng.integers(1, len(rows) - length))
            if not self._free(place, name, rows, first, length, 1):
                continue
            if of is not None and np.isnan(_values(self, of, rows, first, length)).any():
                continue  # what was never measured cannot be lost
            form = {"form": "cell" if of else "row", "periods": length}
            budget -= self._take("gap", place, name, rows, first, length, form)


def _shorter(kind: str, step: int | None) -> tuple[int, int]:
    """Lengths in periods for feeds slower than an hour: days stay days, samples are single."""
    least, most = _LENGTHS[kind]
    if step is None:
        return (1, 1)
    hours = step // HOUR
    floor = {"flat_line": 5, "drift": 15, "falsified": 8, "unit_error": 3}.get(kind, 1)
    return max(least // hours, floor), max(most // hours, floor + 1)


Draw = Callable[[_Ground, Any, Any, int, int, np.random.Generator], "dict[str, Any] | None"]


def _values(ground: _Ground, of: Property, rows: Any, first: int, length: int) -> Floats:
    found: Floats = ground.clean.values[ground.clean.column(of.name)][rows[first : first + length]]
    return found


def _late(
    ground: _Ground, _: Any, rows: Any, first: int, length: int, rng: np.random.Generator
) -> dict[str, Any]:
    last = int(ground.clean.ready[rows[first : first + length]].max())
    wait = (rng.integers(6 * HOUR, 5 * DAY)) if ground.step else rng.integers(10 * DAY, 40 * DAY)
    return {"arrives": last + int(wait)}


def _duplicate(
    ground: _Ground, _: Any, rows: Any, first: int, length: int, rng: np.random.Generator
) -> dict[str, Any]:
    last = int(ground.clean.ready[rows[first : first + length]].max())
    return {"at": last + int(rng.integers(0, 6)) * HOUR, "copies": int(rng.integers(1, 4))}


def _correction(
    ground: _Ground, of: Property, rows: Any, first: int, length: int, rng: np.random.Generator
) -> dict[str, Any] | None:
    true = _values(ground, of, rows, first, length)
    factor = float(rng.choice((0.7, 0.8, 0.88, 1.12, 1.25, 1.4)))
    shown = np.round(true * factor, of.decimals)
    if np.isnan(true).any() or (shown == true).any():
        return None
    last = int(ground.clean.ready[rows[first : first + length]].max())
    wait = rng.integers(2 * HOUR, 10 * DAY) if ground.step else rng.integers(5 * DAY, 60 * DAY)
    return {"factor": factor, "at": last + int(wait)}


def _unit(
    ground: _Ground, of: Property, rows: Any, first: int, length: int, _: np.random.Generator
) -> dict[str, Any] | None:
    true = _values(ground, of, rows, first, length)
    assert of.other_unit is not None
    unit, factor = of.other_unit
    if np.isnan(true).any() or (np.abs(true) * max(factor, 1) < 10**-of.decimals).any():
        return None
    return {"factor": factor, "delivered_unit": unit, "declared_unit": of.unit}


def _sentinel(
    ground: _Ground, of: Property, rows: Any, first: int, length: int, _: np.random.Generator
) -> dict[str, Any] | None:
    return None if np.isnan(_values(ground, of, rows, first, length)).any() else {"value": of.sentinel}


def _flat(
    ground: _Ground, of: Property, rows: Any, first: int, length: int, _: np.random.Generator
) -> dict[str, Any] | None:
    true = _values(ground, of, rows, first, length)
    if np.isnan(true).any() or true[0] <= (of.limit or 0) or (true == true[0]).mean() > 0.5:
        return None
    return {"value": float(true[0])}


def _drift(
    ground: _Ground, of: Property, rows: Any, first: int, length: int, rng: np.random.Generator
) -> dict[str, Any] | None:
    if np.isnan(_values(ground, of, rows, first, length)).mean() > 0.3:
        return None
    return {"share": round(float(rng.choice((-1, 1)) * rng.uniform(0.35, 0.8)), 3)}


def _spike(
    ground: _Ground, of: Property, rows: Any, first: int, _: int, rng: np.random.Generator
) -> dict[str, Any] | None:
    series = ground.clean.values[ground.clean.column(of.name)][rows]
    steps = np.abs(np.diff(series))
    if np.isnan(series[first]) or np.isnan(steps).all():
        return None
    ordinary = max(
        1.4826 * float(np.nanmedian(steps)), 0.1 * float(np.nanmedian(np.abs(series))), 10**-of.decimals
    )
    return {"amplitude": round(float(rng.uniform(12, 30)) * ordinary, of.decimals)}


def _falsify(
    ground: _Ground, of: Property, rows: Any, first: int, length: int, rng: np.random.Generator
) -> dict[str, Any] | None:
    true = _values(ground, of, rows, first, length)
    if np.isnan(true).any() or ground.step is None:
        return None
    if of.cap is not None and (true > of.cap).any():
        return {"method": "capped", "cap": of.cap}
    method = str(rng.choice(("copied", "smoothed")))
    if method == "copied":
        lag = length * ground.step
        lag += -lag % DAY
        if first < lag // ground.step:
            return None
        return {"method": "copied", "lag": lag}
    return {"method": "smoothed"}


_DRAWS: dict[str, Draw] = {
    "late_batch": _late, "duplicate": _duplicate, "correction": _correction, "unit_error": _unit, "sentinel": _sentinel,
    "flat_line": _flat, "drift": _drift, "spike": _spike, "falsified": _falsify,
}  # fmt: skip
