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
    """How one pollutant behaves; `level` µg/m³ (CO mg/m³), the rest changes its logarithm.

    `daily` are (swing, hour of the crest, times a day); `winter` the swing of the season; `spread` the standard
    deviation of the noise, most of which is remembered for some `hours`; `wind` and `wash` what a doubled wind and
    10 mm of recent rain take away; `weekend` the change on Saturday and Sunday; `target` the autocorrelation at 1 h and
    24 h and the daily swing over the mean to fit.
    """

    level: float
    daily: tuple[tuple[float, float, int], ...]
    winter: float
    spread: float
    wind: float
    wash: float
    weekend: float
    hours: float
    target: tuple[float, float, float]


# Targets: the middle of what four stations in Beijing show (`simulation.city.likeness`); coarse dust is fitted as PM10.
_HABITS = {
    "so2": _Habit(
        8.5, ((0.16, 11, 1), (0.08, 10, 2)), 0.25, 0.62, 0.20, 0.15, -0.03, 24, (0.945, 0.520, 0.42)
    ),
    "no2": _Habit(
        18.0, ((0.20, 21, 1), (0.08, 8, 2)), 0.30, 0.50, 0.20, 0.06, -0.10, 24, (0.925, 0.442, 0.48)
    ),
    "co": _Habit(
        0.70, ((0.11, 23, 1), (0.06, 9, 2)), 0.25, 0.55, 0.15, 0.08, -0.04, 24, (0.943, 0.432, 0.35)
    ),
    "o3": _Habit(
        58.0, ((0.60, 15.5, 1), (0.12, 15, 2)), -0.10, 0.55, -0.05, 0.10, 0.03, 24, (0.9535, 0.695, 1.31)
    ),
    "pm2_5": _Habit(
        30.0, ((0.08, 22, 1), (0.03, 9, 2)), 0.38, 0.66, 0.05, 0.08, -0.01, 20, (0.9655, 0.399, 0.25)
    ),
    "coarse": _Habit(
        27.0, ((0.20, 20, 1), (0.08, 9, 2)), 0.10, 0.75, -0.05, 0.40, -0.05, 9, (0.9355, 0.354, 0.38)
    ),
}
_ROUNDS, _DRAWS = 20, 6
_NEAR = np.array((0.0035, 0.0045, 0.02))  # of autocorrelation at 1 h, at 24 h, and of the daily swing
_TOGETHER = 0.3  # share of the noise that all pollutants but ozone have in common: air that stands still


