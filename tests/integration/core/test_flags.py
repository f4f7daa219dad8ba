"""Flags beside values: by the vectors of ioos_qc, at gaps and detection limits, and after revisions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecowarehouse import query
from ecowarehouse.core import flags
from tests.integration.feed_house import FeedHouse, at, row

QUARTER = timedelta(minutes=15)
START = datetime(2019, 7, 18, tzinfo=UTC)

# Vectors that are of another method than ours:
# - spike, "average": compares with the mean of both neighbours; ours is "differential" (the smaller of both steps).
# - rollup: the worst of several flags; no table of ours holds one, marts count suspect values.
APPLY = [
    ("gross_range", 0, "range"),
    ("spike", 4, "spike"),
    ("rate_of_change", 0, "rate_of_change"),
    ("rate_of_change", 1, "rate_of_change"),
    ("flat_line", 0, "flat_line"),
]


def rule_of(kind: str, vector: dict[str, Any]) -> dict[str, Any]:
    """A vector's thresholds as a row of vocabulary.quality_rule."""
    if kind == "gross_range":
        low, high = vector["fail_span"], vector["suspect_span"]
        return {"fail_min": low[0], "fail_max": low[1], "suspect_min": high[0], "suspect_max": high[1]}
    if kind == "spike":
        return {"threshold_suspect": vector["suspect"], "threshold_fail": vector["fail"]}
    if kind == "rate_of_change":
        return {"threshold_suspect": vector["threshold_per_15min"]}
    step = vector["step_minutes"] * 60  # a run that lasts n steps has n + 1 values
    suspect, fail = (int(vector[name] // step) + 1 for name in ("suspect_s", "fail_s"))
    return {"min_run": suspect, "threshold_fail": fail, "tolerance": vector["tolerance"]}


@pytest.mark.shared
@pytest.mark.parametrize(("kind", "place", "test"), APPLY)
def test_vectors_of_ioos_qc(house: FeedHouse, shared: Path, kind: str, place: int, test: str) -> None:
    vectors = json.loads((shared / "data/test_vectors/qartod_flag_vectors.json").read_text(encoding="utf-8"))
    vector = vectors[kind][place]
    assert vector.get("method", "differential") == "differential"
    rule = {
        "test": test,
        "property": "vector",
        "averaging_period": "PT15M",
        "rule_version": 1,
        **rule_of(kind, vector),
    }
    conn = house.admin
    conn.execute(
        f"insert into vocabulary.quality_rule ({', '.join(rule)}) values ({', '.join(['%s'] * len(rule))})",
        list(rule.values()),
    )
    with conn.transaction():
        last = START + QUARTER * len(vector["values"])
        conn.execute("select core.ensure_partitions('air', %s, %s, 'Asia/Shanghai')", [START, last])
        series = house.one(
            "insert into core.series (feed, site_code, channel, element, property, procedure, averaging_period, unit,"
            " original_unit, series_kind) values ('v', 'v', 'v', 'air', 'vector', 'measured', 'PT15M', '1', '1',"
            " 'real_time') returning series_id"
        )
        for index, value in enumerate(vector["values"]):
            conn.execute(
                "insert into core.observation (element, series_id, period_start, known_at, batch_id, value)"
                " values ('air', %s, %s, %s, 1, %s)",
                [series, START + QUARTER * index, last, None if value is None else str(value)],
            )
        conn.execute(
            "create temporary table touched on commit drop as select %s::integer as series_id,"
            " %s::timestamptz as period_from, %s::timestamptz as period_to",
            [series, START, last],
        )
        flags.judge(conn, "air", QUARTER)
    # Missing values have their own test (9); everything without a row is good.
    found = dict(
        house.all(
            "select period_start, max(flag) from core.quality_flag where test = any(%s) group by 1",
            [test, "missing"],
        )
    )
    assert [found.get(START + QUARTER * i, 1) for i in range(len(vector["values"]))] == vector["expected"]


def hours(channel: str, values: dict[int, object], code: str = "S1") -> list[dict[str, str]]:
    return [row(code, hour, **{channel: value}) for hour, value in values.items()]


def test_a_spike_and_its_way_back(house: FeedHouse) -> None:
    house.load("13:10", hours("so2", {9: 10, 10: 10, 11: 500, 12: 10, 13: 10}))
    assert house.flags(channel="so2") == [
        ("so2", 9, "spike", 2),
        ("so2", 11, "rate_of_change", 3), ("so2", 11, "spike", 4),
        ("so2", 12, "rate_of_change", 3),
        ("so2", 13, "spike", 2),
    ]  # fmt: skip
    assert house.sound()


@pytest.mark.parametrize("gap", [{}, {11: "—"}], ids=["no row", "no value"])
def test_nothing_is_compared_across_a_gap(house: FeedHouse, gap: dict[int, object]) -> None:
    house.load("13:10", hours("so2", {9: 10, 10: 10, **gap, 12: 500, 13: 500}))
    assert house.flags(channel="so2") == [("so2", hour, "spike", 2) for hour in (9, 10, 12, 13)]
    details = {d[0] for d in house.all("select detail from core.quality_flag where test = 'spike'")}
    assert details == {"a neighbour is missing"}


def test_an_unchanged_value_is_flat_but_not_at_or_below_the_detection_limit(house: FeedHouse) -> None:
    day = range(-12, 13)
    steady = {**dict.fromkeys(day, 40), -12: 39}
    low = dict.fromkeys(day, "1.5")  # half of 3
    house.load(
        "12:10", hours("so2", steady) + hours("so2", low, "S2") + hours("so2", dict.fromkeys(day, 3), "S3")
    )
    flat = "select site_code, flag, period_start from core.quality_flag join core.series using (series_id)"
    assert house.all(flat + " where test = 'flat_line'") == [("S1", 3, at("11:00"))], "the 24th of equal ones"


def test_a_flat_run_that_came_in_two_contents_is_found(house: FeedHouse) -> None:
    house.load("07:10", hours("pm10", dict.fromkeys(range(2, 8), 40)))
    before = house.newest_change()
    house.load("13:10", hours("pm10", dict.fromkeys(range(8, 14), 40)))
    assert ("pm10", 13, "flat_line", 3) in house.flags(channel="pm10"), "the 12th of equal ones"
    assert house.changes_since(before) == [("S1", 8, 13)]
    # A late change in the middle takes the flag away, and the scope reaches as far as the flag did.
    before = house.newest_change()
    house.load("13:20", hours("pm10", {9: 41}))
    assert not [flag for flag in house.flags(channel="pm10") if flag[2] == "flat_line"]
    assert house.changes_since(before) == [("S1", 9, 13)]
    assert house.sound()


def test_an_inversion_marks_both_and_only_beyond_the_precision(house: FeedHouse) -> None:
    house.load("12:10", [row("S1", pm2_5=56, pm10=50), row("S2", pm2_5=55, pm10=50), row("S3", pm2_5=56)])
    assert [f for f in house.flags("S1") if f[2] == "pm_inversion"] == [
        ("pm10", 12, "pm_inversion", 3), ("pm2_5", 12, "pm_inversion", 3),
    ]  # fmt: skip
    assert not [f for code in ("S2", "S3") for f in house.flags(code) if f[2] == "pm_inversion"]


@pytest.mark.parametrize("item", ["pm10", "pm2_5"])
def test_an_inversion_that_comes_or_goes_by_one_of_the_two_marks_both(house: FeedHouse, item: str) -> None:
    house.load("12:10", [row(pm2_5=40, pm10=50)])
    turned = {"pm2_5": 40, "pm10": 50} | ({"pm10": 30} if item == "pm10" else {"pm2_5": 60})
    house.load("12:20", [row(**turned)])
    inverted = "select channel, known_at from core.quality_flag join core.series using (series_id)"
    other = "pm2_5" if item == "pm10" else "pm10"
    assert house.all(inverted + " where test = 'pm_inversion' order by 1") == sorted(
        [(item, at("12:20")), (other, at("12:10"))]
    )
    house.load("12:30", [row(pm2_5=40, pm10=50)])
    assert house.all(inverted + " where test = 'pm_inversion'") == []
    assert house.sound()


def test_any_part_of_any_whole_is_a_row_of_the_rules(house: FeedHouse) -> None:
    house.admin.execute(
        "insert into vocabulary.quality_rule (test, property, whole, averaging_period, tolerance, rule_version)"
        " values ('two_parts', 'so2', 'pm10', 'PT1H', 1, 7), ('two_parts', 'no2', 'pm10', 'PT1H', 0, 7)"
    )
    house.load("12:10", [row("S1", so2=21, no2=22, pm10=20), row("S2", so2=30, no2=22, pm10=20)])
    found = house.all(
        "select site_code, channel, flag, rule_version, detail from core.quality_flag join core.series"
        " using (series_id) where test = 'two_parts' order by 1, 2"
    )
    assert found == [
        ("S1", "no2", 3, 7, "no2 22 above pm10 20"), ("S1", "pm10", 3, 7, "no2 22 above pm10 20"),
        ("S2", "no2", 3, 7, "no2 22 above pm10 20"), ("S2", "pm10", 3, 7, "no2 22 above pm10 20; so2 30 above pm10 20"),
        ("S2", "so2", 3, 7, "so2 30 above pm10 20"),
    ]  # fmt: skip
    assert house.sound()


def test_flags_follow_a_revision(house: FeedHouse) -> None:
    house.load("13:10", hours("so2", {10: 10, 11: 500, 12: 10}))
    before = house.newest_change()
    house.load("13:20", hours("so2", {11: 12}))
    assert [f for f in house.flags(channel="so2") if f[3] != 2] == []
    assert house.changes_since(before) == [("S1", 11, 12)], "the hour after it is not suspect any more"
    house.load("13:30", hours("so2", {11: 500}))
    assert [f[1:] for f in house.flags(channel="so2") if f[3] != 2] == [
        (11, "rate_of_change", 3), (11, "spike", 4), (12, "rate_of_change", 3),
    ]  # fmt: skip
    known = "select distinct known_at from core.quality_flag where test = 'spike' and flag = 4"
    assert house.all(known) == [(at("13:30"),)]
    assert house.sound()


def test_a_neighbour_whose_flag_changes_is_in_the_scope_of_the_next_build(house: FeedHouse) -> None:
    house.load("11:10", hours("so2", {10: 10, 11: 500}) + hours("so2", {11: 10}, "S2"))
    before = house.newest_change()
    house.load("12:10", hours("so2", {12: 10}))
    assert ("so2", 11, "spike", 4) in house.flags(channel="so2")
    assert house.changes_since(before) == [("S1", 11, 12)]


def test_a_late_sighting_is_judged_like_one_in_time(house: FeedHouse) -> None:
    house.load("13:30", hours("so2", {10: 10, 12: 10}))
    house.load("13:10", hours("so2", {11: 500}))
    assert ("so2", 11, "spike", 4) in house.flags(channel="so2")
    house.load("13:20", hours("so2", {11: 11}))
    assert [f for f in house.flags(channel="so2") if f[3] != 2] == []
    assert house.sound()


def test_an_impossible_value_stays_invalid_in_the_past_after_its_revision(house: FeedHouse) -> None:
    house.load("12:10", [row(pm10=30000, so2=10)])
    asked = "select pm10::text, so2::text, valid_count from as_of.air__station_hour"
    role = {"role": "eco_engineer", "as_of": at("12:15")}
    known_then = query.run(asked, **role).rows
    assert known_then == [(None, "10", 1)]
    house.load("12:20", [row(pm10=30, so2=10)])
    assert query.run(asked).rows == [("30", "10", 2)]
    assert query.run(asked, **role).rows == known_then
    assert house.sound()
