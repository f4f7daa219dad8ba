"""What the releases say: which version a dataset has, which parts it changed, what a part holds. Reads only.

The caller holds one repeatable-read transaction, so that all answers are of one moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from ecowarehouse.checksum import NOT_CONTENT, identifier, literal, period_bounds, period_expression
from ecowarehouse.datasets import Dataset
from ecowarehouse.exports import parts
from ecowarehouse.exports.fields import Field
from ecowarehouse.exports.parts import Part
from ecowarehouse.postgres.catalog import Column, columns_of
from ecowarehouse.release import relations


@dataclass(frozen=True, slots=True)
class Release:
    """One release as a manifest tells it: when, what the sources knew, by which code, from which batches."""

    release_id: int
    released_at: datetime
    known_at: datetime | None
    code_version: str | None
    batches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What a part holds as of a release; `scales`: decimals that the values of each numeric column need."""

    rows: int
    period_from: datetime
    period_to: datetime
    known_at: datetime | None
    synthetic: bool
    editions: tuple[tuple[str, str | None], ...]
    scales: dict[str, int]


def changed_parts(conn: psycopg.Connection[Any], dataset: Dataset, zone: str) -> list[Part]:
    """Every part that a release ever changed, with the newest release that did; in order of time."""
    rows = conn.execute(
        "select date_trunc(%(cut)s, period_start at time zone %(zone)s), max(release_id)"
        " from governance.release_period where dataset = %(dataset)s and inserted + closed > 0"
        " group by 1 order by 1",
        {"cut": parts.CUT[dataset.grain], "zone": zone, "dataset": dataset.dataset},
    ).fetchall()
    return [parts.make(dataset.grain, first, release_id, zone) for first, release_id in rows]


def releases(conn: psycopg.Connection[Any], ids: Sequence[int]) -> dict[int, Release]:
    """The named releases."""
    rows = conn.execute(
        "select release_id, released_at, known_at, code_version, inputs from governance.release"
        " where release_id = any(%s)",
        [sorted(set(ids))],
    ).fetchall()
    return {
        release_id: Release(
            release_id, released_at, known_at, code_version,
            tuple(sha256 for _, sha256 in inputs.get("batches", ()) if sha256),
        )
        for release_id, released_at, known_at, code_version, inputs in rows
    }  # fmt: skip


def published_columns(conn: psycopg.Connection[Any], dataset: Dataset) -> list[Column]:
    """The content columns of the history, in its order; empty before the first release."""
    found = columns_of(conn, f"published.{relations.table_name(dataset)}")
    return [column for column in found if column.name not in NOT_CONTENT]


def content(
    conn: psycopg.Connection[Any],
    dataset: Dataset,
    part: Part,
    fields: Sequence[Field],
    zone: str,
) -> Content | None:
    """Count and facts of a part's rows, with what is common to all columns; None when no row holds."""
    there = {column.name for column in published_columns(conn, dataset)}
    decimals = [one.name for one in fields if one.is_decimal]
    shown = {one.name for one in fields}
    chosen = [
        "count(*)",
        "max(p.known_at)" if "known_at" in there else "null",
        "coalesce(bool_or(p.synthetic), false)" if "synthetic" in there else "false",
        _editions(shown),
        *(f"coalesce(max(scale(p.{identifier(name)})), 0)" for name in decimals),
    ]
    row = conn.execute(f"select {', '.join(chosen)} {_rows(dataset, part, zone)}".encode()).fetchone()
    assert row is not None
    if row[0] == 0:
        return None
    first, last = _reach(conn, dataset, part, zone)
    editions = tuple(sorted((name, mark) for name, mark in row[3] or ()))
    return Content(row[0], first, last, row[1], row[2], editions, dict(zip(decimals, row[4:], strict=True)))


def rows_query(dataset: Dataset, part: Part, fields: Sequence[Field], zone: str) -> str:
    """The rows of a part as of its release, in key order, every cell as the CSV has it."""
    by_name = {one.name: one for one in fields}
    cells = ", ".join(f"{one.cell()} as {identifier(one.name)}" for one in fields)
    order = ", ".join(by_name[name].order() for name in dataset.key)
    return f"select {cells} {_rows(dataset, part, zone)} order by {order}"


def _rows(dataset: Dataset, part: Part, zone: str) -> str:
    column = f"p.{identifier(dataset.period_column)}"
    bounds = period_bounds(column, dataset.grain, zone, _moment(part.start), _moment(part.end))
    return (
        f"from {relations.published_name(dataset)} p where {bounds} and p.release_from <= {part.release_id}"
        f" and (p.release_to is null or p.release_to > {part.release_id})"
    )


def _moment(moment: datetime) -> str:
    return f"{literal(moment.isoformat())}::timestamptz"


def _editions(shown: set[str]) -> str:
    if "standard" not in shown:
        return "null"
    mark = "p.standard_mark::text" if "standard_mark" in shown else "null::text"
    return f"json_agg(distinct jsonb_build_array(p.standard, {mark})) filter (where p.standard is not null)"


def _reach(
    conn: psycopg.Connection[Any], dataset: Dataset, part: Part, zone: str
) -> tuple[datetime, datetime]:
    """Start of the first and end of the last period of a part."""
    column = f"p.{identifier(dataset.period_column)}"
    step = f"interval '1 {dataset.grain}'"
    first = period_expression(f"min({column})", dataset.grain, zone)
    last = period_expression(f"max({column})", dataset.grain, zone)
    after = f"(({last} at time zone {literal(zone)}) + {step}) at time zone {literal(zone)}"
    row = conn.execute(f"select {first}, {after} {_rows(dataset, part, zone)}".encode()).fetchone()
    assert row is not None
    return row[0], row[1]
