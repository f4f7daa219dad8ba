"""Weather over each township, hour by hour: warmth, wind, rain, pressure, moisture, alike where near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.city.places.geography import TOWNSHIPS, Site, kilometres
from simulation.city.streams import Floats, Ints, shared_memory, stream
from simulation.city.window import hour_of_day, season

_LAND = {"plain": 0.0, "hills": -0.8, "mountain": -2.5}  # °C against the plain


@dataclass(frozen=True, slots=True)
class Weather:
    """Hours × townships (in the order of `TOWNSHIPS`).

    Air temperature °C, relative humidity %, pressure hPa, wind m/s towards east and north, rain mm in the hour.
    """

    times: Ints
    temperature: Floats
    humidity: Floats
    pressure: Floats
    east: Floats
    north: Floats
    rain: Floats

    @property
    def speed(self) -> Floats:
        """Wind speed, m/s."""
        return np.hypot(self.east, self.north)

    @property
    def direction(self) -> Floats:
        """Where the wind comes from, degrees from north."""
        degrees: Floats = np.degrees(np.arctan2(-self.east, -self.north)) % 360
        return degrees


def places_of(sites: list[Site] | tuple[Site, ...]) -> Ints:
    """For each site the number of its township."""
    numbers = {township.code: number for number, township in enumerate(TOWNSHIPS)}
    return np.array([numbers[site.township] for site in sites], dtype=np.int64)


def weather(times: Ints, seed: int) -> Weather:
    """Invent the weather of these hours (starts, seconds since 1970)."""
    seats = kilometres([Site(t.code, t.name, "", t.code, t.longitude, t.latitude) for t in TOWNSHIPS])
    clock, summer = hour_of_day(times)[:, None], season(times, 200)[:, None]

    def noise(name: str, terms: list[tuple[float, float]], reach: float, own: float) -> Floats:
        return shared_memory(stream(seed, "weather", name), seats, len(times), terms, reach, own)

    fronts = noise("rain", [(0.55, 6), (0.45, 40)], 60, 0.06)
    wet = np.maximum(fronts - (1.55 - 0.25 * summer), 0)
    rain = np.round(9 * wet**1.6 * (1 + 0.5 * summer), 1)
    cloud = np.clip(fronts - 0.3, 0, 2)
    sun = np.cos((clock - 15) * np.pi / 12)
    lower = np.array([_LAND[t.land] for t in TOWNSHIPS])
    temperature = (
        22 + 7.5 * summer + (3.8 - 1.2 * cloud) * sun + lower - 1.2 * cloud
        + 2.3 * noise("warmth", [(0.9, 70), (0.1, 4)], 150, 0.02)
    )  # fmt: skip
    humidity = np.clip(
        78 - 11 * sun + 9 * cloud + 12 * (rain > 0) + 6 * noise("moisture", [(1, 20)], 80, 0.1), 18, 100
    )
    pressure = (
        1007
        - 7.5 * summer
        + 1.1 * np.cos((clock - 10) * np.pi / 6)
        + 3.5 * noise("pressure", [(1, 70)], 400, 0.002)
    )
    breeze = 1 + 0.35 * np.cos((clock - 15) * np.pi / 12)
    east = breeze * (-0.5 + 1.3 * noise("east", [(0.8, 18), (0.2, 2)], 60, 0.12))
    north = breeze * (0.9 * summer - 0.4 + 1.6 * noise("north", [(0.8, 22), (0.2, 2)], 60, 0.12))
    return Weather(times, temperature, humidity, pressure, east, north, rain)


def soaked(rain: Floats, memory_hours: float) -> Floats:
    """Rain of the hours before, fading with a time constant; mm, same shape."""
    found = np.empty_like(rain)
    keep = float(np.exp(-1 / memory_hours))
    before = np.zeros(rain.shape[1:])
    for hour, fallen in enumerate(rain):
        before = before * keep + fallen
        found[hour] = before
    return found
