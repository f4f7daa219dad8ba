"""A long archive of the invented network, written fast: for benches."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from simulation import air, aqi
from simulation.air import CHINA, Ints
from simulation.national import HEADER

_CO = pa.array([f"{tenths // 10}.{tenths % 10}" for tenths in range(2000)])
_BLOCK = 100  # hours written at a time


def write_air_archive(
    path: Path, stations: int, hours: int, start: datetime, seed: int, revise_share: float = 0.0
) -> int:
    """Write `hours` × `stations` rows in the archive's CSV form, hour by hour; returns the number of rows.

    `start` is the first label, at +08:00 when it has no zone. `revise_share` of the NO2 values are 1 higher
    than in the archive written with 0 (index and category follow), all else is the same.
    """
    first = start.replace(tzinfo=CHINA) if start.tzinfo is None else start.astimezone(CHINA)
    values = air.concentrations(stations, hours, first.hour, seed)
    if revise_share > 0:
        chosen = np.random.default_rng([seed, 4]).random(values["no2"].shape) < revise_share
        values["no2"] += chosen & (values["no2"] >= 0)
    shown = air.columns(values, first.hour)
    network = air.stations(stations, seed)
    fixed = {
        "stationcode": [s.code for s in network],
        "area": [s.area for s in network],
        "positionname": [s.name for s in network],
        "longitude": [s.longitude for s in network],
        "latitude": [s.latitude for s in network],
    }
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="needed")
    with path.open("wb") as file:
        file.write((",".join(HEADER) + "\n").encode())
        for begin in range(0, hours, _BLOCK):
            block = slice(begin, min(begin + _BLOCK, hours))
            arrow_csv.write_csv(_block(fixed, values, shown, first, block), file, options)
    return stations * hours


def _block(
    fixed: dict[str, list[str]],
    values: dict[str, Ints],
    shown: dict[str, Ints],
    first: datetime,
    block: slice,
) -> pa.Table:
    rows = block.stop - block.start
    count = len(fixed["stationcode"])
    labels = [air.label(first, hour) for hour in range(block.start, block.stop)]
    columns: dict[str, Any] = {
        "timepoint": pa.array(np.repeat([f"{label:%Y-%m-%dT%H:%M:%S}" for label in labels], count)),
        **{name: pa.array(texts * rows) for name, texts in fixed.items()},
        **{name: _texts(name, array[block].ravel()) for name, array in shown.items()},
        **_reported({p: array[block] for p, array in values.items()}, labels),
    }
    for name, text in (("citycode", "0"), ("provinceid", "0"), ("orderid", "1"), ("ispublish", "true")):
        columns[name] = pa.array([text]).take(pa.array(np.zeros(rows * count, np.int64)))
    return pa.table({name: columns[name] for name in HEADER})


def _texts(name: str, values: Ints) -> Any:
    array = pa.array(values, mask=values < 0)
    texts = _CO.take(array) if name.startswith("co") else pc.cast(array, pa.string())
    return pc.fill_null(texts, aqi.MISSING)


def _reported(values: dict[str, Ints], labels: list[datetime]) -> dict[str, Any]:
    years = np.array([aqi.edition((label - timedelta(hours=1)).date()) for label in labels])
    index: Ints = np.empty(values["so2"].shape, dtype=np.int64)
    primary: Ints = np.empty_like(index)
    for year in np.unique(years):
        hours = years == year
        part = {p: array[hours] for p, array in values.items()}
        index[hours], primary[hours] = aqi.hourly_many(part, int(year))
    index, primary = index.ravel(), primary.ravel()
    names = pa.array([*(name for _, name in aqi.LEVELS), aqi.WORST, aqi.MISSING])
    level = np.searchsorted([most for most, _ in aqi.LEVELS], index, side="left")
    labels_of_bits = pa.array([aqi.primary_text(bits) for bits in range(1 << len(aqi.LABELS))])
    return {
        "aqi": _texts("aqi", index),
        "primarypollutant": labels_of_bits.take(pa.array(primary)),
        "quality": names.take(pa.array(np.where(index < 0, len(names) - 1, level))),
    }
