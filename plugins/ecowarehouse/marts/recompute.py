"""Every mart compared with the same SQL over all of core: what a build left out or kept shows here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from ecowarehouse.checksum import content_columns
from ecowarehouse.datasets import Dataset, load_datasets
from ecowarehouse.ledger import step
from ecowarehouse.marts.dbt import ROLE
from ecowarehouse.postgres.catalog import column_names
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings

_COMPARE = """
    with stands as (select {columns} from {mart}),
    again as (select {columns} from {view}),
    different as (
        (select 'stands' as side, s.* from (select * from stands except all select * from again) as s)
        union all
        (select 'recomputed', a.* from (select * from again except all select * from stands) as a)
    )
    select side, count(*), min(({key})::text) from different group by side
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows of a mart that a full recompute has otherwise; `example` is the smallest key."""

    dataset: str
    side: str
    rows: int
    example: str


def recompute_check(
    conn: psycopg.Connection[Any], element: str, *, settings: Settings | None = None
) -> list[Difference]:
    """Work the marts of an element out again in full and compare; empty is good. Changes nothing.

    Changes in core that no build has taken up yet are differences too.
    """
    found: list[Difference] = []
    with acting_as(conn, ROLE), step(conn, "recompute", element) as attempt:
        conn.execute("set local eco.as_of = ''")
        conn.execute("set local eco.judge_by = ''")
        for dataset in load_datasets(settings or Settings.load()):
            if dataset.element == element:
                found += _compare(conn, dataset)
        attempt.figures = {"differences": sum(difference.rows for difference in found)}
    return found


def _compare(conn: psycopg.Connection[Any], dataset: Dataset) -> list[Difference]:
    mart = column_names(conn, dataset.relation)
    if not mart:
        return []
    columns = content_columns(mart)
    lacking = set(columns) - set(column_names(conn, dataset.as_of_relation))
    if lacking:
        return [
            Difference(dataset.dataset, f"column {name} is in the mart alone", 0, name)
            for name in sorted(lacking)
        ]
    statement = sql.SQL(_COMPARE).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        mart=sql.Identifier(*dataset.relation.split(".")),
        view=sql.Identifier(*dataset.as_of_relation.split(".")),
        key=sql.SQL("row({})").format(sql.SQL(", ").join(map(sql.Identifier, dataset.key))),
    )
    return [Difference(dataset.dataset, *row) for row in conn.execute(statement)]
