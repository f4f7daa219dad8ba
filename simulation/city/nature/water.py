"""What is in the river water, hour by hour: diluted, mixed at the confluence by flow, with spills that travel."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulation.city.nature.rivers import WATER_KM_PER_HOUR, Rivers, delayed
from simulation.city.nature.weather import Weather
from simulation.city.places.geography import RIVERS, course_length
from simulation.city.streams import Floats, memory, stream
from simulation.city.window import DAY, HOUR, hour_of_day

# mg/L, conductivity uS/cm, turbidity NTU, chlorophyll mg/m³
CARRIED = (
    "conductivity",
    "turbidity",
    "codmn",
    "ammonia_nitrogen",
    "total_phosphorus",
    "total_nitrogen",
    "chlorophyll_a",
)
_LEVELS = {
    "qian": (265, 22, 1.40, 0.060, 0.045, 1.6, 2.2), "yu": (290, 28, 1.95, 0.140, 0.075, 2.2, 3.0),
    "bei": (420, 18, 4.70, 0.900, 0.180, 4.4, 9.0), "nanlu": (380, 35, 5.20, 1.050, 0.220, 4.9, 8.0),
}  # fmt: skip
_DILUTION = (-0.30, 0.85, 0.05, -0.20, 0.10, -0.10, -0.45)  # exponent of flow over mean flow
_SPREAD = (0.06, 0.25, 0.14, 0.30, 0.16, 0.12, 0.30)
_SPILLED = {"ammonia_nitrogen": 1.0, "codmn": 0.6, "total_phosphorus": 0.5, "conductivity": 0.15}


@dataclass(frozen=True, slots=True)
class Spill:
    """Something let into a river at a share of its course; `strength` in multiples of the usual ammonia there."""

    number: int
    river: str
    share: float
    begin: int
    strength: float
    hours: float


@dataclass(frozen=True)
class Water:
    """Concentrations anywhere on the rivers."""

    weather: Weather
    rivers: Rivers
    seed: int
    spills: tuple[Spill, ...]
    _known: dict[tuple[str, float], dict[str, Floats]] = field(default_factory=dict)

    def at(self, river: str, share: float) -> dict[str, Floats]:
        """Hours of every property at a share of a course.

        Temperature °C, pH, dissolved oxygen mg/L, and the carried ones (see `CARRIED`).
        """
        if (river, share) not in self._known:
            carried = self._mixed(share) if river == "xun" else self._carried(river, share)
            self._known[river, share] = {**carried, **self._living(river, share, carried)}
        return self._known[river, share]

    def _carried(self, river: str, share: float) -> dict[str, Floats]:
        times = self.rivers.times
        lag = course_length(river) * share / WATER_KM_PER_HOUR
        flow = self.rivers.flow(river, share) / RIVERS[river].mean_flow
        found = {}
        for number, name in enumerate(CARRIED):
            noise = memory(stream(self.seed, "water", river, name), len(times), 1, [(0.85, 160), (0.15, 12)])
            own = memory(stream(self.seed, "water", river, name, f"{share}"), len(times), 1, [(1, 20)])
            log = (
                _DILUTION[number] * np.log(flow)
                + _SPREAD[number] * (0.93 * delayed(noise[:, 0], lag) + 0.25 * own[:, 0])
                + 0.12 * share
            )
            found[name] = _LEVELS[river][number] * np.exp(log) + self._spilled(river, share, name)
        return found

    def _mixed(self, share: float) -> dict[str, Floats]:
        """The Xunjiang: both rivers' loads over both flows, some hours later."""
        ends = {river: self.at(river, 1.0) for river in ("qian", "yu")}
        flows = {river: self.rivers.flow(river, 1.0) for river in ends}
        lag = course_length("xun") * share / WATER_KM_PER_HOUR
        found = {}
        for number, name in enumerate(CARRIED):
            load = sum((flows[r] * ends[r][name] for r in ends), start=np.zeros(len(self.rivers.times)))
            own = memory(stream(self.seed, "water", "xun", name, f"{share}"), len(load), 1, [(1, 20)])[:, 0]
            mixed = delayed(load / (flows["qian"] + flows["yu"]), lag)
            found[name] = mixed * np.exp(0.25 * _SPREAD[number] * own + 0.06 * share)
            found[name] += self._spilled("xun", share, name)
        return found

    def _living(self, river: str, share: float, carried: dict[str, Floats]) -> dict[str, Floats]:
        times, clock = self.rivers.times, hour_of_day(self.rivers.times)
        own = memory(
            stream(self.seed, "water", river, "living", f"{share}"), len(times), 3, [(0.8, 60), (0.2, 6)]
        )
        warm = self.weather.temperature.mean(axis=1)
        temperature = (
            0.85 * smoothed(warm, 100) + 3.2 + 0.4 * np.cos((clock - 16) * np.pi / 12) + 0.25 * own[:, 0]
        )
        light = np.cos((clock - 15) * np.pi / 12)
        burden = np.clip(carried["codmn"] / 14 + carried["ammonia_nitrogen"] / 9, 0, 0.75)
        saturation = 468 / (31.6 + temperature)
        oxygen = saturation * np.clip(0.99 - burden + 0.025 * light + 0.035 * own[:, 1], 0.05, 1.4)
        acidity = 7.65 + 0.06 * light + 0.10 * own[:, 2] - 0.25 * burden
        return {"water_temperature": temperature, "ph": acidity, "dissolved_oxygen": oxygen}

    def _spilled(self, river: str, share: float, name: str) -> Floats:
        found = np.zeros(len(self.rivers.times))
        if name not in _SPILLED:
            return found
        for spill in self.spills:
            if spill.river == river and spill.share <= share:
                usual = (
                    _LEVELS[river][CARRIED.index(name)]
                    if river != "xun"
                    else _LEVELS["yu"][CARRIED.index(name)]
                )
                found += usual * spill.strength * _SPILLED[name] * pulse(spill, share, self.rivers.times)
        return found

    def passages(self, river: str, share: float) -> list[tuple[Spill, int, int]]:
        """Spills that pass a place, and from when to when (seconds since 1970)."""
        found = []
        for spill in self.spills:
            here = spill.river == river and spill.share <= share
            if not here and not (river == "xun" and spill.river in ("qian", "yu")):
                continue
            last = share if here else 1.0
            more = 0.0 if here else course_length("xun") * share / WATER_KM_PER_HOUR
            middle, width = _course_of(spill, last)
            begin, end = (spill.begin + int((middle + more + side * 2.5 * width) * HOUR) for side in (-1, 1))
            found.append((spill, begin, end))
        return found


