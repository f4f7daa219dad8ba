"""Real files as clean feeds, in which the simulation's own injector plants faults. They are read, and never kept."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from simulation.city.delivery.block import Property, regular
from simulation.city.delivery.feed import Draft
from simulation.city.departments.ecology_air import PROPERTIES as AIR
from simulation.city.places.geography import Site
from simulation.city.streams import Floats, Ints, stream
from simulation.city.window import CHINA, CHINA_OFFSET, DAY, HOUR

_COLUMNS = {"so2": "SO2", "no2": "NO2", "co": "CO", "o3": "O3", "pm10": "PM10", "pm2_5": "PM2.5"}
LEVEL = Property("water_level", "m", 4, missing=0.008, other_unit=("cm", 100.0))
NO_FLOW = Property("flow", "m3/s", 1, missing=0.0, faults=frozenset())


def beijing(shared: Path, stations: Sequence[str], begin: int = 0, days: int | None = None) -> Draft:
    """Hours of these stations from day `begin` on (UCI PRSA, 2013-03-01 to 2017-02-28), CO in mg/m3."""
    series: dict[str, list[Floats]] = {p.name: [] for p in AIR}
    times = np.empty(0, np.int64)
    for station in stations:
        path = shared / "data" / "air" / f"PRSA_Data_{station}_20130301-20170228.csv"
        with path.open(encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        times = _seconds(
            datetime(int(r["year"]), int(r["month"]), int(r["day"]), int(r["hour"]), tzinfo=CHINA)
            for r in rows
        )
        for name, column in _COLUMNS.items():
            series[name].append(_numbers([r[column] for r in rows]) / (1000 if name == "co" else 1))
    values = {name: np.stack(columns, axis=1) for name, columns in series.items()}
    return _draft("beijing_air_hour", stations, times, values, AIR, begin, days)


def water_level(shared: Path, begin: int = 0, days: int | None = None) -> Draft:
    """The example of ioos_qc: full hours of one gauge from 2018-09 on. Half a year of it is one value."""
    path = shared / "data" / "water" / "ioos_water_level_example.csv"
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    found = dict(
        zip(
            _seconds(datetime.fromisoformat(r["time"]) for r in rows).tolist(),
            _numbers([r["sea_surface_height_above_sea_level"] for r in rows]).tolist(),
            strict=True,
        )
    )
    times = np.arange(min(found), max(found) + 1, HOUR)
    level = np.array([found.get(int(t), np.nan) for t in times])[:, None]
    values = {"water_level": level, "flow": np.full_like(level, np.nan)}
    return _draft("ioos_water_level", ["gauge"], times, values, (LEVEL, NO_FLOW), begin, days)


def _draft(
    name: str,
    codes: Sequence[str],
    times: Ints,
    values: Mapping[str, Floats],
    properties: Sequence[Property],
    begin: int,
    days: int | None,
) -> Draft:
    midnight = int(np.flatnonzero((times + CHINA_OFFSET) % DAY == 0)[0]) + begin * 24
    part = slice(midnight, None if days is None else midnight + days * 24)
    sites = [Site(code, code, "assessment", "", 0.0, 0.0) for code in codes]
    times = times[part]
    wait = stream(1, name, "ready").integers(12 * 60, 40 * 60, (len(times), len(sites)))
    kept = {key: series[part] for key, series in values.items()}
    return Draft(
        name, "bureau", name, HOUR, 0, properties, (),
        regular(sites, times, times[:, None] + HOUR + wait, kept, properties),
    )  # fmt: skip


def _seconds(moments: Iterable[datetime]) -> Ints:
    return np.array([int(m.timestamp()) for m in moments], dtype=np.int64)


def _numbers(texts: Sequence[str]) -> Floats:
    return np.array([float(t) if t.strip() not in ("", "NA") else np.nan for t in texts])
