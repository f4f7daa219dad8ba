"""An invented network of air stations: hours with daily cycle and memory, from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np

CHINA = timezone(timedelta(hours=8))
POLLUTANTS = ("so2", "no2", "co", "o3", "pm10", "pm2_5")
Ints = np.ndarray[Any, np.dtype[np.int64]]

_TOWNS = ("桂平", "木乐", "石咀", "社坡", "罗秀", "麻垌", "西山", "南木", "江口", "金田", "紫荆", "蒙圩")
_LEVEL = {"so2": 9.0, "no2": 22.0, "co": 7.0, "o3": 70.0, "pm10": 55.0, "pm2_5": 33.0}
_PEAK = {"so2": 10, "no2": 20, "co": 8, "o3": 15, "pm10": 21, "pm2_5": 22}
_SWING = {"so2": 0.2, "no2": 0.35, "co": 0.2, "o3": 0.6, "pm10": 0.25, "pm2_5": 0.3}


@dataclass(frozen=True, slots=True)
class Station:
    """An invented station."""

    code: str
    area: str
    name: str
    longitude: str
    latitude: str


def stations(count: int, seed: int) -> list[Station]:
    """Invented stations around Guiping; codes begin with SYN, names end with （合成）."""
    rng = np.random.default_rng([seed, 1])
    places = zip(rng.uniform(109.6, 110.4, count), rng.uniform(22.9, 23.8, count), strict=True)
    return [
        Station(
            code=f"SYN{number:04d}A",
            area="合成市甲" if number % 3 else "合成市乙",
            name=f"{_TOWNS[number % len(_TOWNS)]}{number}号{'对照点' if number % 20 == 19 else ''}（合成）",
            longitude=f"{longitude:.4f}",
            latitude=f"{latitude:.4f}",
        )
        for number, (longitude, latitude) in enumerate(places)
    ]


def concentrations(count: int, hours: int, first_hour: int, seed: int) -> dict[str, Ints]:
    """Hourly means, hours × stations, µg/m³ (CO: tenths of mg/m³); -1 is missing."""
    rng = np.random.default_rng([seed, 2])
    clock = (first_hour + np.arange(hours)) % 24
    found: dict[str, Ints] = {}
    for pollutant in POLLUTANTS:
        cycle = 1 + _SWING[pollutant] * np.cos((clock - _PEAK[pollutant]) * np.pi / 12)
        place = np.exp(rng.normal(0, 0.25, count))
        memory = np.exp(0.35 * _remembering(rng, hours, count))
        values = _LEVEL[pollutant] * cycle[:, None] * place[None, :] * memory
        found[pollutant] = np.maximum(values, 1).astype(np.int64)
    # Fine dust is part of coarse dust, but two instruments measure: now and then the part is the greater.
    share = rng.uniform(0.35, 1.02, (hours, count))
    found["pm2_5"] = np.maximum((found["pm10"] * share).astype(np.int64), 1)
    for pollutant in POLLUTANTS:
        found[pollutant][rng.random((hours, count)) < 0.02] = -1
    return found


def _remembering(rng: np.random.Generator, hours: int, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    noise = rng.normal(0, 1, (hours, count))
    for hour in range(1, hours):
        noise[hour] = 0.9 * noise[hour - 1] + 0.436 * noise[hour]
    return noise


def running_mean(values: Ints, window: int) -> Ints:
    """Mean of the valid values of the last hours, rounded; -1 where fewer than three quarters are valid.

    At the beginning the window is as long as there are hours.
    """
    valid = values >= 0
    sums = np.cumsum(np.where(valid, values, 0), axis=0)
    counts = np.cumsum(valid, axis=0, dtype=np.int64)
    sums[window:] -= sums[:-window].copy()
    counts[window:] -= counts[:-window].copy()
    length = np.minimum(np.arange(1, len(values) + 1), window)[:, None]
    mean = (2 * sums + counts) // np.maximum(2 * counts, 1)
    return np.where(4 * counts >= 3 * length, mean, -1)


def running_day_maximum(values: Ints, first_hour: int) -> Ints:
    """Greatest value since the day began (the hour that ends at 01:00 is a day's first)."""
    found = values.copy()
    for row in range(1, len(values)):
        if (first_hour + row) % 24 != 1:
            found[row] = np.maximum(found[row], found[row - 1])
    return found


def columns(values: dict[str, Ints], first_hour: int) -> dict[str, Ints]:
    """The feed's columns; its names for ozone mislead, and so do these."""
    mean8 = running_mean(values["o3"], 8)
    return {
        "so2": values["so2"],
        "no2": values["no2"],
        "co": values["co"],
        "o3_24h": values["o3"],
        "o3": running_day_maximum(values["o3"], first_hour),
        "o3_8h_24h": mean8,
        "o3_8h": running_day_maximum(mean8, first_hour),
        "pm10": values["pm10"],
        "pm2_5": values["pm2_5"],
        **{f"{p}_24h": running_mean(values[p], 24) for p in ("so2", "no2", "co", "pm10", "pm2_5")},
    }


def label(start: datetime, hour: int) -> datetime:
    """The label of the hour that is `hour` hours after the first label."""
    return start + timedelta(hours=hour)
