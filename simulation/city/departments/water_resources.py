"""The water resources bureau: level, flow, rain, reservoir, groundwater level; its day is 08:00 to 08:00.

Tables and columns as in the ministry's data base of real-time hydrology (SL 323): STCD station, TM time, Z level m,
Q flow m³/s, DRP rain mm, RZ pool level m, INQ and OTQ in- and outflow m³/s, W storage 10⁶ m³ [from memory].
"""

from __future__ import annotations

import numpy as np

from simulation.city.delivery.block import Block, Property, rarely
from simulation.city.delivery.feed import Draft, constant, local, number, place
from simulation.city.delivery.series import detail, months, published
from simulation.city.nature.weather import places_of, soaked
from simulation.city.nature.world import World
from simulation.city.places.geography import Site
from simulation.city.places.rivers import GAUGES, LEVEL_WELLS, RAIN_GAUGES, RESERVOIRS
from simulation.city.streams import Floats, Ints, memory, stream
from simulation.city.window import CHINA_OFFSET, DAY, HOUR, season

DEPARTMENT = "water_resources"
_LEVEL = Property("water_level", "m", 2, missing=0.008, other_unit=("cm", 100.0))
_FLOW = Property("flow", "m3/s", 1, missing=0.012, other_unit=("L/s", 1000.0))
_RAIN = Property("rain", "mm", 1, missing=0.01, faults=rarely("gap", "sentinel"))
_POOL = (
    Property("pool_level", "m", 2, missing=0.005, other_unit=("cm", 100.0)),
    Property("inflow", "m3/s", 0, missing=0.01),
    Property("outflow", "m3/s", 0, missing=0.01),
    Property("storage", "10*6.m3", 1, missing=0.01, faults=rarely("gap", "sentinel", "correction")),
)
_DEPTH = Property("depth_to_water", "m", 2, missing=0.01, other_unit=("cm", 100.0))


def hydrology(world: World) -> Draft:
    """Level and flow each hour at river gauges (`ST_RIVER_R`); `TM` is the moment of reading, here the hour's start."""
    found = world.rivers
    values = {
        "water_level": np.stack([found.level(*_spot(s)) for s in GAUGES], axis=1),
        "flow": np.stack([found.flow(*_spot(s)) for s in GAUGES], axis=1),
    }
    columns = (place("STCD"), local("TM"), number("Z", "water_level"), number("Q", "flow"))
    return _hourly(
        world, "hydrology", "河道水情（合成）", GAUGES, (_LEVEL, _FLOW), columns, values, found.times
    )


def hydrology_day(world: World) -> Draft:
    """Mean level and flow of each day 08:00 to 08:00 (`ST_RVAV_R`); `IDTM` is the end of the day."""
    found = world.rivers
    hourly = {
        "water_level": np.stack([found.level(*_spot(s)) for s in GAUGES], axis=1),
        "flow": np.stack([found.flow(*_spot(s)) for s in GAUGES], axis=1),
    }
    days, values = by_day(found.times, hourly, 8, "mean")
    columns = (place("STCD"), local("IDTM", "end"), number("AVZ", "water_level"), number("AVQ", "flow"))
    return _hourly(
        world, "hydrology_day", "河道日均水情（合成）", GAUGES, (_LEVEL, _FLOW), columns, values, days, DAY
    )


def rainfall(world: World) -> Draft:
    """Rain of each hour at rain gauges (`ST_PPTN_R`); `TM` is the end of the hour, `INTV` the length in hours."""
    found = world.weather
    catch = stream(world.seed, "rainfall").normal(1, 0.04, (len(found.times), len(RAIN_GAUGES)))
    values = {"rain": np.maximum(found.rain[:, places_of(RAIN_GAUGES)] * catch, 0)}
    columns = (place("STCD"), local("TM", "end"), number("DRP", "rain"), constant("INTV", "1.00"))
    return _hourly(world, "rainfall", "降水量（合成）", RAIN_GAUGES, (_RAIN,), columns, values, found.times)


def reservoir(world: World) -> Draft:
    """Pool level, inflow, outflow and storage each hour (`ST_RSVR_R`)."""
    found = world.rivers
    values = {
        "pool_level": found.pool_level[:, None],
        "inflow": found.inflow[:, None],
        "outflow": found.outflow[:, None],
        "storage": 2050 + (found.pool_level[:, None] - 59.5) * 75,
    }
    columns = (
        place("STCD"), local("TM"), number("RZ", "pool_level"), number("INQ", "inflow"), number("W", "storage"),
        number("OTQ", "outflow"),
    )  # fmt: skip
    return _hourly(world, "reservoir", "水库水情（合成）", RESERVOIRS, _POOL, columns, values, found.times)


def groundwater_level(world: World) -> Draft:
    """Depth to the water in wells, each day at 08:00 (`BSDP` m below ground [name from memory])."""
    found = world.weather
    wet = soaked(found.rain, 24 * 25)[:, places_of(LEVEL_WELLS)]
    noise = memory(stream(world.seed, "wells"), len(found.times), len(LEVEL_WELLS), [(1.0, 24 * 20)])
    mean = np.array([3.5 + 0.9 * (number % 5) for number in range(len(LEVEL_WELLS))])
    depth = np.maximum(mean - 0.004 * wet - 0.35 * season(found.times, 200)[:, None] + 0.15 * noise, 0.2)
    at_eight = (found.times + CHINA_OFFSET) % DAY == 8 * HOUR
    columns = (place("STCD"), local("TM"), number("BSDP", "depth_to_water"), place("WELL_DEPTH", "depth_m"))
    return _hourly(
        world, "groundwater_level", "地下水埋深（合成）", LEVEL_WELLS, (_DEPTH,), columns,
        {"depth_to_water": depth[at_eight]}, found.times[at_eight], DAY,
    )  # fmt: skip


def by_day(times: Ints, values: dict[str, Floats], boundary: int, how: str) -> tuple[Ints, dict[str, Floats]]:
    """Means (or sums) of whole days that begin at an hour: starts of the days, and days × sites."""
    first = int(np.flatnonzero((times + CHINA_OFFSET) % DAY == boundary * HOUR)[0])
    days = (len(times) - first) // 24
    part = slice(first, first + days * 24)
    return times[part][::24], {
        name: getattr(series[part].reshape(days, 24, -1), how)(axis=1) for name, series in values.items()
    }


def _hourly(
    world: World, name: str, title: str, sites: tuple[Site, ...], properties: tuple[Property, ...],
    columns: tuple[object, ...], values: dict[str, Floats], times: Ints, step: int = HOUR,
) -> Draft:  # fmt: skip
    instant = name in ("hydrology", "reservoir", "groundwater_level")
    ready = published(times, 0 if instant else step, len(sites), stream(world.seed, name, "ready"), (4, 25))
    clean: Block = detail(world.window, times, sites, values, properties, ready)
    return Draft(
        name=name, department=DEPARTMENT, title=title, step=step, day_boundary=8, properties=properties,
        columns=(*columns, local("MODITIME", "changed"), constant("NT", "synthetic")), clean=clean,
        months=lambda: months(times, sites, values, properties),
    )  # fmt: skip


def _spot(gauge: Site) -> tuple[str, float]:
    return str(gauge.attributes["river"]), float(gauge.attributes["share"])
