"""A released export with its page, and a browser on it."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ecowarehouse import cycle
from ecowarehouse.contracts import load_contracts
from ecowarehouse.pipeline import run_feed
from ecowarehouse.settings import Settings
from simulation import surface_water
from tests.integration.exports.conftest import served
from tests.integration.exports.export_house import ExportHouse, export_house
from tests.integration.feed_house import DAY
from tests.portal.browser import Page, chromium

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver


@pytest.fixture(scope="module")
def house(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportHouse]:
    """A day and three hours, then a correction of the newest ones, so that the page has one to tell of; and water."""
    with export_house(module_deployed, tmp_path_factory.mktemp("page")) as found:
        found.load(38, range(1, 28))
        found.release()
        found.load(39, range(26, 28), pm2_5=90)
        found.release()
        _water(found)
        cycle.run_element(found.feed.conn, "governance", found.feed.settings)
        found.export()
        yield found


def _water(house: ExportHouse) -> None:
    """The invented network, whose names are as long as real ones."""
    path = house.out.parent / "water.csv"
    stamp = DAY + timedelta(hours=39)
    path.write_bytes(surface_water.feed_csv(surface_water.synthetic_rows(stamp, 7), ["snapshot"]))
    contract = load_contracts(house.feed.settings.city).contracts["cnemc_water_station"]
    run_feed(house.feed.conn, house.feed.settings, contract, paths=[str(path)], known_at=stamp)
    cycle.run_element(house.feed.conn, "water", house.feed.settings)


@pytest.fixture(scope="module")
def address(house: ExportHouse) -> Iterator[str]:
    """The open face on a plain file server."""
    with served(house.out / "open") as url:
        yield url


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One browser for a module."""
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def page(driver: WebDriver, address: str) -> Page:
    """The page, not yet opened."""
    return Page(driver, address)


def exported(house: ExportHouse, dataset: str) -> list[dict[str, str]]:
    """Rows of the newest version as its CSV files have them."""
    folder: Path = house.folder(dataset)
    found: list[dict[str, str]] = []
    for resource in house.package(dataset)["resources"]:
        if resource["format"] == "csv":
            with gzip.open(folder / resource["path"], "rt", encoding="utf-8", newline="") as text:
                found += list(csv.DictReader(text))
    return found
