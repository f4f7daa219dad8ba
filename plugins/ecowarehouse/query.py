"""Read-only questions to the warehouse, as of any moment, by any edition of a standard, in any role.

`--as-of T` means known_at not after T. The session carries the moment (`eco.as_of`), and relations that have a view in
schema `as_of` are read through it, so that one SQL text answers for any moment.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import sqlglot
from psycopg import sql as pgsql
from sqlglot import exp

from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.errors import DatabaseUnreachable

DEFAULT_ROLE = "eco_engineer"


class QueryRefused(ValueError):
    """The question can't be asked: not one SELECT, an unknown role or edition, or an error of the database."""


@dataclass(frozen=True)
class Answer:
    """Column names and rows, and the SQL that was really run."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    sql: str

    def as_json(self) -> str:
        """A list of objects; times in ISO 8601, exact numbers as text.

        Raises `QueryRefused` when two columns have one name: an object would keep the last.
        """
        twice = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if twice:
            raise QueryRefused(
                f"JSON needs a name of its own for each column: {', '.join(twice)} stands twice"
            )
        return json.dumps(
            [dict(zip(self.columns, row, strict=True)) for row in self.rows],
            default=_plain,
            ensure_ascii=False,
        )

    def as_csv(self) -> str:
        """Header and rows; null is empty."""
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(self.columns)
        writer.writerows([["" if cell is None else _plain(cell) for cell in row] for row in self.rows])
        return buffer.getvalue()


def run(
    question: str,
    *,
    as_of: datetime | None = None,
    judge_by: str | None = None,
    role: str | None = None,
    parameters: Sequence[Any] | None = None,
) -> Answer:
    """Run one SELECT in a read-only transaction of a reader `role` (default: eco_engineer), by its own login.

    Raises `QueryRefused`.
    """
    try:
        with connect(role or DEFAULT_ROLE, application="eco query", confined=True) as conn:
            return ask(conn, question, as_of=as_of, judge_by=judge_by, parameters=parameters)
    except DatabaseUnreachable as error:
        raise QueryRefused(str(error)) from error


def ask(
    conn: psycopg.Connection[Any],
    question: str,
    *,
    as_of: datetime | None = None,
    judge_by: str | None = None,
    parameters: Sequence[Any] | None = None,
) -> Answer:
    """Run one SELECT on an open connection; see `run`."""
    try:
        with conn.transaction():
            conn.execute("set transaction read only")
            conn.execute(
                "select set_config('eco.as_of', %s, true), set_config('eco.judge_by', %s, true)",
                [as_of.isoformat() if as_of else "", judge_by or ""],
            )
            if judge_by:
                _require_edition(conn, judge_by)
            statement = _through_views(conn, question) if as_of or judge_by else question
            # Prepared, because that takes one statement only: `commit; …` would leave the read-only transaction.
            cursor = conn.execute(statement, parameters, prepare=True)
            if cursor.description is None:
                raise QueryRefused("not a question: only statements that return rows")
            return Answer([column.name for column in cursor.description], cursor.fetchall(), statement)
    except psycopg.Error as error:
        hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
        raise QueryRefused(f"{error.diag.message_primary or error}{hint}") from error


def _require_edition(conn: psycopg.Connection[Any], name: str) -> None:
    """Refuse a name that no edition bears: nothing would be judged by it, and all of it would look like missing."""
    known = [row[0] for row in conn.execute("select name from standards.edition_name order by name")]
    if name not in known:
        raise QueryRefused(f"no edition is called {name!r}; there are: {', '.join(known)}")


def _through_views(conn: psycopg.Connection[Any], question: str) -> str:
    """Replace `air.station_hour` by `as_of.air__station_hour` where such a view stands."""
    found = conn.execute(
        "select relname from pg_class join pg_namespace n on n.oid = relnamespace"
        " where nspname = 'as_of' and relkind = 'v'"
    ).fetchall()
    views = {row[0] for row in found}
    try:
        statements = [one for one in sqlglot.parse(question, dialect="postgres") if one is not None]
    except sqlglot.errors.SqlglotError as error:
        raise QueryRefused(f"can't read the SQL: {error}") from error
    # What sqlglot can't read through it passes on as it stands, and the answer would be today's.
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise QueryRefused("--as-of and --judge-by go with one SELECT")
    [tree] = statements
    for relation in tree.find_all(exp.Table):
        view = f"{_folded(relation.args.get('db'))}__{_folded(relation.this)}"
        if view in views:
            if not relation.alias:
                relation.set("alias", exp.TableAlias(this=exp.to_identifier(relation.name)))
            relation.set("this", exp.to_identifier(view))
            relation.set("db", exp.to_identifier("as_of"))
    return tree.sql(dialect="postgres")


def _folded(name: exp.Expression | None) -> str:
    """A name as PostgreSQL reads it: in small letters unless it is quoted."""
    if not isinstance(name, exp.Identifier):
        return ""
    return name.name if name.quoted else name.name.lower()


def roles(conn: psycopg.Connection[Any]) -> list[str]:
    """Roles of the warehouse that a question may be asked in."""
    rows = conn.execute(
        pgsql.SQL("select rolname from pg_roles where rolname like 'eco\\_%' order by 1")
    ).fetchall()
    return [row[0] for row in rows]


def _plain(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
