"""Builds: only what changed, only when something changed, all or nothing; standards as rows."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from ecowarehouse import marts, standards
from ecowarehouse.datasets import load_datasets
from ecowarehouse.settings import Settings
from tests.dbt.test_air_hour import GOOD
from tests.dbt.water_world import CLEAN, WaterWorld
from tests.dbt.world import World, hour


def one(conn: psycopg.Connection[Any], query: str, *parameters: Any) -> Any:
    row = conn.execute(query, parameters).fetchone()
    conn.rollback()
    return None if row is None else row[0] if len(row) == 1 else tuple(row)


@pytest.fixture(scope="module")
def built(warehouse: psycopg.Connection[Any]) -> World:
    world = World(warehouse)
    world.told("B1", "贵港市", {hour("2024-03-01 00"): GOOD, hour("2024-03-01 02"): GOOD})
    world.told("B2", "贵港市", {hour("2024-03-05 00"): GOOD})
    return world


def test_a_build_takes_up_what_changed(built: World) -> None:
    result = marts.build(built.conn, "air")
    assert result.outcome == "built"
    assert one(built.conn, "select count(*), min(build_id) from air.station_hour") == (3, result.build_id)
    assert one(built.conn, "select count(*) from core.change where built_in is null") == 0
    assert one(built.conn, "select count(*) from governance.build_batch") == 2
    assert marts.newest_build(built.conn, "air") == result.build_id
    hours = "select count(*), sum(rows) from governance.candidate_period where dataset = 'air.station_hour'"
    assert one(built.conn, hours) == (3, 3)  # the hour without rows between two others is no period
    assert (
        one(built.conn, "select count(*) from governance.candidate_period where dataset = 'air.area_year'")
        == 1
    )
    models = one(built.conn, "select count(*) from governance.model_run where kind = 'model' and rows > 0")
    assert models == 5
    assert marts.recompute_check(built.conn, "air") == []


def test_without_a_change_there_is_nothing_to_do(built: World) -> None:
    before = one(built.conn, "select count(*) from governance.build")
    assert marts.build(built.conn, "air").outcome == "nothing_to_do"
    assert one(built.conn, "select count(*) from governance.build") == before


def test_only_the_scope_is_written_again(built: World) -> None:
    first = one(built.conn, "select max(build_id) from governance.build")
    later = hour("2024-03-06 00")
    built.observe("B1", {hour("2024-03-01 02"): {"pm2_5": 75}}, later, built.batch(later))
    built.conn.commit()
    [difference] = [
        d
        for d in marts.recompute_check(built.conn, "air")
        if (d.dataset, d.side) == ("air.station_hour", "stands")
    ]
    assert difference.rows == 1
    second = marts.build(built.conn, "air").build_id
    rows = built.conn.execute(
        "select build_id, aqi from air.station_hour order by station_code, period_start"
    ).fetchall()
    built.conn.rollback()
    assert rows == [(first, 40), (second, 100), (first, 40)]
    assert marts.recompute_check(built.conn, "air") == []


def test_a_failed_build_leaves_its_changes_waiting(built: World) -> None:
    later = hour("2024-03-07 00")
    built.observe("B2", {hour("2024-03-05 00"): {"pm10": 60}}, later, built.batch(later))
    built.conn.execute("update standards.air_aqi_levels set category_cn = 'wrong'")
    built.conn.commit()
    with pytest.raises(marts.BuildFailed, match="accepted_values"):
        marts.build(built.conn, "air")
    state = "select outcome from governance.build order by build_id desc limit 1"
    assert one(built.conn, state) == "failed"
    assert one(built.conn, "select outcome from governance.step order by step_id desc limit 1") == "failed"
    assert one(built.conn, "select count(*) from core.change where built_in is null") == 1
    failed = (
        "select status from governance.model_run where status not in ('success', 'pass', 'skipped') limit 1"
    )
    assert one(built.conn, failed) in ("fail", "error")
    # A row changed by hand is no approved standard, and is put back.
    assert standards.unapproved(built.conn) == ["standards/air_aqi_levels.csv"]
    built.conn.rollback()
    assert standards.apply(built.conn) == ["standards/air_aqi_levels.csv"]
    assert standards.unapproved(built.conn) == []
    built.conn.rollback()
    assert marts.build(built.conn, "air").outcome == "built"
    assert one(built.conn, "select aqi from air.station_hour where station_code = 'B2'") == 55


def test_a_full_build_writes_everything_again(built: World) -> None:
    result = marts.build(built.conn, "air", full=True)
    assert one(built.conn, "select count(*), min(build_id) from air.station_hour") == (3, result.build_id)


def test_weather(warehouse: psycopg.Connection[Any]) -> None:
    start = hour("2024-03-01 00")
    warehouse.execute(
        "insert into landing.batch (feed, source, known_at, synthetic, core_step_id)"
        " values ('w', 't', %s, true, 1)",
        [start],
    )
    batch = warehouse.execute("select max(batch_id) from landing.batch").fetchone()
    assert batch is not None
    warehouse.execute(
        "select core.ensure_partitions('weather', %s, %s, 'Asia/Shanghai')",
        [start, start + timedelta(hours=1)],
    )
    for channel, procedure, value in (("air_temperature", "measured", 21.5), ("precipitation", "sum", 3)):
        warehouse.execute(
            "with s as (insert into core.series (feed, site_code, channel, element, property, procedure,"
            " averaging_period, unit, original_unit, series_kind)"
            " values ('w', 'W1', %s, 'weather', %s, %s, 'PT1H', 'x', 'x', 'real_time') returning series_id)"
            " insert into core.observation (element, series_id, period_start, known_at, batch_id, value)"
            " select 'weather', series_id, %s, %s, %s, %s from s",
            [channel, channel, procedure, start, start, batch[0], value],
        )
    warehouse.execute(
        "insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)"
        " values ('weather', 'w', 'W1', %s, %s, %s, 1)",
        [start, start + timedelta(hours=1), batch[0]],
    )
    warehouse.commit()
    assert marts.build(warehouse, "weather").outcome == "built"
    columns = (
        "select air_temperature::text, precipitation, wind_speed, synthetic, expected_count"
        " from weather.station_hour"
    )
    assert one(warehouse, columns) == ("21.5", 3, None, True, 2)


def test_every_dataset_has_its_mart_and_its_view(warehouse: psycopg.Connection[Any]) -> None:
    world = WaterWorld(warehouse)
    world.section("s:s")
    world.sample("s:s", "2024-05-01 08:00", **CLEAN)
    warehouse.execute(
        "insert into core.change (element, feed, site_code, period_from, period_to, step_id)"
        " values ('governance', 'site_plan', 'P', '2024-01-01', '2024-02-01', 1)"
    )
    warehouse.execute(
        "insert into core.feed select 'w', 'weather', 'w', 'w', 'w', interval '1 hour', interval '3 hours',"
        " interval '2 hours', interval '0', 'Asia/Shanghai', true"
    )
    warehouse.execute(
        "insert into governance.delivery select max(batch_id), 'w', now(), 'answered', now(), now(), true"
        " from landing.batch"
    )
    warehouse.execute("update core.feed set synthetic = false where feed = 'w'")  # a promise that changed
    warehouse.commit()
    assert marts.build(warehouse, "water").outcome == "built"
    assert marts.build(warehouse, "governance").outcome == "built"
    for dataset in load_datasets():
        for relation in (dataset.relation, dataset.as_of_relation):
            columns = {
                row[0] for row in warehouse.execute(f"select * from {relation} limit 0").description or []
            }
            assert {*dataset.key, *dataset.open_columns, dataset.period_column} <= columns, relation
    warehouse.rollback()


def test_marts_are_described_in_both_languages(warehouse: psycopg.Connection[Any]) -> None:
    bare = warehouse.execute(
        """
        select a.attrelid::regclass || '.' || a.attname
        from pg_attribute as a join pg_class as c on c.oid = a.attrelid
        where c.relnamespace in ('air'::regnamespace, 'weather'::regnamespace, 'water'::regnamespace,
                                 'standards'::regnamespace, 'vocabulary'::regnamespace)
          and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
          and coalesce(col_description(a.attrelid, a.attnum), '') !~ ' · '
        """
    ).fetchall()
    warehouse.rollback()
    assert bare == []


def test_standards_are_checked_fast_and_approved_by_a_person(
    warehouse: psycopg.Connection[Any], module_database: Settings
) -> None:
    assert standards.apply(warehouse) == []
    started = time.perf_counter()
    assert standards.unapproved(warehouse) == []
    assert time.perf_counter() - started < 0.5  # 0.05 s on an idle machine
    before = standards.applied_hash(warehouse)
    warehouse.execute('update standards.air_limits set "limit" = "limit" + 1 where grade = 2')
    assert standards.unapproved(warehouse) == ["standards/air_limits.csv"]
    assert standards.applied_hash(warehouse) != before
    [state] = [state for state in standards.diff(warehouse) if not state.good]
    assert (state.file, len(state.only_in_file)) == ("standards/air_limits.csv", len(state.only_in_table))
    warehouse.rollback()
    with pytest.raises(standards.StandardsError, match="needs a person"):
        standards.approve(warehouse, "air_limits", by=" ", reason="x")
    sha256 = standards.approve(warehouse, "air_limits", by="Li", reason="read", document="GB 3095-2026")
    decided = "select file, sha256, decided_by from decision.standards_approval"
    assert one(warehouse, decided) == ("standards/air_limits.csv", sha256, "Li")
