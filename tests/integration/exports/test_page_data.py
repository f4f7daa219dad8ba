"""What lies beside the files for the page: made from them, the same from nothing, without what may not be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecowarehouse.settings import Settings
from tests.integration.exports.export_house import ExportHouse, export_house
from tests.integration.exports.taking_back import retract, take_away
from tests.integration.feed_house import DAY

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def house(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Eight hours of one day, of which two were corrected later."""
    with export_house(module_deployed, tmp_path_factory.mktemp("page")) as found:
        found.load(9, range(1, 9))
        found.release()
        found.export()
        found.load(10, range(3, 5), so2=40)
        found.release()
        found.export()
        yield found


def _page(house: ExportHouse) -> Any:
    return house.json("portal/data/page.json")


def _corrected(house: ExportHouse) -> set[str]:
    return {one["period"] for one in _page(house)["corrections"]["air.station_hour"]["rows"]}


def test_a_page_from_nothing_is_the_same(house: ExportHouse, tmp_path: Path) -> None:
    other = ExportHouse(house.feed, tmp_path)
    other.export()
    page = {name: one for name, one in other.hashes().items() if name.startswith(("portal/", "codelists/"))}
    assert len(page) > 15
    assert page.items() <= house.hashes().items()
    assert other.export().outcome == "nothing_to_do"


def test_corrections_name_both_values(house: ExportHouse) -> None:
    rows = _page(house)["corrections"]["air.station_hour"]["rows"]
    assert {(one["what"]["station_code"], one["period"][11:13]) for one in rows} == {
        (code, hour) for code in ("S1", "S2", "S3") for hour in ("02", "03")
    }
    assert all({"column": "so2", "before": "12", "after": "40"} in one["changes"] for one in rows)


def test_code_lists_keep_marks_and_say_what_is_verified(house: ExportHouse) -> None:
    editions = house.json("codelists/standards.air_edition.json")["rows"]
    assert {one["edition"]: one["verified"] for one in editions} == {"2012": "partly", "2026": "partly"}
    levels = house.json("codelists/standards.air_aqi_levels.json")["rows"]
    assert {(one["mark"], one["verified"]) for one in levels} == {("S", "yes")}


def test_a_retracted_number_is_no_former_value_either(house: ExportHouse) -> None:
    retract(house, "retracted", DAY + 3 * HOUR)
    take_away(house, DAY + 3 * HOUR)
    house.export()
    assert {period[11:13] for period in _corrected(house)} == {"02"}


def test_a_withdrawn_hour_is_not_the_newest(house: ExportHouse) -> None:
    before = _page(house)["air_hour"]
    newest = max(row["period_start"] for row in before["rows"])
    assert newest[11:13] == "07"
    take_away(house, DAY + 7 * HOUR)
    house.export()
    after = _page(house)["air_hour"]
    assert {row["period_start"][11:13] for row in after["rows"]} == {"06"}
    assert after["clock"] == newest


def test_a_blocked_hour_is_not_on_the_page(house: ExportHouse) -> None:
    house.load(40, range(9, 10), aqi=400)
    house.release()
    house.export()
    entry = next(one for one in house.json("index.json")["datasets"] if one["dataset"] == "air.station_hour")
    assert entry["gate"]["blocked"] == 1
    assert {row["period_start"][11:13] for row in _page(house)["air_hour"]["rows"]} == {"06"}
