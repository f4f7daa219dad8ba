"""Days, areas, months and years: the edges of the validity rules, and statistics worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.dbt.world import SIX, World, hour

FLAT = {"so2": 10, "no2": 20, "co": Decimal("0.5"), "o3": 80, "pm10": 40, "pm2_5": 20}


def day_of(
    day: str, present: Callable[[int], bool], values: Mapping[str, Any] = FLAT
) -> dict[datetime, Mapping[str, Any]]:
    """24 hours; where `present` says no, every value is missing."""
    start = hour(f"{day} 00")
    return {start + timedelta(hours=h): values if present(h) else dict.fromkeys(values) for h in range(24)}


def ask(conn: psycopg.Connection[Any], view: str, columns: str, where: str) -> tuple[Any, ...]:
    row = conn.execute(f"select {columns} from as_of.air__{view} where {where}").fetchone()
    conn.rollback()
    assert row is not None
    return tuple(row)


@pytest.mark.parametrize(("hours", "pm10", "reason"), [(20, 40, None), (19, None, "pm10: 19 of 20 hours")])
def test_a_daily_mean_needs_20_hours(
    warehouse: psycopg.Connection[Any], hours: int, pm10: int | None, reason: str | None
) -> None:
    World(warehouse, feed=f"d{hours}").told(f"D{hours}", "贵港市", day_of("2024-05-01", lambda h: h < hours))
    found = ask(
        warehouse,
        "station_day",
        "pm10, pm10_hours, expected_hours, reason, aqi",
        f"station_code = 'D{hours}'",
    )
    assert found[:3] == (pm10, hours, 24)
    assert (reason or "") in (found[3] or "")
    assert found[4] == 40  # by MDA8 alone when the means are missing: 80 µg/m³


@pytest.mark.parametrize(
    ("first", "o3", "windows", "mda8"),
    [
        # Hours `first`..23 are there: the first window with 6 of 8 hours ends at first + 6.
        (5, 80, 14, 80), (6, 80, 13, None), (6, 161, 13, 161), (6, 160, 13, None),
    ],
)  # fmt: skip
def test_mda8_needs_14_windows_unless_it_exceeds(
    warehouse: psycopg.Connection[Any], first: int, o3: int, windows: int, mda8: int | None
) -> None:
    code = f"O{first}_{o3}"
    values = {**FLAT, "o3": o3}
    World(warehouse, feed=code).told(code, "贵港市", day_of("2024-05-01", lambda h: h >= first, values))
    found = ask(warehouse, "station_day", "o3_windows, o3_mda8, o3_1h_max", f"station_code = '{code}'")
    assert found == (windows, mda8, o3)


def test_a_rule_is_found_by_its_code_and_a_missing_one_is_told(warehouse: psycopg.Connection[Any]) -> None:
    World(warehouse, feed="rule").told("RULE", "河池市", day_of("2024-05-01", lambda h: True))
    asked = "select pm10, o3_mda8, o3_windows, reason from as_of.air__station_day where station_code = 'RULE'"
    area = "select pm10, reason from as_of.air__area_day where area_code = '451200'"
    warehouse.execute(
        'update standards.air_validity_rules set "window" = $$in other words$$, pollutant = $$x$$'
    )
    assert warehouse.execute(asked).fetchone() == (40, 80, 17, None)
    assert warehouse.execute(area).fetchone() == (40, None)
    warehouse.execute("delete from standards.air_validity_rules where rule_code like 'few_%'")
    none = "no validity rule in force"
    [(pm10, reason)] = warehouse.execute(area).fetchall()
    assert (pm10, f"pm10: {none}" in reason) == (None, True)
    warehouse.execute("delete from standards.air_validity_rules")
    found = warehouse.execute(asked).fetchone()
    warehouse.rollback()
    assert found is not None
    assert found[:3] == (None, None, None)
    assert found[3] == "; ".join(
        f"{item}: {none}" for item in ("so2", "no2", "co", "pm10", "pm2_5", "o3_mda8")
    )


def test_mda8_is_the_largest_running_mean(warehouse: psycopg.Connection[Any]) -> None:
    start = hour("2024-05-01 00")
    ozone = [20] * 8 + [40, 60, 80, 100, 120, 140, 160, 180, 170, 150, 130, 110, 90, 70, 50, 30]
    hours = {start + timedelta(hours=h): {**FLAT, "o3": ozone[h]} for h in range(24)}
    World(warehouse, feed="mda8").told("MDA8", "贵港市", hours)
    # Hours 12..19: 120+140+160+180+170+150+130+110 = 1160, over 8 = 145; hours 11..18 = 143.75.
    assert ask(warehouse, "station_day", "o3_mda8, o3_windows, iaqi_o3, aqi, primary_pollutant",
               "station_code = 'MDA8'") == (145, 17, 88, 88, "o3")  # fmt: skip


def test_an_area_day_is_the_mean_of_participating_stations(warehouse: psycopg.Connection[Any]) -> None:
    world = World(warehouse, feed="area")
    known = hour("2024-06-02 00")
    batch = world.batch(known)
    for code, pm10, takes_part, hours in (
        ("A1", 40, True, 24), ("A2", 51, True, 24), ("A3", 999, False, 24), ("A4", 60, True, 5),
    ):  # fmt: skip
        world.station(code, "柳州市", known, batch, takes_part=takes_part)
        present = day_of("2024-06-01", lambda h, n=hours: h < n, {**FLAT, "pm10": pm10})  # type: ignore[misc]
        world.observe(code, present, known, batch)
    warehouse.commit()
    found = ask(
        warehouse,
        "area_day",
        "pm10, pm10_unrounded, expected_points, pm10_points, aqi, area_name, area_level, standard",
        "area_code = '450200'",
    )
    # Two of three points are enough while there are fewer than four; 45.5 becomes 46 (even), IAQI 46.
    assert found == (46, Decimal("45.5"), 3, 2, 46, "柳州市", "city", "HJ 633-2012")


def test_four_points_need_three(warehouse: psycopg.Connection[Any]) -> None:
    world = World(warehouse, feed="four")
    known = hour("2024-06-02 00")
    batch = world.batch(known)
    for n, hours in enumerate((24, 24, 5, 5)):
        world.station(f"Q{n}", "桂林市", known, batch)
        world.observe(f"Q{n}", day_of("2024-06-01", lambda h, n=hours: h < n), known, batch)  # type: ignore[misc]
    warehouse.commit()
    found = ask(warehouse, "area_day", "pm10, pm10_points, reason, aqi_reason", "area_code = '450300'")
    assert found[:2] == (None, 2)
    assert "pm10: 2 of 4 points, 75 % needed" in found[2]


def fill(world: World, code: str, area: str, first: str, days: int, value: str) -> None:
    """Whole days by SQL: `value` is an expression of the day's number n (from 1); every item has it."""
    start = hour(f"{first} 00")
    known = start + timedelta(days=days)
    batch = world.batch(known)
    world.station(code, area, known, batch)
    world.conn.execute("select core.ensure_partitions('air', %s, %s, 'Asia/Shanghai')", [start, known])
    for item in SIX:
        world.conn.execute(
            f"insert into core.observation (element, series_id, period_start, known_at, batch_id, value)"
            f" select 'air', %s, %s::timestamptz + (h || ' hours')::interval, %s, %s, ({value})::numeric"
            f" from generate_series(0, %s) as h cross join lateral (select h / 24 + 1 as n) as d",
            [world.series[code, item], start, known, batch, days * 24 - 1],
        )
    world.conn.commit()


