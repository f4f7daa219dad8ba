"""Landing tables: the source's columns as text, made from the contract."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv
from psycopg import sql

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract

_READERS = ("eco_core", "eco_dbt", "eco_gate", "eco_engineer")


def ensure(conn: psycopg.Connection[Any], contract: Contract) -> None:
    """Make `landing.<feed>` when it is missing; a column that a newer contract adds is added."""
    relation = sql.Identifier("landing", contract.feed)
    there = conn.execute(
        "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [f'landing."{contract.feed}"'],
    ).fetchall()
    if there:
        known = {row[0] for row in there}
        for column in contract.landed:
            if column not in known:
                conn.execute(
                    sql.SQL("alter table {} add column {} text").format(relation, sql.Identifier(column))
                )
        return
    columns = sql.SQL(", ").join(
        sql.SQL("{} text").format(sql.Identifier(column)) for column in contract.landed
    )
    conn.execute(
        sql.SQL(
            "create table {} (batch_id integer not null, row_number bigint not null, rejected_columns text[], {})"
        ).format(relation, columns)
    )
    conn.execute(sql.SQL("create index on {} (batch_id)").format(relation))
    comment = f"One row is one row of the feed as received · {contract.title.zh}"
    conn.execute(sql.SQL("comment on table {} is {}").format(relation, sql.Literal(comment)))
    for reader in _READERS:
        conn.execute(sql.SQL("grant select on {} to {}").format(relation, sql.Identifier(reader)))


def copy_rows(conn: psycopg.Connection[Any], contract: Contract, batch_id: int, table: pa.Table) -> None:
    """Write checked rows (`row_number`, `rejected_columns`, the landed columns; all text) by COPY.

    They are written in the order of their key: so core's index grows at few places, and what is read together lies
    together. `row_number` keeps the source's order.
    """
    table = table.sort_by([(column, "ascending") for column in contract.key])
    columns = ["row_number", "rejected_columns", *contract.landed]
    statement = sql.SQL("copy {} (batch_id, {}) from stdin (format csv)").format(
        sql.Identifier("landing", contract.feed), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    options = pacsv.WriteOptions(include_header=False, quoting_style="needed")
    with conn.cursor().copy(statement) as copy:
        for chunk in table.select(columns).to_batches(max_chunksize=50_000):
            numbered = pa.Table.from_batches([chunk])
            numbered = numbered.add_column(0, "batch_id", pa.array([batch_id] * len(chunk), pa.int32()))
            buffer = io.BytesIO()
            pacsv.write_csv(numbered, buffer, options)
            copy.write(buffer.getvalue())
    _count(conn, contract, len(table))


def _count(conn: psycopg.Connection[Any], contract: Contract, added: int) -> None:
    """Refresh the planner's picture when a content is large beside what stood: it plans core's joins by it."""
    row = conn.execute(
        "select reltuples from pg_class where oid = %s::regclass", [contract.landing_relation]
    ).fetchone()
    if row is None or row[0] < 10 * added:
        conn.execute(sql.SQL("analyze {}").format(sql.Identifier("landing", contract.feed)))
