"""The ecology and environment bureau: noise meters' files by hour, three of them by minute too, and the yearly grid."""

from __future__ import annotations

from datetime import date

import numpy as np

from simulation.city.delivery.block import Property, ordered, rarely
from simulation.city.delivery.feed import Draft, constant, local, number, place
from simulation.city.delivery.series import detail, months
from simulation.city.nature import noise
from simulation.city.nature.world import World
from simulation.city.places.noise import BY_MINUTE, GRID, METERS
from simulation.city.streams import stream
from simulation.city.window import CHINA_OFFSET, DAY, HOUR, midnight

_LOUD = rarely("gap", "sentinel", "flat_line", "spike", "correction", "falsified")
_REST = rarely("gap", "sentinel")
HOURLY = (
    Property("leq", "dB[A]", 1, missing=0.015, faults=_LOUD, sentinel=-99.9, cap=60.0),
    *(Property(name, "dB[A]", 1, missing=0.015, faults=_REST, sentinel=-99.9) for name in ("l10", "l50", "l90",
      "lmax", "lmin")),
    Property("valid_minutes", "min", 0, missing=0.01, faults=rarely("gap")),
)  # fmt: skip
MINUTELY = (
    Property("leq", "dB[A]", 1, missing=0.004, faults=_LOUD - {"correction"}, sentinel=-99.9),
    Property("lmax", "dB[A]", 1, missing=0.004, faults=_REST, sentinel=-99.9),
)
_METER_COLUMNS = {
    "leq": "LAeq",
    "l10": "LA10",
    "l50": "LA50",
    "l90": "LA90",
    "lmax": "LAmax",
    "lmin": "LAmin",
}
SURVEY = (
    Property("leq_day", "dB[A]", 1, missing=0.0, faults=rarely("correction", "sentinel")),
    Property("leq_night", "dB[A]", 1, missing=0.0, faults=rarely("correction", "sentinel")),
)


def noise_hour(world: World) -> Draft:
    """Levels of each hour; the files name the start of the hour; files come at half past one the day after."""
    found, times = world.noise, world.hours
    rng = stream(world.seed, "noise_hour")
    values = {**found, "valid_minutes": 60.0 - rng.poisson(0.4, found["leq"].shape)}
    next_day = (times + CHINA_OFFSET) // DAY * DAY + DAY - CHINA_OFFSET
    ready = np.repeat((next_day + 90 * 60)[:, None], len(METERS), axis=1)
    return Draft(
        name="noise_hour", department="ecology_environment", title="功能区、道路与敏感点噪声小时值（合成）",
        step=HOUR, day_boundary=0, properties=HOURLY,
        columns=(
            place("meter_id"), local("start_time", form="%Y/%m/%d %H:%M:%S"),
            *(number(_METER_COLUMNS[p.name], p.name) for p in HOURLY[:-1]), number("valid_min", "valid_minutes"),
            constant("label", "synthetic"),
        ),
        clean=detail(world.window, times, METERS, values, HOURLY, ready),
        months=lambda: months(times, METERS, values, HOURLY[:1]),
    )  # fmt: skip


def noise_minute(world: World) -> Draft:
    """Levels of each minute of three meters, in the detail only; the energy of an hour is that of its hour's file."""
    part = world.window.detail(world.hours)
    chosen = [METERS.index(m) for m in BY_MINUTE]
    rng = stream(world.seed, "noise_minute")
    leq = noise.minutes(world.noise["leq"][part][:, chosen], rng).reshape(-1, len(chosen))
    times = noise.minute_starts(world.hours[part])
    values = {"leq": leq, "lmax": leq + rng.gamma(4, 1.2, leq.shape)}
    next_day = (times + CHINA_OFFSET) // DAY * DAY + DAY - CHINA_OFFSET
    return Draft(
        name="noise_minute", department="ecology_environment", title="噪声分钟值（合成）", step=60, day_boundary=0,
        properties=MINUTELY,
        columns=(
            place("meter_id"), local("start_time", form="%Y/%m/%d %H:%M:%S"), number("LAeq", "leq"),
            number("LAmax", "lmax"), constant("label", "synthetic"),
        ),
        clean=detail(world.window, times, BY_MINUTE, values, MINUTELY, next_day + 90 * 60),
    )  # fmt: skip


def noise_survey(world: World) -> Draft:
    """A survey of the grid each year, ten minutes by day and by night at each point, in spring."""
    rng = stream(world.seed, "noise_survey")
    records = []
    for year in world.window.years(3):
        for spot, of in enumerate(GRID):
            by_day, less = {"1": (53.0, 8.0), "2": (56.5, 8.0), "3": (60.0, 7.0)}[str(of.attributes["zone"])]
            loud = float(rng.normal(by_day, 2.5))
            time = midnight(date(year, 4, 1 + spot % 28)) + 10 * HOUR
            records.append({
                "time": time, "site": spot, "ready": midnight(date(year, 5, 20)), "leq_day": loud,
                "leq_night": loud - less + float(rng.normal(0, 1)),
            })  # fmt: skip
    return Draft(
        name="noise_survey", department="ecology_environment", title="区域声环境普查（合成）", step=None,
        day_boundary=0,
        properties=SURVEY,
        columns=(
            place("测点编号"), place("测点名称", "name"), place("功能区类别", "zone"), place("经度", "longitude"),
            place("纬度", "latitude"), local("监测日期", form="%Y-%m-%d"), number("昼间LAeq", "leq_day"),
            number("夜间LAeq", "leq_night"), constant("数据性质", "synthetic 合成"),
        ),
        clean=ordered(GRID, records, SURVEY),
    )  # fmt: skip
