"""Air over the stations, hour by hour: level, season, week, day, memory, wind and rain, and plumes that drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.city.nature.weather import Weather, places_of, soaked
from simulation.city.places.geography import TOWNSHIPS, Site, kilometres
from simulation.city.streams import Floats, Ints, shared_memory, stream
from simulation.city.window import DAY, HOUR, hour_of_day, season, weekday

POLLUTANTS = ("so2", "no2", "co", "o3", "pm10", "pm2_5")


@dataclass(frozen=True, slots=True)
class _Habit:
    """How one pollutant behaves; `level` µg/m³ (CO mg/m³), logarithmic everywhere else.

    `daily` are (swing, hour of the crest, times a day); `winter` the swing of the season; `memory` the terms of the
    noise with `spread`; `wind` and `wash` what wind (doubling) and rain (10 mm lately) take away; `weekend` the change.
    """

    level: float
    daily: tuple[tuple[float, float, int], ...]
    winter: float
    spread: float
    memory: tuple[tuple[float, float], ...]
    wind: float
    wash: float
    weekend: float


_HABITS = {
    "so2": _Habit(9, ((0.16, 11, 1), (0.08, 10, 2)), 0.25, 0.62, ((0.12, 3), (0.40, 24), (0.48, 90)), 0.2, 0.15, -0.03),
    "no2": _Habit(19, ((0.22, 21, 1), (0.08, 8, 2)), 0.30, 0.50, ((0.25, 5), (0.40, 22), (0.35, 70)), 0.25, 0.06, -0.10),
    "co": _Habit(0.72, ((0.14, 23, 1), (0.07, 9, 2)), 0.25, 0.55, ((0.14, 3), (0.50, 24), (0.36, 60)), 0.2, 0.08, -0.04),
    "o3": _Habit(58, ((0.72, 15.5, 1), (0.12, 15, 2)), -0.10, 0.42, ((0.10, 4), (0.40, 40), (0.50, 130)), -0.05, 0.10, 0.03),
    "pm10": _Habit(50, ((0.14, 21, 1), (0.05, 9, 2)), 0.32, 0.62, ((0.16, 3), (0.62, 24), (0.22, 60)), 0.12, 0.45, -0.02),
    "pm2_5": _Habit(30, ((0.11, 22, 1), (0.03, 9, 2)), 0.38, 0.68, ((0.06, 4), (0.74, 26), (0.20, 60)), 0.15, 0.35, -0.01),
}  # fmt: skip

# Factor on the level by type of station and pollutant; ozone is eaten near traffic.
_PLACES = {
    "assessment": (1.0, 1.15, 1.05, 0.95, 1.05, 1.05),
    "reference": (0.7, 0.55, 0.8, 1.15, 0.75, 0.78),
    "background": (0.5, 0.35, 0.65, 1.25, 0.55, 0.6),
    "regional": (0.8, 0.7, 0.85, 1.1, 0.9, 0.95),
    "traffic": (1.05, 1.8, 1.5, 0.75, 1.25, 1.12),
    "source_oriented": (1.9, 1.35, 1.15, 0.9, 1.35, 1.15),
    "township": (0.9, 0.8, 0.95, 1.05, 0.95, 0.97),
}


@dataclass(frozen=True, slots=True)
class Plume:
    """A cloud that drifts with the wind from a township: `strength` is the factor it adds in its middle at first."""

    number: int
    begin: int
    township: int
    strength: float
    width_km: float
    hours: int
    pollutants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Air:
    """Hourly means by pollutant, hours × stations: µg/m³, CO mg/m³; plumes and where their middles were.

    `reached` are (plume, station number, first hour, last hour) of what a plume raised by a quarter or more.
    """

    times: Ints
    values: dict[str, Floats]
    plumes: tuple[Plume, ...]
    reached: tuple[tuple[Plume, int, int, int], ...]


def air(weather: Weather, stations: Sequence[Site], seed: int, events_from: int) -> Air:
    """Invent the air of the weather's hours; plumes begin at `events_from` (seconds since 1970) or later."""
    times = weather.times
    here = places_of(tuple(stations))
    calm = np.log(np.maximum(weather.speed[:, here], 0.3) / 1.8)
    washed = np.minimum(soaked(weather.rain, 8)[:, here] / 10, 1.5)
    raised, plumes, reached = _drifting(weather, stations, seed, events_from)
    return Air(
        times,
        {
            p: _field(p, times, stations, seed, calm, washed) * (1 + raised[p])
            for p in POLLUTANTS
        },
        plumes,
        reached,
    )  # fmt: skip


