"""What was planted, and what it does: the manifest applied to the clean rows gives the delivered ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from simulation.city.delivery.block import Block, Property
from simulation.city.streams import Floats, Ints
from simulation.city.window import CHINA

FAULTS = (
    "gap", "late_batch", "correction", "unit_error", "sentinel", "flat_line", "drift", "spike", "duplicate",
    "falsified",
)  # fmt: skip
PHENOMENA = ("exceedance", "pollution_event", "half_limit_decoy", "rain_dose", "expired_verification")


@dataclass(frozen=True, slots=True)
class Plant:
    """One planted thing. `layer` is `fault`, or `phenomenon` where the clean series has it too.

    `begin` and `end` (excluded) are starts of periods, seconds since 1970. `property` is empty where whole rows are
    meant. What `parameters` hold says `docs` of the kind in `apply`.
    """

    kind: str
    layer: str
    feed: str
    site: str
    property: str
    begin: int
    end: int
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Delivered:
    """What a source shows: first values, rows it never shows, and what changes when.

    `revisions` are (moment, rows, column, values), `repeats` (moment, rows, copies more), both by moment.
    """

    values: dict[str, Floats]
    absent: np.ndarray[Any, np.dtype[np.bool_]]
    ready: Ints
    revisions: list[tuple[int, Ints, str, Floats]] = field(default_factory=list)
    repeats: list[tuple[int, Ints, int]] = field(default_factory=list)


def deliver(clean: Block, properties: Sequence[Property], plants: Iterable[Plant]) -> Delivered:
    """The delivered rows: the clean ones with every planted fault applied.

    Raises:
        KeyError: a plant names a site, a property or a kind that the feed has not.
    """
    found = Delivered(
        {name: values.copy() for name, values in clean.values.items()},
        np.zeros(len(clean), bool),
        clean.ready.copy(),
    )
    places = {site.code: number for number, site in enumerate(clean.sites)}
    decimals = {p.name: p.decimals for p in properties}
    for plant in plants:
        if plant.layer == "fault":
            apply(plant, clean, found, places[plant.site], decimals.get(plant.property, 0))
    found.revisions.sort(key=lambda revision: revision[0])
    found.repeats.sort(key=lambda repeat: repeat[0])
    return found


def apply(plant: Plant, clean: Block, found: Delivered, place: int, decimals: int) -> None:
    """Do to delivered rows what one plant says.

    gap: `form` row (never shown) or cell (no value). late_batch: `arrives`. duplicate: `at`, `copies`.
    correction: first shown `factor` times the true value, which comes `at`. unit_error: `factor`. sentinel, flat_line:
    `value`. drift: grows evenly to `share` of the value. spike: `amplitude` is added. falsified: see `_falsified`.
    """
    rows = clean.between(place, plant.property, plant.begin, plant.end)
    known = plant.parameters
    column = clean.column(plant.property)
    if plant.kind == "late_batch":
        found.ready[rows] = np.maximum(found.ready[rows], known["arrives"])
    elif plant.kind == "duplicate":
        found.repeats.append((known["at"], rows, known["copies"]))
    elif plant.kind == "gap" and known["form"] == "row":
        found.absent[rows] = True
    else:
        true = clean.values[column][rows]
        found.values[column][rows] = np.round(_shown(plant, clean, rows, true), decimals)
        if plant.kind == "correction":
            found.revisions.append((known["at"], rows, column, true))


def _shown(plant: Plant, clean: Block, rows: Ints, true: Floats) -> Floats:
    known = plant.parameters
    if plant.kind == "gap":
        return np.full(len(rows), np.nan)
    if plant.kind in ("sentinel", "flat_line"):
        return np.full(len(rows), known["value"])
    if plant.kind in ("unit_error", "correction"):
        return true * known["factor"]
    if plant.kind == "drift":
        return true * (1 + known["share"] * (clean.time[rows] - plant.begin) / (plant.end - plant.begin))
    if plant.kind == "spike":
        return true + known["amplitude"]
    if plant.kind == "falsified":
        return _falsified(plant, clean, rows, true)
    raise KeyError(f"no such kind of fault: {plant.kind}")


def _falsified(plant: Plant, clean: Block, rows: Ints, true: Floats) -> Floats:
    """capped: what is above `cap` is pressed into the 3 % below it. copied: the values of `lag` seconds before.

    smoothed: a tenth of the distance from the mean is left.
    """
    known = plant.parameters
    if known["method"] == "capped":
        pressed = known["cap"] * (0.97 + 0.03 * (1 - known["cap"] / np.maximum(true, known["cap"])))
        return np.where(true > known["cap"] * 0.97, pressed, true)
    if known["method"] == "copied":
        place = int(clean.site[rows[0]])
        source = clean.between(place, plant.property, plant.begin - known["lag"], plant.end - known["lag"])
        return clean.values[clean.column(plant.property)][source][: len(rows)]
    mean = np.nanmean(true)
    return mean + (true - mean) / 10


def table(plants: Iterable[Plant]) -> pa.Table:
    """The manifest: one row a planted thing; times of China, parameters as JSON; `data` says `synthetic`."""
    rows = list(plants)
    return pa.table(
        {
            **{name: pa.array([getattr(p, name) for p in rows], pa.string()) for name in _TEXTS},
            "from": pa.array([p.begin + 8 * 3600 for p in rows], pa.timestamp("s")),
            "to": pa.array([p.end + 8 * 3600 for p in rows], pa.timestamp("s")),
            "parameters": pa.array(
                [json.dumps(p.parameters, sort_keys=True, ensure_ascii=False) for p in rows], pa.string()
            ),
            "data": pa.array(["synthetic"] * len(rows), pa.string()),
        }
    )


def plants_of(manifest: pa.Table) -> list[Plant]:
    """Read a manifest back."""
    return [
        Plant(
            **{name: row[name] for name in _TEXTS},
            begin=_moment(row["from"]),
            end=_moment(row["to"]),
            parameters=json.loads(row["parameters"]),
        )
        for row in manifest.to_pylist()
    ]


_TEXTS = ("kind", "layer", "feed", "site", "property")


def _moment(local: datetime) -> int:
    return int(local.replace(tzinfo=CHINA).timestamp())
