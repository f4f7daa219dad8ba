"""The meteorological bureau: hourly observations, field names of its service; its day begins at 20:00."""

from __future__ import annotations

import numpy as np

from simulation.city.delivery.block import Property, rarely
from simulation.city.delivery.feed import Draft, local, number, place
from simulation.city.delivery.series import detail, months, published
from simulation.city.nature.weather import places_of
from simulation.city.nature.world import World
from simulation.city.places.weather import STATIONS
from simulation.city.streams import stream
from simulation.city.window import HOUR

_NO_FLAT = rarely("gap", "correction", "sentinel", "unit_error")
PROPERTIES = (
    Property("temperature", "Cel", 1, missing=0.008, other_unit=("K", 12.0)),
    Property("humidity", "%", 0, missing=0.008, faults=rarely("gap", "correction", "sentinel", "flat_line", "drift")),
    Property("pressure", "hPa", 1, missing=0.008, other_unit=("kPa", 0.1),
             faults=rarely("gap", "correction", "sentinel", "flat_line", "spike", "unit_error")),
    Property("wind_speed", "m/s", 1, missing=0.012, other_unit=("km/h", 3.6)),
    Property("wind_direction", "deg", 0, missing=0.012, faults=rarely("gap", "sentinel")),
    Property("precipitation", "mm", 1, missing=0.010, faults=_NO_FLAT - {"unit_error", "correction"}),
)  # fmt: skip


def weather_hour(world: World) -> Draft:
    """Hourly weather; `time` is the end of the hour at +08:00. Its columns are fixed, so the label is in the names."""
    found, here = world.weather, places_of(STATIONS)
    own = stream(world.seed, "weather_hour")
    shape = (len(found.times), len(STATIONS))
    values = {
        "temperature": found.temperature[:, here] + own.normal(0, 0.15, shape),
        "humidity": found.humidity[:, here],
        "pressure": found.pressure[:, here] + own.normal(0, 0.05, shape),
        "wind_speed": found.speed[:, here],
        "wind_direction": np.floor(found.direction[:, here]),
        "precipitation": found.rain[:, here],
    }
    return Draft(
        name="weather_hour",
        department="meteorology",
        title="逐小时气象观测（合成）",
        step=HOUR,
        day_boundary=20,
        properties=PROPERTIES,
        columns=(
            place("station_id"), place("station_name", "name"), place("township", "town"),
            place("lon", "longitude"), place("lat", "latitude"), local("time", "end", "%Y-%m-%dT%H:%M:%S+08:00"),
            *(number(p.name, p.name) for p in PROPERTIES),
        ),
        clean=detail(
            world.window, found.times, STATIONS, values, PROPERTIES,
            published(found.times, HOUR, len(STATIONS), own, (2, 8)),
        ),
        months=lambda: months(found.times, STATIONS, values, PROPERTIES),
    )  # fmt: skip
