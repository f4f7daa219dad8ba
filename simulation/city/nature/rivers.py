"""Flow in the rivers, hour by hour: what comes in at the top arrives at the confluence, and goes on as the Xunjiang."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.city.nature.weather import Weather, soaked
from simulation.city.places.geography import RIVERS, course_length
from simulation.city.streams import Floats, Ints, memory, stream
from simulation.city.window import HOUR, hour_of_day, season

WAVE_KM_PER_HOUR = 7.5  # how fast a change of flow runs down; water itself is slower
WATER_KM_PER_HOUR = 3.2
DAM_SHARE = 0.55
_POOL_FULL = 61.0  # m, normal level
_POOL_M3_PER_M = 7.5e7


@dataclass(frozen=True, slots=True)
class Rivers:
    """Flows at the top of each course, hours, m³/s; for the Qianjiang those into and out of the reservoir too.

    `pool_level` m, `inflow` and `outflow` of the reservoir m³/s.
    """

    times: Ints
    top: dict[str, Floats]
    inflow: Floats
    outflow: Floats
    pool_level: Floats

    def flow(self, river: str, share: float) -> Floats:
        """Flow at a share of a river's course, m³/s, hours."""
        if river == "xun":
            arriving = self.flow("qian", 1.0) + self.flow("yu", 1.0)
            return delayed(arriving, travel_hours("xun", share))
        if river == "qian" and share > DAM_SHARE:
            return delayed(self.outflow, travel_hours("qian", share - DAM_SHARE))
        return delayed(self.top[river], travel_hours(river, share))

    def level(self, river: str, share: float) -> Floats:
        """Water level by a rating curve, m above the datum; above the dam it is the pool's."""
        if river == "qian" and share <= DAM_SHARE:
            slope: Floats = self.pool_level + 2.5 * (DAM_SHARE - share)
            return slope
        bed = {"qian": 23.0, "yu": 24.0, "xun": 19.0, "bei": 30.0, "nanlu": 34.0}[river] - 3 * share
        found: Floats = bed + 9.0 * (self.flow(river, share) / RIVERS[river].mean_flow) ** 0.55
        return found


def travel_hours(river: str, share: float) -> float:
    """How long a change of flow takes over a share of the course, hours."""
    return course_length(river) * share / WAVE_KM_PER_HOUR


def delayed(series: Floats, hours: float) -> Floats:
    """The series some hours later; before its beginning it stood still."""
    clock = np.arange(len(series), dtype=float)
    found: Floats = np.interp(clock - hours, clock, series)
    return found


def rivers(weather: Weather, seed: int) -> Rivers:
    """Invent the flow of the weather's hours."""
    times = weather.times
    wet = soaked(weather.rain, 60).mean(axis=1)
    flood = season(times, 190)
    top = {}
    for code, river in RIVERS.items():
        if code == "xun":
            continue
        small = river.mean_flow < 100
        noise = memory(stream(seed, "rivers", code), len(times), 1, [(0.9, 240), (0.1, 30)])[:, 0]
        answer = (0.030 if small else 0.008) * wet
        top[code] = river.mean_flow * 0.85 * np.exp(0.65 * flood + 0.32 * noise + answer - 0.2)
    inflow = delayed(top["qian"], travel_hours("qian", DAM_SHARE))
    outflow, level = _through_the_dam(inflow, times)
    return Rivers(times, top, inflow, outflow, level)


def _through_the_dam(inflow: Floats, times: Ints) -> tuple[Floats, Floats]:
    """Outflow m³/s and pool level m: yesterday's inflow goes through, more in the evening, the pool near full."""
    pace = 1 + 0.13 * np.cos((hour_of_day(times) - 20) * np.pi / 12)
    outflow, level = np.empty_like(inflow), np.empty_like(inflow)
    mean, pool = inflow[0], _POOL_FULL - 1.5
    for hour, arriving in enumerate(inflow):
        mean += (arriving - mean) / 24
        above = (pool - (_POOL_FULL - 1.5)) * _POOL_M3_PER_M / (36 * HOUR)
        outflow[hour] = max(0.15 * mean, mean * pace[hour] + above)
        pool += (arriving - outflow[hour]) * HOUR / _POOL_M3_PER_M
        level[hour] = pool
    return outflow, level
