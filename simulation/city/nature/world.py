"""All of nature behind one seed, worked out when first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from simulation.city.nature import air, rivers, weather
from simulation.city.places import air as air_places
from simulation.city.streams import Ints
from simulation.city.window import Window


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
