"""Every feed of the city and the function that drafts it: the one list of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulation.city.delivery.feed import Draft
from simulation.city.departments import (
    ecology_air,
    ecology_noise,
    ecology_radiation,
    ecology_sources,
    ecology_water,
    housing,
    meteorology,
    water_resources,
)
from simulation.city.nature.world import World

FEEDS: Mapping[str, Callable[[World], Draft]] = MappingProxyType({
    "air_station_hour": ecology_air.air_station_hour,
    "water_station_4h": ecology_water.water_station_4h,
    "noise_hour": ecology_noise.noise_hour,
    "noise_minute": ecology_noise.noise_minute,
    "noise_survey": ecology_noise.noise_survey,
    "radiation_dose_hour": ecology_radiation.radiation_dose_hour,
    "radiation_sample": ecology_radiation.radiation_sample,
    "outlet_water_hour": ecology_sources.outlet_water_hour,
    "outlet_gas_hour": ecology_sources.outlet_gas_hour,
    "weather_hour": meteorology.weather_hour,
    "hydrology": water_resources.hydrology,
    "hydrology_day": water_resources.hydrology_day,
    "rainfall": water_resources.rainfall,
    "reservoir": water_resources.reservoir,
    "groundwater_level": water_resources.groundwater_level,
    "sewage_day": housing.sewage_day,
})  # fmt: skip
