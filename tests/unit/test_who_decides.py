"""Who may review and correct values: by duties of the city, on the day."""

from __future__ import annotations

import pytest

from ecowarehouse.contracts import ObservationContract, load_contracts
from ecowarehouse.decisions.ownership import require_duty
from ecowarehouse.decisions.problems import DecisionRefused
from ecowarehouse.settings import Settings

SETTINGS = Settings.load({})


def contract(feed: str) -> ObservationContract:
    return load_contracts(SETTINGS.city).observations[feed]


def test_who_leads_or_delivers_decides() -> None:
    assert require_duty(SETTINGS, contract("cnemc_air_hourly"), None) == "ecology_environment"
    assert require_duty(SETTINGS, contract("weather_hourly"), "meteorology") == "meteorology"


@pytest.mark.parametrize(
    ("feed", "department"),
    [
        ("cnemc_air_hourly", "finance"),
        ("cnemc_air_hourly", "market_supervision"),
        ("weather_hourly", None),
        ("cnemc_water_station", "health"),
    ],
)
def test_who_looks_on_or_delivers_something_else_does_not(feed: str, department: str | None) -> None:
    with pytest.raises(DecisionRefused, match="may not decide about"):
        require_duty(SETTINGS, contract(feed), department)