def test_a_month_by_hand(warehouse: psycopg.Connection[Any]) -> None:
    fill(World(warehouse, feed="may"), "MAY", "梧州市", "2024-05-01", 31, "n")
    # 1..31: mean 16; k = 1 + 30 p: P98 30.4, P95 29.5 (half to even 30), P90 28.
    found = ask(
        warehouse,
        "area_month",
        "so2_mean, so2_p98, pm10_p95, o3_mda8_p90, co_p95, so2_days, expected_days, reason,"
        " index_so2, main_pollutant",
        "area_code = '450400'",
    )
    assert found == (16, 30, 30, 28, Decimal("29.5"), 31, 31, None, Decimal("0.27"), "co")


@pytest.mark.parametrize(("first", "days", "valid"), [
    ("2023-02-01", 25, True), ("2023-02-01", 24, False), ("2024-04-01", 27, True), ("2024-04-01", 26, False),
])  # fmt: skip
def test_days_that_a_month_needs(
    warehouse: psycopg.Connection[Any], first: str, days: int, valid: bool
) -> None:
    code = f"N{days}"
    area, area_code = {24: ("北海市", "450500"), 25: ("钦州市", "450700"), 26: ("玉林市", "450900"),
                       27: ("百色市", "451000")}[days]  # fmt: skip
    fill(World(warehouse, feed=code), code, area, first, days, "10")
    mean, reason, index = ask(
        warehouse, "area_month", "pm10_mean, reason, composite_index", f"area_code = '{area_code}'"
    )
    assert (mean == 10, reason is None, index is not None) == (valid, valid, valid)


def test_a_year_by_hand(warehouse: psycopg.Connection[Any]) -> None:
    world = World(warehouse, feed="year")
    fill(world, "YEAR", "贺州市", "2023-01-01", 365, "case when n <= 200 then 20 else 40 end")
    columns = (
        "pm2_5_mean, pm2_5_p95, pm2_5_compliant, so2_compliant, compliant, good_days, aqi_days,"
        " good_day_percent, standard, evaluation_standard, composite_index"
    )
    # Mean (200*20 + 165*40)/365 = 29.04; CO 29.0 mg/m³ is far over 4, so the year does not comply.
    found = ask(warehouse, "area_year", columns, "area_code = '451100' and year = 2023")
    assert found[:5] == (29, 40, True, True, False)
    assert found[5:10] == (0, 365, Decimal("0.0"), "GB 3095-2012", "HJ 663-2013")
    # 29/60 + 29/40 + 29/70 + 29/35 + 40/4 + 40/160
    assert found[10] == Decimal("12.70")
    judged = "select set_config('eco.judge_by', 'GB 3095-2026', true)"
    warehouse.execute(judged)
    row = warehouse.execute(
        f"select {columns} from as_of.air__area_year where area_code = '451100'"
    ).fetchone()
    warehouse.rollback()
    assert row is not None
    assert row[:2] == (Decimal("29.0"), Decimal("40.0"))
    assert row[8:10] == ("GB 3095-2026", "HJ 663-2026")
