"""The hourly index, by the vectors of both editions, by the real feed, and at the edges of the rules."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from jinja2 import Environment, FileSystemLoader

from ecowarehouse.settings import Settings
from tests.dbt.world import SIX, ZONE, World, hour

GOOD = {"so2": 10, "no2": 20, "co": Decimal("0.5"), "o3": 80, "pm10": 40, "pm2_5": 20}
_PERIOD = {"1h": "1h", "24h": "24h", "8h": "MDA8"}
_ITEM = {"PM25": "pm2_5", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3"}


def iaqi_query() -> str:
    """The project's own macro over rows of (standard, property, period, value)."""
    environment = Environment(
        loader=FileSystemLoader(Settings.load().dbt_project / "macros"),
        autoescape=False,
        extensions=["jinja2.ext.do"],
    )
    environment.globals["round_half_even"] = environment.get_template("rounding.sql").module.round_half_even  # type: ignore[attr-defined]
    laterals = environment.get_template("air.sql").module.iaqi_of("c.value", "s")  # type: ignore[attr-defined]
    return f"""
        select indexed.iaqi
        from (select %s::text as standard, %s::text as property, %s::text as avg_period,
                     %s::numeric as value) as c
        inner join standards.air_iaqi_scale as s using (standard, property, avg_period)
        {laterals}
    """


@pytest.mark.shared
def test_every_vector_of_both_editions(warehouse: psycopg.Connection[Any], shared: Path) -> None:
    vectors = json.loads((shared / "data/test_vectors/aqi_hj633_vectors.json").read_text(encoding="utf-8"))
    query, wrong = iaqi_query(), []
    for case in vectors["cases"]:
        item, period = case["item"].split("_")[:2]
        parameters = [case["standard"], _ITEM[item], _PERIOD[period], str(case["concentration"])]
        row = warehouse.execute(query, parameters).fetchone()
        expected = case.get("table_says", case["expected_iaqi"])  # three marked errors of the peer
        if row is None or row[0] != expected:
            wrong.append((case, row))
    assert len(vectors["cases"]) == 110
    assert wrong == []


@pytest.mark.parametrize(
    ("standard", "item", "period", "value", "expected"),
    [
        ("HJ 633-2012", "pm2_5", "24h", "61", 83), ("HJ 633-2026", "pm2_5", "24h", "61", 101),
        ("HJ 633-2012", "o3", "MDA8", "161", 101), ("HJ 633-2012", "pm10", "24h", "121", 86),
        ("HJ 633-2026", "pm10", "24h", "121", 101), ("HJ 633-2012", "so2", "1h", "801", None),
        ("HJ 633-2026", "so2", "1h", "801", 200), ("HJ 633-2012", "so2", "1h", "800", 200),
        ("HJ 633-2012", "o3", "MDA8", "801", None), ("HJ 633-2026", "o3", "MDA8", "801", 300),
        ("HJ 633-2026", "pm10", "24h", "600", 500), ("HJ 633-2026", "pm10", "24h", "5000", 500),
        ("HJ 633-2012", "pm2_5", "1h", "28", 40), ("HJ 633-2012", "pm2_5", "24h", "0", 0),
        ("HJ 633-2012", "co", "24h", "2.05", 50), ("HJ 633-2012", "co", "24h", "2.15", 55),
        ("HJ 633-2012", "pm10", "24h", "50.5", 50),
    ],
)  # fmt: skip
def test_edges_of_the_scale(
    warehouse: psycopg.Connection[Any],
    standard: str,
    item: str,
    period: str,
    value: str,
    expected: int | None,
) -> None:
    row = warehouse.execute(iaqi_query(), [standard, item, period, value]).fetchone()
    assert row is not None
    assert row[0] == expected


def ask(conn: psycopg.Connection[Any], columns: str, station: str, judge_by: str = "") -> tuple[Any, ...]:
    conn.execute("select set_config('eco.judge_by', %s, true)", [judge_by])
    row = conn.execute(
        f"select {columns} from as_of.air__station_hour where station_code = %s order by period_start",
        [station],
    ).fetchone()
    conn.rollback()
    assert row is not None
    return tuple(row)


def test_an_edition_begins_by_area(warehouse: psycopg.Connection[Any]) -> None:
    world = World(warehouse)
    for code, area in (("P1", "贵港市"), ("P2", "桂平市"), ("P3", "北京市"), ("P4", "无名市")):
        world.told(code, area, {hour("2015-06-01 08"): GOOD})
    assert ask(warehouse, "standard, aqi, aqi_reason", "P1") == ("HJ 633-2012", 40, None)
    assert ask(warehouse, "standard, aqi, aqi_reason", "P2") == (None, None, "no_edition_in_force")
    assert ask(warehouse, "standard", "P3") == ("HJ 633-2012",)
    assert ask(warehouse, "standard, area_code", "P4") == (None, "无名市")
    assert ask(warehouse, "standard, aqi", "P2", "HJ 633-2026") == ("HJ 633-2026", 40)


def test_a_missing_planned_pollutant(warehouse: psycopg.Connection[Any]) -> None:
    world = World(warehouse, feed="missing")
    some = {**GOOD, "pm10": None}
    world.told("M1", "贵港市", {hour("2026-02-28 23"): some, hour("2026-03-01 00"): some})
    world.told("M2", "贵港市", {hour("2026-03-01 00"): {**some, "pm2_5": 61}})
    rows = warehouse.execute(
        "select standard, aqi, aqi_reason, valid_count, expected_count from as_of.air__station_hour"
        " where station_code = 'M1' order by period_start"
    ).fetchall()
    assert rows == [("HJ 633-2012", 29, None, 5, 6), ("HJ 633-2026", None, "missing:pm10", 5, 6)]
    assert ask(warehouse, "aqi, primary_pollutant, category", "M2") == (101, "pm2_5", "轻度污染")
    warehouse.rollback()


