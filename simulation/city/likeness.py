"""How like the city's air is to that of real stations: daily swing, autocorrelation, share of missing.

The ranges are the least and the greatest of four stations in Beijing (Aotizhongxin, Changping, Dongsi, Huairou), each
over all of 2013-03-01 to 2017-02-28: UCI "Beijing Multi-Site Air-Quality Data" (PRSA). They are figures computed from
those files, outward to the last digit shown; a test computes them again wherever the files lie beside the clone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.city.city import City
from simulation.city.departments.ecology_air import PROPERTIES
from simulation.city.nature.air import likeness
from simulation.city.places.air import STATIONS
from simulation.city.streams import Floats
from simulation.city.window import hour_of_day

MEASURES = ("autocorrelation_1h", "autocorrelation_24h", "daily_swing", "missing")
BEIJING: dict[str, tuple[tuple[float, float], ...]] = {
    "so2": ((0.928, 0.962), (0.479, 0.565), (0.21, 0.84), (0.0179, 0.028)),
    "no2": ((0.907, 0.944), (0.422, 0.461), (0.35, 0.61), (0.019, 0.0468)),
    "co": ((0.932, 0.953), (0.393, 0.471), (0.32, 0.38), (0.0405, 0.0912)),
    "o3": ((0.948, 0.959), (0.656, 0.734), (1.21, 1.42), (0.0172, 0.0491)),
    "pm10": ((0.923, 0.947), (0.345, 0.362), (0.28, 0.51), (0.0157, 0.0222)),
    "pm2_5": ((0.961, 0.971), (0.394, 0.404), (0.19, 0.31), (0.0213, 0.0272)),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of one property: the city's value and the range of the real stations."""

    of: str
    measure: str
    value: float
    least: float
    greatest: float

    @property
    def inside(self) -> bool:
        """Whether the value lies in the range."""
        return self.least <= self.value <= self.greatest


def measured(city: City) -> list[Measured]:
    """The measures of `air_station_hour` over the detail.

    Swing and autocorrelations are means over stations of the clean series, as the feed rounds them; the share of
    missing is that of the delivered rows: hours of a station that came as null, as sentinel or not at all.
    """
    feed = city.feed("air_station_hour")
    clean = feed.draft.clean
    times = clean.time[:: len(STATIONS)]
    delivered = feed.standing()
    found = []
    for of in PROPERTIES:
        series = clean.values[of.name].reshape(-1, len(STATIONS))
        lost = float(np.mean(np.isnan(delivered[of.name]) | (delivered[of.name] == of.sentinel)))
        values = (*likeness(series, hour_of_day(times)), lost)
        found += [
            Measured(of.name, measure, value, *limits)
            for measure, value, limits in zip(MEASURES, values, BEIJING[of.name], strict=True)
        ]
    return found


def of_station(values: Floats, first_hour: int) -> tuple[float, float, float, float]:
    """The same measures of one real station: hourly values from an hour of the day on, NaN where missing."""
    known = ~np.isnan(values)

    def correlation(lag: int) -> float:
        both = known[:-lag] & known[lag:]
        return float(np.corrcoef(values[:-lag][both], values[lag:][both])[0, 1])

    clock = (first_hour + np.arange(len(values))) % 24
    by_hour = [float(np.nanmean(values[clock == hour])) for hour in range(24)]
    swing = (max(by_hour) - min(by_hour)) / float(np.nanmean(values))
    return correlation(1), correlation(24), swing, float(1 - known.mean())


def _mark(row: Measured) -> str:
    return "" if row.inside else "   OUTSIDE"


def table(rows: list[Measured]) -> str:
    """The measures as lines of text, those outside marked."""
    head = f"{'property':9} {'measure':20} {'city':>8}   real stations"
    return "\n".join(
        [head]
        + [
            f"{r.of:9} {r.measure:20} {r.value:8.4f}   {r.least:.4f} to {r.greatest:.4f}{_mark(r)}"
            for r in rows
        ]
    )
