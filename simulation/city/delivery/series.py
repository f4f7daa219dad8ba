"""From nature's hours to a feed: the detail as rows, the months as aggregates of the same series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from simulation.city.delivery.block import Block, Property, Texts, regular
from simulation.city.places.geography import Site
from simulation.city.streams import Floats, Ints
from simulation.city.window import CHINA_OFFSET, Window


def detail(
    window: Window,
    times: Ints,
    sites: Sequence[Site],
    values: Mapping[str, Floats],
    properties: Sequence[Property],
    ready: Ints,
    texts: Mapping[str, Texts] | None = None,
) -> Block:
    """Rows of the detail from series over all months; `ready` and `texts` cover what the series cover."""
    part = window.detail(times)
    return regular(
        sites,
        times[part],
        ready[part],
        {name: np.asarray(series)[part] for name, series in values.items()},
        properties,
        {name: np.asarray(cells, dtype=object)[part] for name, cells in (texts or {}).items()},
    )


def months(
    times: Ints, sites: Sequence[Site], values: Mapping[str, Floats], properties: Sequence[Property]
) -> pa.Table:
    """Aggregates of a clean series by month of China, site and property: mean, least, greatest, number, unit.

    `month` is its first day. The last month may be short.
    """
    starts = (times + CHINA_OFFSET).astype("datetime64[s]").astype("datetime64[M]")
    month, first = np.unique(starts, return_index=True)
    count = len(month) * len(sites)
    parts: list[dict[str, Any]] = []
    for p in properties:
        series = np.round(np.asarray(values[p.name]), p.decimals)
        known = ~np.isnan(series)
        number = np.add.reduceat(known.astype(np.int64), first, axis=0)
        total = np.add.reduceat(np.where(known, series, 0), first, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(number > 0, np.round(total / number, p.decimals + 1), np.nan)
        parts.append({
            "property": [p.name] * count, "unit": [p.unit] * count, "mean": mean.ravel(), "number": number.ravel(),
            "least": np.fmin.reduceat(series, first, axis=0).ravel(),
            "greatest": np.fmax.reduceat(series, first, axis=0).ravel(),
        })  # fmt: skip
    return pa.table(
        {
            "month": pa.array(np.tile(np.repeat(month.astype("datetime64[D]"), len(sites)), len(parts))),
            "site": pa.array([s.code for s in sites] * (len(month) * len(parts))),
            **{
                name: pa.array(np.concatenate([part[name] for part in parts]), from_pandas=True)
                for name in ("property", "unit", "mean", "least", "greatest", "number")
            },
            "data": pa.array(["synthetic"] * (count * len(parts))),
        }
    )


def published(times: Ints, step: int, count: int, rng: np.random.Generator, minutes: tuple[int, int]) -> Ints:
    """When a source shows each row: so many minutes after the period's end, periods × sites."""
    wait = rng.integers(minutes[0] * 60, minutes[1] * 60 + 1, (len(times), count))
    found: Ints = times[:, None] + step + wait
    return found
