"""All sites of all elements with their element and department: what registers and the network plan are made of."""

from __future__ import annotations

from collections.abc import Iterator

from simulation.city.places import air, land, noise, pollution, radiation, rivers, water, weather
from simulation.city.places.geography import Site

_BY_ELEMENT: tuple[tuple[str, str, tuple[Site, ...]], ...] = (
    ("air", "ecology_environment", air.STATIONS),
    ("water", "ecology_environment", water.SECTIONS),
    ("water_station", "ecology_environment", water.STATIONS),
    ("drinking_source", "ecology_environment", water.INTAKES),
    ("aquatic_ecology", "ecology_environment", water.ECOLOGY_POINTS),
    ("noise", "ecology_environment", noise.METERS),
    ("noise_grid", "ecology_environment", noise.GRID),
    ("radiation", "radiation_station", radiation.STATIONS),
    ("radiation_medium", "radiation_station", radiation.POINTS),
    ("outlet_water", "ecology_environment", pollution.WATER_OUTLETS),
    ("outlet_air", "ecology_environment", pollution.AIR_OUTLETS),
    ("weather", "meteorology", weather.STATIONS),
    ("hydrology", "water_resources", (*rivers.GAUGES, *rivers.RESERVOIRS)),
    ("rain", "water_resources", rivers.RAIN_GAUGES),
    ("groundwater_level", "water_resources", rivers.LEVEL_WELLS),
    ("groundwater_quality", "natural_resources", land.WELLS),
    ("soil", "agriculture", land.SOIL_PLOTS),
    ("produce", "agriculture", land.PRODUCE_PLOTS),
    ("forest_wetland", "forestry", land.FOREST_PLOTS),
    ("tap_water", "health", land.TAPS),
    ("sewage", "housing", pollution.SEWAGE_WORKS),
)
AUTOMATIC = ("air", "water_station", "noise", "radiation", "outlet_water", "outlet_air")


def all_sites() -> Iterator[tuple[str, str, Site]]:
    """(element, department, site) of every site of the city, in a fixed order."""
    for element, department, sites in _BY_ELEMENT:
        for site in sites:
            yield element, department, site
