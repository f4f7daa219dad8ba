"""Every feed of the city and the function that drafts it: the one list of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulation.city.delivery.feed import Draft
from simulation.city.departments import ecology_air, meteorology, water_resources
from simulation.city.nature.world import World

FEEDS: Mapping[str, Callable[[World], Draft]] = MappingProxyType({
    "air_station_hour": ecology_air.air_station_hour,
    "weather_hour": meteorology.weather_hour,
    "hydrology": water_resources.hydrology,
    "hydrology_day": water_resources.hydrology_day,
    "rainfall": water_resources.rainfall,
    "reservoir": water_resources.reservoir,
    "groundwater_level": water_resources.groundwater_level,
})  # fmt: skip