def water(weather: Weather, rivers: Rivers, seed: int, events_from: int) -> Water:
    """Invent the water of the rivers; spills begin at `events_from` (seconds since 1970) or later."""
    rng = stream(seed, "water", "spills")
    last = int(rivers.times[-1]) - 5 * DAY
    count = max(1, round((last - events_from) / (15 * DAY))) if last > events_from else 0
    edges = np.linspace(events_from, last, count + 1)
    spills = tuple(
        Spill(
            number + 1,
            ("yu", "qian", "xun", "nanlu", "yu", "bei")[number % 6],
            round(float(rng.uniform(0.02, 0.35)), 3),
            int(rng.uniform(edges[number], edges[number + 1])) // HOUR * HOUR,
            round(float(rng.uniform(8, 20)), 1),
            round(float(rng.uniform(5, 9)), 1),
        )
        for number in range(count)
    )
    return Water(weather, rivers, seed, spills)


def _course_of(spill: Spill, share: float) -> tuple[float, float]:
    """When a spill's middle passes a share of its river, hours after it began, and its width in hours."""
    travel = course_length(spill.river) * (share - spill.share) / WATER_KM_PER_HOUR
    return travel + 2.5 * spill.hours, spill.hours + 0.1 * travel


def pulse(spill: Spill, share: float, times: Floats) -> Floats:
    """A spill as it passes a share of its own river: 1 at the top of its source, wider and lower downstream."""
    middle, width = _course_of(spill, share)
    hours = (times - spill.begin) / HOUR
    found: Floats = (spill.hours / width) * np.exp(-(((hours - middle) / width) ** 2) / 2)
    return found


def smoothed(series: Floats, memory_hours: float) -> Floats:
    """A running mean that forgets with a time constant."""
    found, before = np.empty_like(series), series[:240].mean()
    keep = float(np.exp(-1 / memory_hours))
    for hour, value in enumerate(series):
        before = keep * before + (1 - keep) * value
        found[hour] = before
    return found