def test_a_pollutant_that_is_not_planned_does_not_matter(warehouse: psycopg.Connection[Any]) -> None:
    five = [item for item in SIX if item != "so2"]
    World(warehouse, feed="plan").told(
        "L1", "贵港市", {hour("2026-03-01 00"): {i: GOOD[i] for i in five}}, five
    )
    assert ask(warehouse, "aqi, expected_count, aqi_reason", "L1") == (40, 5, None)


def test_the_index_of_2026_begins_at_one(warehouse: psycopg.Connection[Any]) -> None:
    World(warehouse, feed="zero").told("Z1", "贵港市", {hour("2026-03-01 00"): dict.fromkeys(SIX, 0)})
    assert ask(warehouse, "aqi, iaqi_pm10, category, primary_pollutant", "Z1") == (1, 0, "优", None)
    assert ask(warehouse, "aqi, iaqi_pm10, category", "Z1", "HJ 633-2012") == (0, 0, "优")


def test_ties_are_listed_in_the_order_of_the_seed(warehouse: psycopg.Connection[Any]) -> None:
    tied = {**GOOD, "pm10": 150, "pm2_5": 75, "no2": 200}
    World(warehouse, feed="tie").told("T1", "贵港市", {hour("2024-03-01 00"): tied})
    assert ask(warehouse, "aqi, primary_pollutant, category", "T1") == (100, "no2,pm10,pm2_5", "良")
    ordered = warehouse.execute(
        "select string_agg(property, ',' order by sort_order) from vocabulary.property"
        " where kind = 'concentration'"
    ).fetchone()
    assert ordered == (",".join(SIX),)


def test_only_a_range_failure_takes_a_value_out(warehouse: psycopg.Connection[Any]) -> None:
    world = World(warehouse, feed="flag")
    start = hour("2024-03-01 00")
    world.told("F1", "贵港市", {start: {**GOOD, "pm10": 30000, "pm2_5": 100, "so2": 70}})
    known = start + timedelta(hours=1)
    for item, test, flag in (("pm10", "range", 4), ("pm2_5", "pm_inversion", 3), ("so2", "spike", 4)):
        warehouse.execute(
            "insert into core.quality_flag values ('air', %s, %s, %s, %s, 1, %s)",
            [world.series["F1", item], start, known, test, flag],
        )
    warehouse.commit()
    columns = "pm10, pm2_5, so2, aqi, valid_count, suspect_count, suspect_items"
    assert ask(warehouse, columns, "F1") == (None, 100, 70, 132, 5, 2, "so2,pm2_5")


def test_as_of_answers_with_what_was_known_then(warehouse: psycopg.Connection[Any]) -> None:
    world = World(warehouse, feed="known")
    start = hour("2024-03-01 00")
    world.told("K1", "贵港市", {start: GOOD})
    later = start + timedelta(hours=5)
    world.observe("K1", {start: {"pm2_5": 75}}, later, world.batch(later, synthetic=True))
    warehouse.commit()
    assert ask(warehouse, "pm2_5, aqi, known_at, synthetic", "K1") == (75, 100, later, True)
    warehouse.execute(
        "select set_config('eco.as_of', %s, true)", [(later - timedelta(minutes=1)).isoformat()]
    )
    assert ask(warehouse, "pm2_5, aqi, synthetic", "K1") == (20, 40, False)


@pytest.mark.shared
def test_the_real_feed_is_reproduced(warehouse: psycopg.Connection[Any], shared: Path) -> None:
    column = {
        "o3": "o3_24h",
        "o3_8h": "o3_8h_24h",
        "primary_pollutant": "primarypollutant",
        "category": "quality",
    }
    items = (*SIX, "o3_8h", "aqi", "primary_pollutant", "category")
    told: dict[tuple[str, str], dict[datetime, dict[str, Any]]] = defaultdict(dict)
    with (shared / "data/air/cnemc_live_20190718_h12_13_14_16.csv").open(encoding="utf-8") as text:
        for row in csv.DictReader(text):
            start = datetime.fromisoformat(row["timepoint"]).replace(tzinfo=ZONE) - timedelta(hours=1)
            values: dict[str, Any] = {}
            for item in items:
                cell = row[column.get(item, item)].strip()
                values[item] = None if cell in ("—", "") else cell if item in items[-2:] else Decimal(cell)
            told[row["stationcode"], row["area"]][start] = values
    world = World(warehouse, feed="real")
    known = datetime(2019, 7, 18, 17, tzinfo=ZONE)
    batch = world.batch(known)
    for (code, area), hours in told.items():
        world.station(code, area, known, batch, items)
        world.observe(code, hours, known, batch)
    warehouse.commit()
    warehouse.execute("analyze")
    row = warehouse.execute(
        "select count(*), count(aqi_reported), count(*) filter (where aqi_agrees),"
        " count(*) filter (where primary_agrees), count(*) filter (where category_agrees),"
        " count(*) filter (where pm2_5 > pm10) from as_of.air__station_hour where feed = 'real'"
    ).fetchone()
    assert row == (5996, 5691, 5691, 5691, 5691, 304)
