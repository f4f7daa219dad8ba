"""Gamma dose rate over the stations, hour by hour; rain washes radon's daughters down, gone in two hours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulation.city.nature.weather import Weather, places_of
from simulation.city.places.geography import Site
from simulation.city.streams import Floats, memory, stream
from simulation.city.window import hour_of_day

HALF_LIFE_HOURS = 0.5


def dose_rate(weather: Weather, stations: Sequence[Site], seed: int) -> tuple[Floats, Floats]:
    """Dose rate and the part of it that rain brought, nSv/h, hours × stations."""
    here = places_of(tuple(stations))
    base = np.array([float(s.attributes["base"]) for s in stations])
    clock = hour_of_day(weather.times)[:, None]
    slow = memory(stream(seed, "radiation"), len(weather.times), len(stations), [(0.7, 60), (0.3, 4)])
    brought = np.empty((len(weather.times), len(stations)))
    before = np.zeros(len(stations))
    keep = 0.5 ** (1 / HALF_LIFE_HOURS)
    # The first rain carries most: the more has fallen, the less is left above.
    for hour, rain in enumerate(weather.rain[:, here]):
        before = before * keep + 9.0 * np.sqrt(rain)
        brought[hour] = before
    dose = base * (1 + 0.008 * np.cos((clock - 6) * np.pi / 12) + 0.012 * slow) + brought
    return dose + stream(seed, "radiation", "count").normal(0, 0.6, dose.shape), brought
