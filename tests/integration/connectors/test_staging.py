"""The staging views, on PostgreSQL: from a received payload to cells with values, texts and marks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse import formats
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.contracts.staging import cells_sql, site_sql
from ecowarehouse.landing import table
from ecowarehouse.landing.check import check, period_start
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from simulation.national import feed_csv, synthetic_pulls

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = load_contracts(ROOT / "city")
AIR = CONTRACTS["cnemc_air_hourly"]
WEATHER = CONTRACTS["weather_hourly"]
KNOWN_AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def conn(fresh_database: Settings) -> Iterator[psycopg.Connection[Any]]:
    with connect(application="tests", admin=True) as connection:
        connection.execute("create schema if not exists staging")
        for contract in (AIR, WEATHER):
            build(connection, contract)
        yield connection
        connection.rollback()


def build(connection: psycopg.Connection[Any], contract: Contract) -> None:
    table.ensure(connection, contract)
    relation = contract.landing_relation
    connection.execute(f"create view {contract.staging_relation} as {cells_sql(contract, relation)}")
    connection.execute(f"create view {contract.staging_site_relation} as {site_sql(contract, relation)}")


def land(
    connection: psycopg.Connection[Any], contract: Contract, form: str, payload: bytes, batch: int = 1
) -> None:
    received = formats.read_table(contract, form, payload)
    table.copy_rows(connection, contract, batch, check(contract, received.table, known_at=KNOWN_AT).table)


def test_every_cell_becomes_a_row_of_its_own(conn: psycopg.Connection[Any]) -> None:
    pull = synthetic_pulls(7)[0]
    land(conn, AIR, "csv", feed_csv(pull.rows), batch=3)
    found = {
        (row[0], row[1]): row[2:]
        for row in conn.execute(
            f"select site_code, channel, period_start, value, value_text, source_mark, content_batch_id"
            f" from {AIR.staging_relation}"
        )
    }
    assert len(found) == len(pull.rows) * len(AIR.channels)
    for row in pull.rows:
        for name, channel in AIR.channels.items():
            cell = row[name]
            missing = cell == "—"
            number = Decimal(cell) if channel.kind == "number" and not missing else None
            text = cell if channel.kind == "text" and not missing else None
            start = period_start(AIR.period, row["timepoint"])
            assert found[row["stationcode"], name] == (start, number, text, "—" if missing else None, 3)


def test_rejected_cells_marks_and_other_zones(conn: psycopg.Connection[Any]) -> None:
    cells = [
        "W1",
        " n ",
        "t",
        "110.1",
        "x",
        "2026-03-01T12:00:00Z",
        "25.50",
        "1e400",
        "-9999",
        "null",
        "",
        " 7 ",
    ]
    items = [dict(zip(WEATHER.header, cells, strict=True)), dict(zip(WEATHER.header, cells, strict=True))]
    items[1]["time"] = "2026-03-01T12:00:00"
    land(conn, WEATHER, "json", json.dumps({"items": items}).encode())
    rows = conn.execute(
        f"select channel, value, source_mark, period_start from {WEATHER.staging_relation}"
    ).fetchall()
    assert {row[0]: row[1:3] for row in rows} == {
        "temperature": (Decimal("25.50"), None),
        "pressure": (None, "-9999"),
        "wind_speed": (None, "null"),
        "wind_direction": (None, None),
        "precipitation": (Decimal(7), None),
    }
    assert {row[3].astimezone(UTC) for row in rows} == {
        datetime(2026, 3, 1, 11, tzinfo=UTC),
        datetime(2026, 3, 1, 3, tzinfo=UTC),
    }
    site = conn.execute(
        f"select site_name, longitude, latitude from {WEATHER.staging_site_relation}"
    ).fetchone()
    assert site == ("n", Decimal("110.1"), None)


def test_one_batch_is_found_by_the_index(conn: psycopg.Connection[Any]) -> None:
    for batch in range(1, 12):
        land(conn, AIR, "csv", feed_csv(synthetic_pulls(batch)[0].rows), batch=batch)
    conn.execute(f"analyze {AIR.landing_relation}")
    conn.execute("set local enable_seqscan = off")
    plan = conn.execute(f"explain select * from {AIR.staging_relation} where content_batch_id = 2").fetchall()
    assert "Index Cond: (batch_id = 2)" in "\n".join(line for (line,) in plan)


@pytest.mark.parametrize(
    ("time_format", "label"),
    [
        ("%Y%m%d%H%M", "202603011200"),
        ("%d/%m/%Y %H:%M", "01/03/2026 12:00"),
        ("%Y-%m-%d %H:%M", "2026-03-01 12:00"),
    ],
)
def test_python_and_sql_read_labels_alike(
    conn: psycopg.Connection[Any], time_format: str, label: str
) -> None:
    for zone in ("UTC", "America/New_York"):
        conn.execute("select set_config('TimeZone', %s, true)", [zone])
        for edge in ("start", "end"):
            period = AIR.period.model_copy(update={"format": time_format, "label": edge})
            contract = AIR.model_copy(update={"period": period})
            columns = ", ".join(f"'1' as {name}" for name in AIR.header if name != "timepoint")
            source = (
                "(select 1 as batch_id, 1 as row_number, null::text[] as rejected_columns,"
                f" '{label}' as timepoint, {columns}) as one"
            )
            row = conn.execute(
                f"select min(period_start) from ({cells_sql(contract, source)}) as cell"
            ).fetchone()
            assert row is not None
            assert row[0] == period_start(period, label)
