"""The hourly air quality index by HJ 633, twice: with fractions for few values, with integers for millions.

Both are independent of the warehouse's own computation, which is judged against what the stand-in reports.
Concentrations are in µg/m³, CO in tenths of mg/m³, all integers, so nothing is rounded but the index (up).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

EDITION_2026 = date(2026, 3, 1)
IAQI = (0, 50, 100, 150, 200, 300, 400, 500)
# In the order in which the national feed names several primary pollutants.
LABELS = {
    "so2": "二氧化硫",
    "no2": "二氧化氮",
    "co": "一氧化碳",
    "pm10": "颗粒物(PM10)",
    "pm2_5": "细颗粒物(PM2.5)",
    "o3": "臭氧1小时",
}
LEVELS = ((50, "优"), (100, "良"), (150, "轻度污染"), (200, "中度污染"), (300, "重度污染"))
WORST = "严重污染"
MISSING = "—"

_COMMON = {
    "so2": (0, 150, 500, 650, 800),
    "no2": (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    "co": (0, 50, 100, 350, 600, 900, 1200, 1500),
    "o3": (0, 160, 200, 300, 400, 800, 1000, 1200),
}
BREAKPOINTS = {
    2012: {
        **_COMMON,
        "pm10": (0, 50, 150, 250, 350, 420, 500, 600),
        "pm2_5": (0, 35, 75, 115, 150, 250, 350, 500),
    },
    2026: {
        **_COMMON,
        "pm10": (0, 50, 120, 250, 350, 420, 500, 600),
        "pm2_5": (0, 35, 60, 115, 150, 250, 350, 500),
    },
}

Ints = np.ndarray[Any, np.dtype[np.int64]]


def edition(day: date) -> int:
    """The edition in force on a day."""
    return 2026 if day >= EDITION_2026 else 2012


def iaqi(pollutant: str, value: int | Fraction, year: int) -> int | None:
    """The index of one pollutant; None where the edition computes none (SO2 above 800 before 2026)."""
    points = BREAKPOINTS[year][pollutant]
    if value > points[-1]:
        if pollutant == "so2":
            return 200 if year == 2026 else None
        return 500
    for low, high, index_low, index_high in zip(points, points[1:], IAQI, IAQI[1:], strict=False):
        if value <= high:
            return ceil(Fraction(index_high - index_low) * (Fraction(value) - low) / (high - low) + index_low)
    raise AssertionError("a value is either in a segment or above the last")


def hourly(values: Mapping[str, int | None], day: date) -> tuple[str, str, str]:
    """Index, primary pollutants and category as the feed reports them, `—` for none."""
    year = edition(day)
    found = {p: iaqi(p, v, year) for p in LABELS if (v := values.get(p)) is not None}
    indices = {p: i for p, i in found.items() if i is not None}
    if not indices:
        return MISSING, MISSING, MISSING
    index = max(indices.values())
    if year == 2026 and len(found) < len(LABELS) and index <= 100:
        return (
            MISSING,
            MISSING,
            MISSING,
        )  # 5.3.1: with a planned pollutant missing the rest counts only above 100
    primary = ",".join(LABELS[p] for p, i in indices.items() if i == index) if index > 50 else MISSING
    category = next((name for most, name in LEVELS if index <= most), WORST)
    return str(index), primary, category


def iaqi_many(pollutant: str, values: Ints, year: int) -> Ints:
    """The index of one pollutant for many values; -1 for a missing value (negative) or where none is."""
    points = np.array(BREAKPOINTS[year][pollutant], dtype=np.int64)
    scale = np.array(IAQI[: len(points)], dtype=np.int64)
    above = np.clip(np.searchsorted(points, values, side="left"), 1, len(points) - 1)
    rise = (scale[above] - scale[above - 1]) * (values - points[above - 1])
    index: Ints = scale[above - 1] - (-rise // (points[above] - points[above - 1]))
    beyond = (200 if year == 2026 else -1) if pollutant == "so2" else 500
    index = np.where(values > points[-1], beyond, index)
    return np.where(values < 0, -1, index)


def hourly_many(values: Mapping[str, Ints], year: int) -> tuple[Ints, Ints]:
    """Index (-1: none) and primary pollutants as bits in the order of `LABELS`."""
    stacked = np.stack([iaqi_many(p, values[p], year) for p in LABELS])
    index: Ints = stacked.max(axis=0)
    if year == 2026:
        missing = np.stack([values[p] < 0 for p in LABELS]).any(axis=0)
        index = np.where(missing & (index <= 100), -1, index)  # 5.3.1, as in `hourly`
    bits: Ints = np.zeros_like(index)
    for place in range(len(LABELS)):
        bits |= (stacked[place] == index).astype(np.int64) << place
    return index, np.where(index > 50, bits, 0)


def primary_text(bits: int) -> str:
    """Names of the primary pollutants behind the bits of `hourly_many`."""
    return ",".join(label for place, label in enumerate(LABELS.values()) if bits >> place & 1) or MISSING
