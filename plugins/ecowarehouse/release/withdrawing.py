"""Withdrawn rows: out of what is readable, and, if retracted, out of the history too.

Retracted rows move to a table of their own beside the history, which only auditors read. So relations that hold no
retracted row cost what they did, and no view has to remember to leave one out.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse.checksum import identifier, period_expression
from ecowarehouse.decisions import covering
from ecowarehouse.postgres.catalog import column_names
from ecowarehouse.release import relations

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset

_CLOSE = """
with closed as (
    update {history} p set release_to = %(release)s
    where p.release_to is null and {withdrawn} returning {period} as period_start
)
select period_start, count(*) from closed group by 1
"""
_MOVE = """
with moved as (
    delete from {source} p where {which} returning {columns}, release_from, release_to, {period} as moved_of
),
kept as (
    insert into {target} ({columns}, release_from, release_to)
    select {columns}, release_from, release_to from moved
)
select moved_of, count(*) from moved group by 1
"""
# Exports look here for periods in which something went away.
_TELL = """
insert into governance.release_period (release_id, dataset, period_start, verdict, inserted, closed)
select %(release)s, %(dataset)s, t.period_start, 'withdrawn', 0, t.closed
from unnest(%(periods)s::timestamptz[], %(counts)s::bigint[]) as t (period_start, closed)
on conflict do nothing
"""


def is_due(conn: psycopg.Connection[Any], dataset: Dataset, zone: str) -> bool:
    """Whether a row stands that somebody withdrew, or one is kept apart whose retraction has ended."""
    if not column_names(conn, _history(dataset)):
        return False
    row = conn.execute(
        "select exists (select from decision.decision where dataset = %s and kind = 'withdrawal')",
        [dataset.dataset],
    ).fetchone()
    if not (row and row[0]):
        return False
    _open_the_kept(conn)
    withdrawn = covering.covered(dataset, "p", zone, kind="withdrawal")
    hidden = covering.retracted(dataset, "p", zone)
    history = relations.published_name(dataset)
    checks = [f"select from {history} p where p.release_to is null and {withdrawn}"]
    checks += [f"select from {history} p where {hidden}"]
    if relations.has_retracted(conn, dataset):
        checks.append(f"select from {relations.retracted_name(dataset)} p where not {hidden}")
    return any(_exists(conn, check) for check in checks)


def apply(conn: psycopg.Connection[Any], dataset: Dataset, release_id: int, zone: str) -> int:
    """Close withdrawn rows, hide retracted ones, bring back those whose retraction ended; how many rows that was.

    Rows whose withdrawal ended come back to what holds by the gate and the release, as any row does.
    """
    relations.ensure_retracted(conn, dataset)
    _open_the_kept(conn)
    history, apart = relations.published_name(dataset), relations.retracted_name(dataset)
    column = f"p.{identifier(dataset.period_column)}"
    parts = {
        "history": history,
        "columns": ", ".join(identifier(name) for name in relations.history_columns(conn, dataset)),
        "period": period_expression(column, dataset.grain, zone),
        "withdrawn": covering.covered(dataset, "p", zone, kind="withdrawal"),
    }
    hidden = covering.retracted(dataset, "p", zone)
    known = {"release": release_id, "dataset": dataset.dataset}
    gone = _counts(conn, _CLOSE.format(**parts), known)
    moved = _counts(conn, _MOVE.format(source=history, target=apart, which=hidden, **parts))
    back = _counts(conn, _MOVE.format(source=apart, target=history, which=f"not {hidden}", **parts))
    told = {period: max(gone.get(period, 0), moved.get(period, 0)) for period in {**gone, **moved}}
    conn.execute(_TELL, {**known, "periods": list(told), "counts": list(told.values())})
    return sum(told.values()) + sum(back.values())


def _history(dataset: Dataset) -> str:
    return f"published.{relations.table_name(dataset)}"


def _open_the_kept(conn: psycopg.Connection[Any]) -> None:
    """Even the release sees retracted rows only in a transaction that says so."""
    conn.execute("set local eco.withdrawing = 'on'")


def _exists(conn: psycopg.Connection[Any], query: str) -> bool:
    row = conn.execute(f"select exists ({query})".encode()).fetchone()
    return bool(row and row[0])


def _counts(
    conn: psycopg.Connection[Any], statement: str, parameters: dict[str, Any] | None = None
) -> dict[datetime, int]:
    return dict(conn.execute(statement.encode(), parameters).fetchall())
