"""How far the city has come: the clock of its departments, which goes on hour by hour at the end of its window."""

from __future__ import annotations

from datetime import datetime, timedelta

from simulation.city.city import City
from simulation.city.window import CHINA


def moment_of(city: City, step: int, steps: int) -> datetime:
    """The city's time at a step of `steps`: its last hour is the last step."""
    end = datetime.fromtimestamp(city.window.end, CHINA)
    return end - timedelta(hours=max(steps - 1 - step, 0))
