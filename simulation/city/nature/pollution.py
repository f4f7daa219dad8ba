"""What outlets and sewage works let out, and when it is more than their permit allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulation.city.nature.weather import Weather, soaked
from simulation.city.places.geography import Site
from simulation.city.streams import Floats, Ints, memory, stream
from simulation.city.window import DAY, HOUR, hour_of_day, weekday

# level, spread of the logarithm, limit of the permit (None: none); mg/L, m³/h; mg/m³ at reference oxygen, %, °C
TO_WATER: Mapping[str, tuple[float, float, float | None]] = {
    "flow": (85, 0.20, None), "ph": (7.4, 0.03, None), "cod": (46, 0.22, 100), "ammonia_nitrogen": (5.2, 0.28, 15),
    "total_phosphorus": (0.24, 0.22, 0.5), "total_nitrogen": (13, 0.20, 30),
}  # fmt: skip
TO_AIR: Mapping[str, tuple[float, float, float | None]] = {
    "gas_flow": (62000, 0.12, None), "so2": (58, 0.30, 200), "nox": (128, 0.20, 300), "dust": (9.5, 0.25, 30),
    "oxygen": (9.6, 0.06, None), "gas_temperature": (118, 0.05, None), "gas_humidity": (9.0, 0.08, None),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Excess:
    """A stretch of time in which an outlet let out more than allowed; `factor` is the mean over the limit."""

    outlet: int
    property: str
    begin: int
    end: int
    factor: float
    limit: float


@dataclass(frozen=True, slots=True)
class Discharge:
    """Hours × outlets by property, and the planted excesses in them."""

    times: Ints
    values: dict[str, Floats]
    excesses: tuple[Excess, ...]


def discharge(
    name: str, habits: Mapping[str, tuple[float, float, float | None]], outlets: Sequence[Site], times: Ints,
    seed: int, events_from: int, step: int = HOUR,
) -> Discharge:  # fmt: skip
    """Invent what outlets let out; excesses begin at `events_from` (seconds since 1970) or later."""
    rng = stream(seed, "discharge", name)
    size = np.exp(rng.normal(0, 0.35, len(outlets)))
    working = (
        1
        + 0.06 * np.cos((hour_of_day(times)[:, None] - 14) * np.pi / 12)
        - 0.05 * (weekday(times)[:, None] >= 5)
    )
    values: dict[str, Floats] = {}
    for of, (level, spread, limit) in habits.items():
        noise = memory(
            stream(seed, "discharge", name, of), len(times), len(outlets), [(0.75, 20), (0.25, 1.5)]
        )
        series = level * np.exp(spread * noise - spread**2 / 2)
        if "flow" in of:
            series = series * size * working
        if limit is not None:
            series = np.minimum(series, limit * 0.96)  # what goes over it is planted, and known
        values[of] = series
    limited = {of: limit for of, (_, _, limit) in habits.items() if limit is not None}
    excesses = tuple(_excesses(rng, limited, outlets, times, events_from, step))
    for found in excesses:
        hours = slice(*np.searchsorted(times, (found.begin, found.end)))
        wave = rng.uniform(0.9, 1.1, hours.stop - hours.start)
        values[found.property][hours, found.outlet] = np.maximum(
            found.limit * found.factor * wave, found.limit * 1.06
        )
    return Discharge(times, values, excesses)


def _excesses(
    rng: np.random.Generator,
    limited: Mapping[str, float],
    outlets: Sequence[Site],
    times: Ints,
    first: int,
    step: int,
) -> list[Excess]:
    """Two or three to an outlet in 120 days; none overlaps another."""
    found: list[Excess] = []
    last = int(times[-1]) - 40 * step
    for outlet in range(len(outlets)):
        for _ in range(max(1, round(2.5 * (last - first) / (115 * DAY))) if last > first else 0):
            of = str(rng.choice(sorted(limited)))
            begin = int(times[np.searchsorted(times, int(rng.uniform(first, last)))])
            end = begin + int(rng.integers(3, 13)) * step
            if any(e.outlet == outlet and begin - DAY < e.end and e.begin < end + DAY for e in found):
                continue
            found.append(Excess(outlet, of, begin, end, round(float(rng.uniform(1.2, 2.4)), 2), limited[of]))
    return found


def works(weather: Weather, sites: Sequence[Site], days: Ints, seed: int) -> dict[str, Floats]:
    """Sewage works by day: inflow m³, concentrations mg/L in and out, sludge t, power kWh; days × works."""
    rng, shape = stream(seed, "works"), (len(days), len(sites))
    first = int(np.searchsorted(weather.times, days[0]))
    wet = soaked(weather.rain, 30).mean(axis=1)[first::24][: len(days), None]
    design = np.array([float(s.attributes["design"]) for s in sites])

    def noise(of: str, spread: float) -> Floats:
        return np.exp(spread * memory(stream(seed, "works", of), *shape, [(0.8, 6), (0.2, 0)]))

    inflow = design * np.clip(0.74 * noise("inflow", 0.06) + 0.004 * wet, 0.4, 1.35)
    thin = np.exp(-0.006 * wet)
    cod_in, ammonia_in = 185 * thin * noise("cod_in", 0.14), 21 * thin * noise("nh3_in", 0.12)
    return {
        "inflow": inflow,
        "cod_in": cod_in,
        "ammonia_nitrogen_in": ammonia_in,
        "cod_out": np.minimum(17 * noise("cod_out", 0.2), 48),
        "ammonia_nitrogen_out": np.minimum(0.9 * noise("nh3_out", 0.45), 4.7),
        "total_nitrogen_out": np.minimum(9.5 * noise("tn_out", 0.15), 14.5),
        "total_phosphorus_out": np.minimum(0.26 * noise("tp_out", 0.22), 0.48),
        "sludge": inflow * (cod_in - 17) * 0.9e-6 / 0.2 * rng.uniform(0.9, 1.1, shape),
        "power": inflow * 0.31 * noise("power", 0.05),
    }
