"""Days are cut by the clock of the city whose folder is given, in candidates and in the views as of a moment."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse import marts
from ecowarehouse.settings import Settings
from tests.dbt.test_air_hour import GOOD
from tests.dbt.world import World, hour

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def elsewhere(module_database: Settings, tmp_path: Path) -> Settings:
    """The same house for a city two hours to the west."""
    city = Path(shutil.copytree(ROOT / "city", tmp_path / "city"))
    file = city / "city.yml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("Asia/Shanghai", "Asia/Urumqi"), encoding="utf-8"
    )
    return replace(module_database, city=city)


def test_another_city_has_other_days(warehouse: psycopg.Connection[Any], elsewhere: Settings) -> None:
    # Two hours around midnight of Urumqi, which are one day in Shanghai.
    World(warehouse).told("U1", "贵港市", {hour("2024-03-01 01"): GOOD, hour("2024-03-01 02"): GOOD})
    days = "select array_agg(day::text order by day) from {} where station_code = 'U1'"

    def asked(relation: str) -> list[str]:
        row = warehouse.execute(days.format(relation)).fetchone()
        warehouse.rollback()
        assert row is not None
        return list(row[0])

    assert asked("as_of.air__station_day") == ["2024-03-01"]
    assert marts.deploy(conn=warehouse, settings=elsewhere), "the views that stand cut days by another clock"
    assert asked("as_of.air__station_day") == ["2024-02-29", "2024-03-01"]
    marts.build(warehouse, "air", settings=elsewhere)
    assert asked("air.station_day") == ["2024-02-29", "2024-03-01"]
    assert marts.recompute_check(warehouse, "air", settings=elsewhere) == []
