"""All of nature behind one seed, worked out when first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simulation.city.nature import air, noise, pollution, radiation, rivers, water, weather
from simulation.city.places import air as air_places
from simulation.city.places import noise as noise_places
from simulation.city.places import pollution as pollution_places
from simulation.city.places import radiation as radiation_places
from simulation.city.places.geography import Site
from simulation.city.streams import Floats, Ints
from simulation.city.window import CHINA_OFFSET, DAY, Window


@dataclass(frozen=True)
class World:
    """What happens in the city, from the first month to the end of the detail."""

    window: Window
    seed: int

    @cached_property
    def hours(self) -> Ints:
        """Starts of all hours, seconds since 1970."""
        return self.window.steps()

    @cached_property
    def weather(self) -> weather.Weather:
        """Weather over the townships."""
        return weather.weather(self.hours, self.seed)

    @cached_property
    def air(self) -> air.Air:
        """Air over the stations."""
        return air.air(self.weather, air_places.STATIONS, self.seed, self.window.begin)

    @cached_property
    def rivers(self) -> rivers.Rivers:
        """Flow in the rivers."""
        return rivers.rivers(self.weather, self.seed)

    @cached_property
    def water(self) -> water.Water:
        """What is in the rivers."""
        return water.water(self.weather, self.rivers, self.seed, self.window.begin)

    @cached_property
    def noise(self) -> dict[str, Floats]:
        """Levels at the noise meters."""
        return noise.levels(self.weather, noise_places.METERS, self.seed)

    @cached_property
    def dose(self) -> tuple[Floats, Floats]:
        """Gamma dose rate at the stations, and the part that rain brought."""
        return radiation.dose_rate(self.weather, radiation_places.STATIONS, self.seed)

    @cached_property
    def to_water(self) -> pollution.Discharge:
        """What outlets let into water."""
        return self._discharge("water", pollution.TO_WATER, pollution_places.WATER_OUTLETS)

    @cached_property
    def to_air(self) -> pollution.Discharge:
        """What outlets let into air."""
        return self._discharge("air", pollution.TO_AIR, pollution_places.AIR_OUTLETS)

    @cached_property
    def works(self) -> dict[str, Floats]:
        """Sewage works by day."""
        days = self.hours[(self.hours + CHINA_OFFSET) % DAY == 0]
        return pollution.works(self.weather, pollution_places.SEWAGE_WORKS, days, self.seed)

    def _discharge(self, name: str, habits: Any, outlets: tuple[Site, ...]) -> pollution.Discharge:
        return pollution.discharge(name, habits, outlets, self.hours, self.seed, self.window.begin)