def _field(
    name: str, times: Ints, stations: Sequence[Site], seed: int, calm: Floats, washed: Floats
) -> Floats:
    habit, clock = _HABITS[name], hour_of_day(times)[:, None]
    place = np.array([_PLACES[s.kind][POLLUTANTS.index(name)] for s in stations])
    own = np.exp(stream(seed, "air", name, "place").normal(0, 0.08, len(stations)))
    cycle = sum(swing * np.cos((clock - crest) * np.pi * turns / 12) for swing, crest, turns in habit.daily)
    noise = shared_memory(
        stream(seed, "air", name), kilometres(stations), len(times), habit.memory, reach=45, own=0.15
    )
    log = (
        np.log(habit.level * place * own) + cycle + habit.winter * season(times, 15)[:, None]
        + habit.weekend * (weekday(times) >= 5)[:, None] + habit.spread * noise - habit.spread**2 / 2
        - habit.wind * calm - habit.wash * washed
    )  # fmt: skip
    found: Floats = np.exp(log)
    return found


def _drifting(
    weather: Weather, stations: Sequence[Site], seed: int, events_from: int
) -> tuple[dict[str, Floats], tuple[Plume, ...], tuple[tuple[Plume, int, int, int], ...]]:
    rng, times = stream(seed, "air", "plumes"), weather.times
    raised = {p: np.zeros((len(times), len(stations))) for p in POLLUTANTS}
    first, last = int(np.searchsorted(times, events_from)), len(times) - 48
    if last <= first:
        return raised, (), ()
    count = max(1, round((last - first) * HOUR / (12 * DAY)))
    edges = np.linspace(first, last, count + 1)
    positions, seats = kilometres(stations), _seats()
    plumes, reached = [], []
    for number in range(count):
        plume = Plume(
            number + 1,
            int(times[int(rng.uniform(edges[number], edges[number + 1]))]),
            int(rng.integers(len(TOWNSHIPS))),
            round(float(rng.uniform(1.8, 3.5)), 2),
            round(float(rng.uniform(4, 8)), 1),
            int(rng.integers(10, 24)),
            (("pm10", "pm2_5", "co"), ("so2", "pm2_5"), ("pm10",))[int(rng.integers(3))],
        )
        plumes.append(plume)
        factor = _pass(plume, weather, positions, seats)
        begin = int(np.searchsorted(times, plume.begin))
        for pollutant in plume.pollutants:
            raised[pollutant][begin : begin + plume.hours] += factor
        for station in np.flatnonzero((factor > 0.25).any(axis=0)):
            hours = begin + np.flatnonzero(factor[:, station] > 0.25)
            reached.append((plume, int(station), int(times[hours[0]]), int(times[hours[-1]]) + HOUR))
    return raised, tuple(plumes), tuple(reached)


def _pass(plume: Plume, weather: Weather, positions: Floats, seats: Floats) -> Floats:
    """Factor added by a plume, its hours × stations; it drifts with the wind over its township and fades."""
    begin = int(np.searchsorted(weather.times, plume.begin))
    hours = slice(begin, begin + plume.hours)
    wind = np.stack((weather.east[hours, plume.township], weather.north[hours, plume.township]), axis=1)
    middle = seats[plume.township] + np.cumsum(wind * HOUR / 1000, axis=0) - wind * HOUR / 1000
    distance = np.linalg.norm(positions[None] - middle[:, None], axis=2)
    age = np.arange(plume.hours)[:, None]
    width = plume.width_km + 0.3 * age
    found: Floats = plume.strength * np.exp(-((distance / width) ** 2) / 2 - age / plume.hours)
    return found


def _seats() -> Floats:
    return kilometres([Site(t.code, t.name, "", t.code, t.longitude, t.latitude) for t in TOWNSHIPS])
