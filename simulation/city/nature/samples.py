"""Sampling rounds of the laboratory: who goes where when, verticals and depths, blanks and parallels, results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from simulation.city.nature.water import Water
from simulation.city.places.geography import Site
from simulation.city.places.laboratory import DRINKING, LABORATORIES, LIVING, SUPERVISED, SURFACE, Item
from simulation.city.streams import stream
from simulation.city.window import DAY, HOUR, Window, midnight

# project, its Chinese name, day of the month, months (of the year), items
_PROJECTS: tuple[tuple[str, str, int, tuple[int, ...], tuple[Item, ...]], ...] = (
    ("SW", "地表水采测", 4, tuple(range(1, 13)), SURFACE),
    ("DW", "集中式饮用水水源", 8, tuple(range(1, 13)), DRINKING),
    ("AE", "水生态", 15, (4, 7, 10), LIVING),
    ("SV", "重点排污单位监督性监测", 12, (2, 5, 8, 11), SUPERVISED),
)
_VERTICALS = (("左", "上层", 0.5), ("中", "上层", 0.5), ("中", "下层", 8.0), ("右", "上层", 0.5))


@dataclass(frozen=True, slots=True)
class Sample:
    """A bottle: `taken` and `arrived` are seconds since 1970, `depth` m, `quality` normal, blank or parallel."""

    number: str
    project: str
    project_name: str
    site: int
    vertical: str
    layer: str
    depth: float
    taken: int
    laboratory: str
    report: str
    quality: str
    parallel_of: str | None
    items: tuple[Item, ...]

    @property
    def arrived(self) -> int:
        """When the laboratory received it."""
        return self.taken + 6 * HOUR

    @property
    def issued(self) -> int:
        """When its report is issued: twelve days after, living things forty."""
        return self.taken + (40 if self.project == "AE" else 12) * DAY


def samples(window: Window, sites: dict[str, Sequence[Site]], seed: int) -> Iterator[Sample]:
    """All bottles of all rounds, by project and round; `sites` are by project, numbered one after the other."""
    offset = 0
    for project, title, day, months, items in _PROJECTS:
        rng = stream(seed, "samples", project)
        for taken_on in window.days_of_month(day):
            if taken_on.month not in months:
                continue
            for spot, site in enumerate(sites[project]):
                yield from _round(project, title, taken_on, offset + spot, site, items, rng)
        offset += len(sites[project])


def _round(
    project: str,
    title: str,
    on: date,
    spot: int,
    site: Site,
    items: tuple[Item, ...],
    rng: np.random.Generator,
) -> Iterator[Sample]:
    hour = 9 + int(rng.integers(0, 7))
    taken = midnight(on) + hour * HOUR
    bottles = (
        _VERTICALS if project == "SW" and site.attributes.get("wide") == "True" else (("中", "上层", 0.5),)
    )
    report = f"SYN-{on:%Y%m}-{project}{spot:02d}"
    laboratory = LABORATORIES[spot % len(LABORATORIES)]

    def bottle(turn: int, place: tuple[str, str, float], quality: str, of: str | None) -> Sample:
        number = f"{project}{on:%y%m%d}{spot:02d}{turn:02d}"
        return Sample(number, project, title, spot, *place, taken, laboratory, report, quality, of, items)

    found = [bottle(turn, place, "normal", None) for turn, place in enumerate(bottles, start=1)]
    yield from found
    if project in ("SW", "DW") and rng.random() < 0.25:
        yield bottle(90, bottles[0], "parallel", found[0].number)
    if project in ("SW", "DW") and rng.random() < 0.15:
        yield bottle(91, bottles[0], "blank", None)


def results(
    sample: Sample, site: Site, water: Water, rng: np.random.Generator
) -> Iterator[tuple[Item, float]]:
    """What the laboratory finds in a bottle. A parallel gets the `rng` of the bottle it repeats."""
    at = int(np.searchsorted(water.rivers.times, sample.taken))
    known = site.attributes
    river = water.at(str(known["river"]), float(known["share"])) if "river" in known else None
    draws = rng.normal(0, 1, len(sample.items))
    for item, draw in zip(sample.items, draws, strict=True):
        if sample.quality == "blank":
            if item.limit is not None:
                yield item, item.limit * 0.3
            continue
        if item.of and river is not None:
            usual = item.level / _MODEL_LEVEL.get(item.of, item.level) if item.unit != "Cel" else 1.0
            level = float(river[item.of][at]) * (usual if item.name not in _SAME else 1.0)
            yield (
                item,
                level * (1 + 0.025 * float(draw))
                + 0.1 * (sample.layer == "下层") * (item.name == "turbidity"),
            )
        else:
            yield item, item.level * float(np.exp(0.35 * draw))


_SAME = (
    "water_temperature",
    "ph",
    "dissolved_oxygen",
    "codmn",
    "ammonia_nitrogen",
    "total_phosphorus",
    "total_nitrogen",
)
_MODEL_LEVEL = {"codmn": 1.8, "chlorophyll_a": 2.5}
