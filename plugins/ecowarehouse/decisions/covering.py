"""Which rows of a dataset decisions cover, as SQL; and which decisions a period stands under."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ecowarehouse.checksum import identifier, literal, period_expression, period_value
from ecowarehouse.postgres.session import acting_as

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset

#: In the SQL of a suite: true where somebody wrote down why computed and reported values differ.
KNOWN_DISAGREEMENT: Final = "known_disagreement"
_MARK: Final = "/decided:"

_STANDS_UNDER = """
    select s.dataset, s.period_start,
        string_agg(left(d.kind, 1) || d.decision_id, ',' order by d.decision_id) as decided
    from governance.dataset_state as s
    inner join decision.in_force as d
        on d.dataset = s.dataset and s.period_start >= d.period_from and s.period_start < d.period_to
    where s.element = %(element)s
    group by s.dataset, s.period_start
"""


def matches(dataset: Dataset, row: str, decision: str, zone: str) -> str:
    """SQL condition: the decision (an alias) speaks of the row (an alias) of the dataset."""
    column = f"{row}.{identifier(dataset.period_column)}"
    period = period_expression(column, dataset.grain, zone)
    low, high = (period_value(f"{decision}.period_{end}", dataset.grain, zone) for end in ("from", "to"))
    key = ", ".join(
        f"{literal(name)}, {row}.{identifier(name)}" for name in dataset.key if name != dataset.period_column
    )
    return (
        f"{decision}.dataset = {literal(dataset.dataset)}"
        f" and {column} >= {low} and {column} <= {high}"  # for the index; the next line is exact
        f" and {period} >= {decision}.period_from and {period} < {decision}.period_to"
        f" and jsonb_build_object({key}) @> {decision}.row_scope"
    )


def covered(dataset: Dataset, row: str, zone: str, *, kind: str) -> str:
    """SQL condition: a decision of this kind that holds speaks of the row."""
    return (
        f"exists (select from decision.in_force d where d.kind = {literal(kind)}"
        f" and {matches(dataset, row, 'd', zone)})"
    )


def retracted(dataset: Dataset, row: str, zone: str) -> str:
    """SQL condition: the row is retracted now, whatever moment is asked for."""
    return f"exists (select from decision.retraction d where {matches(dataset, row, 'd', zone)})"


def explained(text: str, dataset: Dataset, row: str, zone: str) -> str:
    """SQL of a suite in which `known_disagreement` asks the decisions; costs nothing where it does not stand."""
    return re.sub(
        rf"\b{KNOWN_DISAGREEMENT}\b", lambda _: covered(dataset, row, zone, kind="disagreement"), text
    )


def decided(conn: psycopg.Connection[Any], element: str) -> dict[tuple[str, datetime], str]:
    """For (dataset, period) the decisions that it stands under now, such as `e7,w9`; the others are left out."""
    if not _any(conn):
        return {}
    rows = conn.execute(_STANDS_UNDER, {"element": element}).fetchall()
    return {(dataset, period): text for dataset, period, text in rows}


def settled_otherwise(conn: psycopg.Connection[Any], element: str) -> Sequence[tuple[str, datetime]]:
    """Released periods whose release knew other decisions than hold now: one began, was revoked, or ran out."""
    if not _any(conn):
        return []
    return conn.execute(
        f"""
        select s.dataset, s.period_start
        from governance.dataset_state as s
        left join ({_STANDS_UNDER}) as n on n.dataset = s.dataset and n.period_start = s.period_start
        where s.element = %(element)s and s.state = 'released'
            and coalesce(n.decided, '') <> split_part(coalesce(s.released_checksum, ''), '{_MARK}', 2)
        """,
        {"element": element},
    ).fetchall()


def marked(content: str, decisions: str | None) -> str:
    """What a release of a period consists of, with the decisions it stands under."""
    return f"{content}{_MARK}{decisions}" if decisions else content


def speaks_of_rows(
    conn: psycopg.Connection[Any],
    dataset: Dataset,
    relation: str,
    periods: tuple[datetime, datetime],
    row_scope: Mapping[str, str],
    zone: str,
) -> bool:
    """Whether a decision about these periods and this scope would speak of any row of a relation: else it is a slip."""
    spoken_of = {"dataset": dataset.dataset, "from": periods[0], "to": periods[1]}
    with acting_as(conn, "eco_release"):
        there = conn.execute("select to_regclass(%s) is not null", [relation]).fetchone()
        if not (there and there[0]):
            return False
        row = conn.execute(
            "with d (dataset, period_from, period_to, row_scope) as (values"
            " (%(dataset)s, %(from)s::timestamptz, %(to)s::timestamptz, %(scope)s::jsonb))"
            f" select exists (select from {relation} r, d where {matches(dataset, 'r', 'd', zone)})".encode(),
            {**spoken_of, "scope": json.dumps(dict(row_scope))},
        ).fetchone()
    return bool(row and row[0])


def _any(conn: psycopg.Connection[Any]) -> bool:
    row = conn.execute("select exists (select from decision.decision where dataset is not null)").fetchone()
    return bool(row and row[0])
