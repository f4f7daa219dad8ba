"""A feed joins the datasets of its element by its contract: by averaging time or entity."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ecowarehouse.contracts import load_contracts
from ecowarehouse.datasets import load_datasets
from ecowarehouse.new_feed import next_step
from ecowarehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
WEATHER = ROOT / "city" / "sources" / "meteorology" / "weather_hourly.yml"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ECO_CITY", str(shutil.copytree(ROOT / "city", tmp_path / "city")))
    monkeypatch.setenv("ECO_HOME", str(tmp_path / "home"))
    return Settings.load()


def write(settings: Settings, old: str, new: str) -> None:
    """A second feed of weather, which differs from the first in one text."""
    text = WEATHER.read_text(encoding="utf-8").replace("feed: weather_hourly", "feed: weather_second")
    assert old in text
    path = settings.city / "sources" / "meteorology" / "weather_second.yml"
    path.write_text(text.replace(old, new), encoding="utf-8")


def feeds(settings: Settings, dataset: str = "weather.station_hour") -> tuple[str, ...]:
    return next(one.feeds for one in load_datasets(settings) if one.dataset == dataset)


def test_a_feed_with_values_of_that_averaging_time_joins(settings: Settings) -> None:
    write(settings, "version: 1", "version: 2")
    assert feeds(settings) == ("weather_hourly", "weather_second")
    assert feeds(settings, "air.station_hour") == ("cnemc_air_hourly", "station_air_hourly")
    contract = load_contracts(settings.city)["weather_second"]
    assert next_step(settings, contract).startswith("say where the source is: export ECO_SECRET_WEATHER_URL")


def test_another_averaging_time_does_not_join_and_the_next_step_says_so(settings: Settings) -> None:
    write(settings, "averaging: PT1H", "averaging: PT10M")
    assert feeds(settings) == ("weather_hourly",)
    step = next_step(settings, load_contracts(settings.city)["weather_second"])
    assert "no dataset of weather reads values of this averaging time" in step
    assert "weather.station_hour (PT1H)" in step


def test_a_register_joins_what_is_worked_out_of_its_entity(settings: Settings) -> None:
    assert feeds(settings, "governance.site_plan_coverage") == ("site_plan", "site_plan_list")
    assert feeds(settings, "governance.operator_response") == ("operator_visit", "operator_visit_log")


def test_a_broken_contract_of_the_element_joins_so_that_nothing_closes_without_it(settings: Settings) -> None:
    write(settings, "label: end", "label: end  # TODO label: start or end?\n        ")
    assert feeds(settings) == ("weather_hourly", "weather_second")


def test_an_element_without_a_dataset_is_told_what_to_write(settings: Settings) -> None:
    duties = settings.city / "duties.csv"
    duties.write_text(
        duties.read_text(encoding="utf-8") + "meteorology,noise,lead,2016-01-01,,none,S\n", encoding="utf-8"
    )
    write(settings, "element: weather", "element: noise")
    step = next_step(settings, load_contracts(settings.city)["weather_second"])
    assert "_noise__datasets.yml" in step
