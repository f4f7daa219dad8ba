"""Noise at the meters, hour by hour: loud days, quiet nights, weeks, rain; minutes with the same energy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulation.city.nature.weather import Weather, places_of
from simulation.city.places.geography import Site
from simulation.city.streams import Floats, Ints, memory, stream
from simulation.city.window import hour_of_day, weekday

# dB(A) by day, and how much quieter the depth of the night is, by zone of GB 3096
_BY_DAY = {
    "0": (47.0, 7.5),
    "1": (52.0, 8.5),
    "2": (56.5, 8.0),
    "3": (60.5, 6.5),
    "4a": (66.5, 7.0),
    "4b": (65.5, 4.5),
}


def levels(weather: Weather, meters: Sequence[Site], seed: int) -> dict[str, Floats]:
    """Leq, L10, L50, L90, Lmax, Lmin in dB(A), hours × meters."""
    times, here = weather.times, places_of(tuple(meters))
    clock = hour_of_day(times)[:, None]
    day = np.array([_BY_DAY[str(m.attributes["zone"])][0] for m in meters])
    drop = np.array([_BY_DAY[str(m.attributes["zone"])][1] for m in meters])
    place = stream(seed, "noise", "place").normal(0, 1.2, len(meters))
    quiet = 1 / (1 + np.exp(-(np.abs((clock - 2.5 + 12) % 24 - 12) * -1 + 4.5) / 0.9))
    rush = 1.3 * (np.exp(-(((clock - 7.5) / 1.5) ** 2)) + np.exp(-(((clock - 18) / 1.8) ** 2)))
    own = memory(stream(seed, "noise", "memory"), len(times), len(meters), [(0.5, 2), (0.3, 30), (0.2, 0)])
    leq = (
        day + place - drop * quiet + rush * (weekday(times)[:, None] < 5) - 0.8 * (weekday(times)[:, None] == 6)
        + 1.3 * own + np.minimum(2.2 * np.log1p(weather.rain[:, here]), 7)
    )  # fmt: skip
    spread = stream(seed, "noise", "spread").gamma(9, 0.35, leq.shape)
    return {
        "leq": leq,
        "l10": leq + 0.75 * spread,
        "l50": leq - 0.65 * spread,
        "l90": leq - 1.7 * spread,
        "lmax": leq + 9 + 2.2 * spread,
        "lmin": leq - 2.6 * spread,
    }


def minutes(leq: Floats, rng: np.random.Generator) -> Floats:
    """Leq of the 60 minutes of each hour, hours × 60 × meters; their energy is that of the hour."""
    wander = rng.normal(0, 1, (*leq.shape[:1], 60, *leq.shape[1:]))
    wander = 2.2 * (0.7 * wander + 0.7 * np.roll(wander, 1, axis=1))
    energy = 10 * np.log10((10 ** (wander / 10)).mean(axis=1, keepdims=True))
    found: Floats = leq[:, None] + wander - energy
    return found


def minute_starts(hours: Ints) -> Ints:
    """Starts of all minutes of these hours, seconds since 1970."""
    found: Ints = (hours[:, None] + 60 * np.arange(60)).ravel()
    return found