# Factor on the level by type of station and pollutant (the last for the coarse dust); ozone is eaten near traffic.
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
    place = kilometres(stations)
    still = shared_memory(stream(seed, "air", "still"), place, len(times), [(1.06, 20), (-0.06, 2)], 60, 0.1)
    fit = slice(max(0, min(int(np.searchsorted(times, events_from)), len(times) - 2880)), len(times))
    found: dict[str, Floats] = {}
    for name in _HABITS:
        shown = "pm10" if name == "coarse" else name
        fine = found["pm2_5"] if name == "coarse" else np.zeros(1)
        instrument = stream(seed, "air", name, "instrument").normal(1, 0.01, calm.shape)
        over = (1 + raised[shown]) * instrument
        tries = []
        for draw in range(_DRAWS):
            parts = _parts(name, times, stations, seed, draw, still, calm, washed)
            tries.append(_fitted(parts, hour_of_day(times), fine, over, fit))
            if tries[-1][0] <= 1:
                break
        found[shown] = min(tries, key=lambda attempt: attempt[0])[1]
    # Coarse dust holds the fine; two instruments measure, so now and then the part is the greater.
    return Air(times, {p: found[p] for p in POLLUTANTS}, plumes, reached)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The logarithm of a pollutant, taken apart; hours × stations but for the `cycle`, which is the same everywhere."""

    habit: _Habit
    steady: Floats
    cycle: Floats
    quick: Floats
    day: Floats
    slow: Floats

    def mixed(self, quick: float, slow: float, pace: float, part: slice) -> Floats:
        """Concentrations with these shares of quick and of slow memory and so much of the daily cycle."""
        rest = 1 - quick - slow
        noise = (
            np.sqrt(quick) * self.quick[part]
            + np.sqrt(rest) * self.day[part]
            + np.sqrt(slow) * self.slow[part]
        )
        share = np.sqrt(1 - _TOGETHER) if self.habit is not _HABITS["o3"] else 1.0
        found: Floats = np.exp(
            self.steady[part] + pace * self.cycle[part] + self.habit.spread * share * noise
        )
        return found


def _parts(
    name: str, times: Ints, stations: Sequence[Site], seed: int, draw: int, still: Floats, calm: Floats,
    washed: Floats,
) -> _Parts:  # fmt: skip
    habit, clock, place = _HABITS[name], hour_of_day(times)[:, None], kilometres(stations)
    column = POLLUTANTS.index("pm10" if name == "coarse" else name)
    factor = np.array([_PLACES[s.kind][column] for s in stations])
    own = np.exp(stream(seed, "air", name, "place").normal(0, 0.08, len(stations)))
    steady = (
        np.log(habit.level * factor * own) + habit.winter * season(times, 15)[:, None]
        + habit.weekend * (weekday(times) >= 5)[:, None] - habit.spread**2 / 2
        - habit.wind * calm - habit.wash * washed
    )  # fmt: skip
    if name != "o3":
        steady += habit.spread * np.sqrt(_TOGETHER) * still
    cycle = sum(
        (swing * np.cos((clock - crest) * np.pi * turns / 12) for swing, crest, turns in habit.daily),
        start=np.zeros(1),
    )

    def noise(of: str, terms: list[tuple[float, float]], alone: float) -> Floats:
        return shared_memory(stream(seed, "air", name, of, f"{draw}"), place, len(times), terms, 60, alone)

    return _Parts(
        habit,
        steady,
        cycle,
        noise("quick", [(1.0, 1.5)], 0.5),
        noise("day", [(1.07, habit.hours), (-0.07, 2)], 0.1),  # the second term rounds off its edges
        noise("slow", [(1.0, 120)], 0.1),
    )


def _fitted(parts: _Parts, clock: Ints, under: Floats, over: Floats, part: slice) -> tuple[float, Floats]:
    """Concentrations whose likeness over a part of the time is the target's, and how far from it they stayed.

    `under` is added (fine dust under the coarse), `over` multiplied (plumes, instruments). Up to 1 is near enough; a
    draw that stays farther away is too odd to be fitted.
    """
    quick, slow, pace = 0.08, 0.25, 1.0
    hour, day, swing = parts.habit.target
    below = under[part] if len(under) > 1 else under
    away = np.inf
    for _ in range(_ROUNDS):
        found = likeness((below + parts.mixed(quick, slow, pace, part)) * over[part], clock[part])
        away = float(np.max(np.abs(np.array(found) - parts.habit.target) / _NEAR))
        if away < 0.3:
            break
        quick = float(np.clip(quick + 0.8 * (found[0] - hour), 0, 0.5))
        slow = float(np.clip(slow + 1.2 * (day - found[1]), 0, 0.95 - quick))
        pace = float(np.clip(pace * (swing / found[2]) ** 0.8, 0.2, 3))
    return away, (under + parts.mixed(quick, slow, pace, slice(None))) * over


def likeness(values: Floats, clock: Ints) -> tuple[float, float, float]:
    """Mean over stations of the autocorrelation at 1 h and at 24 h, and of the daily swing over the mean.

    The swing is that of the mean by hour of the day. `values` are hours × stations, `clock` the hours of the day.
    """
    hour, day = (float(_correlation(values[:-lag], values[lag:]).mean()) for lag in (1, 24))
    order = np.argsort(clock, kind="stable")
    first = np.searchsorted(clock[order], np.arange(24))
    by_hour = np.add.reduceat(values[order], first, axis=0) / np.bincount(clock, minlength=24)[:, None]
    swing = float(((by_hour.max(axis=0) - by_hour.min(axis=0)) / values.mean(axis=0)).mean())
    return hour, day, swing


def _correlation(before: Floats, after: Floats) -> Floats:
    before, after = before - before.mean(axis=0), after - after.mean(axis=0)
    found: Floats = (before * after).mean(axis=0) / (before.std(axis=0) * after.std(axis=0))
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
