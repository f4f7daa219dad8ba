"""Every feed of the city and the function that drafts it: the one list of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from simulation.city.delivery.feed import Draft
from simulation.city.departments import (
    agriculture,
    development_finance,
    ecology_air,
    ecology_laboratory,
    ecology_noise,
    ecology_radiation,
    ecology_registers,
    ecology_sources,
    ecology_status,
    ecology_water,
    forestry,
    health,
    housing,
    market_supervision,
    meteorology,
    natural_resources,
    water_resources,
)
from simulation.city.nature.world import World

FEEDS: Mapping[str, Callable[[World], Draft]] = MappingProxyType({
    "air_station_hour": ecology_air.air_station_hour,
    "water_station_4h": ecology_water.water_station_4h,
    "lab_sample": ecology_laboratory.lab_sample,
    "lab_result": ecology_laboratory.lab_result,
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
    "groundwater_quality": natural_resources.groundwater_quality,
    "land_use": natural_resources.land_use,
    "soil_sample": agriculture.soil_sample,
    "produce_sample": agriculture.produce_sample,
    "forest_wetland_year": forestry.forest_wetland_year,
    "species_occurrence": forestry.species_occurrence,
    "tap_water": health.tap_water,
    "sewage_day": housing.sewage_day,
    "device_verification": market_supervision.device_verification,
    "institution_accreditation": market_supervision.institution_accreditation,
    "site_register": ecology_registers.site_register,
    "device_register": ecology_registers.device_register,
    "operator_register": ecology_registers.operator_register,
    "operator_visit": ecology_registers.operator_visit,
    "site_plan": ecology_registers.site_plan,
    "source_register": ecology_registers.source_register,
    "ecology_index_year": ecology_status.ecology_index_year,
    "red_line": ecology_status.red_line,
    "park": ecology_status.park,
    "yearly_statistics": development_finance.yearly_statistics,
})  # fmt: skip
