"""What the database itself says of a relation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the catalogue has it."""

    name: str
    type: str
    comment: str | None


def columns_of(conn: psycopg.Connection[Any], relation: str) -> list[Column]:
    """Columns of `schema.relation` in order; empty if there is no such relation."""
    rows = conn.execute(
        "select a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum)"
        " from pg_attribute a where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped"
        " order by a.attnum",
        [relation],
    )
    return [Column(*row) for row in rows]


def column_names(conn: psycopg.Connection[Any], relation: str) -> list[str]:
    """Their names alone."""
    return [column.name for column in columns_of(conn, relation)]
