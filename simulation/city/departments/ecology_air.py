"""The ecology and environment bureau: hours of its own township, corridor, traffic and source-oriented stations."""

from __future__ import annotations

import numpy as np

from simulation.city.delivery.block import Property
from simulation.city.delivery.feed import Draft, constant, local, number, place
from simulation.city.delivery.series import detail, months, published
from simulation.city.delivery.truth import Plant
from simulation.city.nature.air import POLLUTANTS
from simulation.city.nature.world import World
from simulation.city.places.air import STATIONS
from simulation.city.streams import stream
from simulation.city.window import HOUR

# Shares of missing lie within those of four stations in Beijing (UCI PRSA); see `simulation.city.likeness`.
PROPERTIES = (
    Property("so2", "ug/m3", 0, limit=1, missing=0.0225, other_unit=("mg/m3", 0.001)),
    Property("no2", "ug/m3", 0, limit=1, missing=0.0320, other_unit=("ppb", 0.532)),
    Property("co", "mg/m3", 2, limit=0.05, missing=0.0620, other_unit=("ug/m3", 1000.0)),
    Property("o3", "ug/m3", 0, limit=2, missing=0.0320, other_unit=("ppb", 0.510)),
    Property("pm10", "ug/m3", 0, limit=2, missing=0.0185, other_unit=("mg/m3", 0.001)),
    Property("pm2_5", "ug/m3", 0, limit=2, missing=0.0240, other_unit=("mg/m3", 0.001)),
)
_COLUMNS = {"so2": "SO2", "no2": "NO2", "co": "CO", "o3": "O3", "pm10": "PM10", "pm2_5": "PM25"}


def air_station_hour(world: World) -> Draft:
    """Hourly means; `monitorTime` is the end of the hour, `CO` mg/m³, the others µg/m³."""
    found = world.air
    values = {p.name: np.maximum(found.values[p.name], p.limit or 0) for p in PROPERTIES}
    assert set(values) == set(POLLUTANTS)
    return Draft(
        name="air_station_hour",
        department="ecology_environment",
        title="乡镇与输送通道空气站小时值（合成）",
        step=HOUR,
        day_boundary=0,
        properties=PROPERTIES,
        columns=(
            place("stationCode"), place("stationName", "name"), place("stationType", "kind"),
            local("monitorTime", "end", "%Y-%m-%d %H:%M:%S"),
            *(number(_COLUMNS[p.name], p.name) for p in PROPERTIES),
            local("updateTime", "changed", "%Y-%m-%d %H:%M:%S"), constant("dataLabel", "synthetic"),
        ),
        clean=detail(
            world.window, found.times, STATIONS, values, PROPERTIES,
            published(found.times, HOUR, len(STATIONS), stream(world.seed, "air_station_hour"), (12, 40)),
        ),
        phenomena=[
            Plant(
                "pollution_event", "phenomenon", "air_station_hour", STATIONS[station].code, pollutant, begin, end,
                {"event": f"air-{plume.number}", "medium": "air", "strength": plume.strength, "began": plume.begin},
            )
            for plume, station, begin, end in found.reached
            for pollutant in plume.pollutants
        ],
        months=lambda: months(found.times, STATIONS, values, PROPERTIES),
    )  # fmt: skip
