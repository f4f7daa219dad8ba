"""Water: class by the values shown, versions of samples, months, areas and basins, targets and changes."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from ecowarehouse import marts
from tests.dbt.water_world import CLEAN, WaterWorld

Connection = psycopg.Connection[Any]

CLASSES = {  # item: value on a limit of a river -> class, and one unit above
    "codmn": [("2.0", 1), ("2.1", 2), ("4.0", 2), ("6.0", 3), ("10.0", 4), ("15.0", 5), ("15.1", 6)],
    "ammonia_nitrogen": [
        ("0.15", 1),
        ("0.16", 2),
        ("0.5", 2),
        ("1.0", 3),
        ("1.5", 4),
        ("2.0", 5),
        ("2.01", 6),
    ],
    "total_phosphorus": [
        ("0.02", 1),
        ("0.021", 2),
        ("0.1", 2),
        ("0.2", 3),
        ("0.3", 4),
        ("0.4", 5),
        ("0.401", 6),
    ],
    "dissolved_oxygen": [("7.5", 1), ("7.4", 2), ("6.0", 2), ("5.0", 3), ("3.0", 4), ("2.0", 5), ("1.9", 6)],
    "ph": [("6", 1), ("9", 1), ("5", 6), ("10", 6)],
}


def one(conn: Connection, query: str, *parameters: Any) -> Any:
    [row] = conn.execute(query.encode(), parameters).fetchall()
    conn.rollback()
    return row[0] if len(row) == 1 else row


@pytest.fixture(scope="module")
def world(warehouse: Connection) -> WaterWorld:
    made = WaterWorld(warehouse)
    for item, cases in CLASSES.items():
        for value, _ in cases:
            code = f"class:{item}={value}"
            made.section(code, basin="甲")
            made.sample(code, "2024-05-01 08:00", **{**CLEAN, item: value})
    made.section("lake:湖", river="西山湖", basin="乙")
    made.sample("lake:湖", "2024-05-01 08:00", **{**CLEAN, "total_phosphorus": "0.026", "water_class": "Ⅲ"})
    made.section("unnamed:入湖口", river="", basin="乙")
    made.sample("unnamed:入湖口", "2024-05-01 08:00", **{**CLEAN, "total_phosphorus": "0.026"})
    made.section("more:decimals", basin="乙")
    made.sample("more:decimals", "2024-05-01 08:00", **{**CLEAN, "codmn": "2.04", "ph": "7.96"})
    made.section("gap:gap", basin="乙")
    made.sample("gap:gap", "2024-05-01 08:00", **{k: v for k, v in CLEAN.items() if k != "codmn"})
    made.section("aba:aba", basin="乙")
    for number, value in enumerate(["0.12", "1.14", "0.12"], 9):
        made.sample(
            "aba:aba",
            "2024-05-01 08:00",
            f"2024-05-01 {number:02}:00",
            **{**CLEAN, "ammonia_nitrogen": value},
        )
    _months(made)
    marts.build(warehouse, "water")
    return made


def _months(made: WaterWorld) -> None:
    made.section("t:月", basin="丙", city="桂平市")
    made.target("t:月", 2024, 2)
    bad = {**CLEAN, "ammonia_nitrogen": "2.5", "codmn": "7.0", "total_phosphorus": "0.25"}
    made.sample("t:月", "2023-03-05 08:00", **CLEAN)
    made.sample("t:月", "2024-02-05 08:00", **CLEAN)
    for at, values in (("2024-03-05 08:00", bad), ("2024-03-05 12:00", bad), ("2024-03-06 08:00", bad)):
        made.sample("t:月", at, **values)
    made.section("c:限", basin="丙", city="桂平市")
    made.sample("c:限", "2024-03-05 08:00", **{**CLEAN, "ammonia_nitrogen_raw": ("<", "0.05")})
    made.section("p:酸", basin="丙", city="桂平市")
    for hour, ph in enumerate(["6.5", "7.9", "8.8", "9", "6.78", "8.87"]):
        made.sample("p:酸", f"2024-03-05 {hour * 4:02}:00", **{**CLEAN, "ph_raw": ph})


@pytest.mark.parametrize("item", CLASSES)
def test_a_value_on_a_limit_keeps_the_better_class(world: WaterWorld, item: str) -> None:
    for value, expected in CLASSES[item]:
        found = one(
            world.conn,
            "select water_class, deciding_items, standard from water.section_sample where section_code = %s",
            f"class:{item}={value}",
        )
        # 1.5 of codmn alone would be class I, so the item asked decides above it.
        assert found == (expected, item if expected > 1 else None, "GB 3838-2002"), (item, value)


def test_lakes_have_limits_of_their_own_for_phosphorus(world: WaterWorld) -> None:
    asked = (
        "select water_type, water_type_evidence, water_class, water_class_cn, water_class_reported, class_agrees"
        " from water.section_sample where section_code = %s"
    )
    assert one(world.conn, asked, "lake:湖") == ("lake", "name of the water body", 3, "Ⅲ", 3, True)
    assert one(world.conn, asked, "unnamed:入湖口") == ("river", "name of the section", 2, "Ⅱ", None, None)


def test_more_decimals_are_rounded_before_they_are_compared(world: WaterWorld) -> None:
    asked = "select water_class, codmn::text from water.section_sample where section_code = 'more:decimals'"
    assert one(world.conn, asked) == (1, "2.04")


def test_without_an_item_that_enters_the_class_there_is_none_and_it_says_so(world: WaterWorld) -> None:
    asked = "select water_class, class_reason from water.section_sample where section_code = 'gap:gap'"
    assert one(world.conn, asked) == (None, "missing:codmn")


def test_a_b_a_is_three_versions(world: WaterWorld) -> None:
    rows = world.conn.execute(
        "select version, water_class, is_current from water.section_sample where section_code = 'aba:aba' order by 1"
    ).fetchall()
    world.conn.rollback()
    assert rows == [(1, 1, False), (2, 4, False), (3, 1, True)]


def test_a_month_is_the_mean_of_its_days_with_main_pollutants_target_and_changes(world: WaterWorld) -> None:
    found = one(
        world.conn,
        "select water_class, quality_level, main_pollutants, over_standard_multiples, ammonia_nitrogen_days,"
        " ammonia_nitrogen_source, target_class, meets_target, class_previous_month, change_previous_month,"
        " class_last_year, change_last_year, class_to_date, months_to_date"
        " from water.section_month where section_code = 't:月' and month = '2024-03-01'",
    )
    assert found == (
        6, "重度污染", "ammonia_nitrogen,total_phosphorus,codmn",
        "ammonia_nitrogen 1.50,total_phosphorus 0.25,codmn 0.17", 2, "auto", 2, False,
        1, "明显变差", 1, "明显变差", 4, 2,
    )  # fmt: skip


def test_below_the_limit_half_of_it_enters_the_mean(world: WaterWorld) -> None:
    asked = "select ammonia_nitrogen::text from water.section_month where section_code = 'c:限'"
    assert one(world.conn, asked) == "0.02"  # 0.025, half to even
    sample = "select censored_items, ammonia_nitrogen_reading::text from water.section_sample"
    assert one(world.conn, sample + " where section_code = 'c:限'") == ("ammonia_nitrogen", "0.025")


def test_the_mean_of_ph_is_that_of_the_hydrogen_ion(world: WaterWorld) -> None:
    asked = "select ph::text from water.section_month where section_code = 'p:酸'"
    assert one(world.conn, asked) == "7.08"  # the peer's vector; arithmetic would give 7.98


def test_many_sections_are_judged_by_shares_and_few_by_means(world: WaterWorld) -> None:
    basin = (
        "select sections, method, class_1_sections + class_2_sections + class_3_sections, good_share::text,"
        " worse_v_share::text, quality_level, water_class from water.basin_month where basin = %s and month = %s"
    )
    sections = sum(map(len, CLASSES.values()))
    good = sum(expected <= 3 for cases in CLASSES.values() for _, expected in cases)
    assert one(world.conn, basin, "甲", "2024-05-01")[:3] == (sections, "ratio", good)
    few = one(world.conn, basin, "丙", "2024-03-01")
    assert few[:2] == (3, "mean")
    assert few[3] == "66.7"
    assert few[6] is not None


def test_what_was_built_is_what_a_recompute_gives(world: WaterWorld) -> None:
    assert marts.recompute_check(world.conn, "water") == []


def test_a_late_sample_reaches_the_months_that_depend_on_it(world: WaterWorld) -> None:
    world.sample("t:月", "2023-03-06 08:00", "2024-06-01 00:00", **{**CLEAN, "codmn": "17"})
    marts.build(world.conn, "water")
    found = one(
        world.conn,
        "select class_last_year from water.section_month where section_code = 't:月' and month = '2024-03-01'",
    )
    assert found == 4  # the mean of 1.5 and 17 is 9.2
    assert marts.recompute_check(world.conn, "water") == []
