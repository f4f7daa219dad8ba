"""Read-only questions to the warehouse, as of any moment, by any edition of a standard, in any role.

`--as-of T` means known_at not after T. The session carries the moment (`eco.as_of`), and relations that have a view in
schema `as_of` are read through it, so that one SQL text answers for any moment.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import psycopg
import sqlglot
from psycopg import sql as pgsql
from psycopg.adapt import Loader
from psycopg.types.datetime import (
    DateLoader,
    TimeLoader,
    TimestampLoader,
    TimestamptzLoader,
    TimetzLoader,
)
from psycopg.types.string import TextLoader
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
            [dict(zip(self.columns, map(_in_json, row), strict=True)) for row in self.rows],
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
            statement = (
                _through_views(conn, question, past=as_of is not None) if as_of or judge_by else question
            )
            # Prepared, because that takes one statement only: `commit; …` would leave the read-only transaction.
            cursor = _asking(conn).execute(statement, parameters, prepare=True)
            if cursor.description is None:
                raise QueryRefused("not a question: only statements that return rows")
            return Answer([column.name for column in cursor.description], cursor.fetchall(), statement)
    except psycopg.Error as error:
        hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
        raise QueryRefused(f"{error.diag.message_primary or error}{hint}") from error


def _asking(conn: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """A cursor that gives `infinity`, and whatever else no calendar of Python holds, as PostgreSQL writes it."""
    cursor = conn.cursor()
    for name, loader in _LOADERS.items():
        cursor.adapters.register_loader(name, loader)
    return cursor


def _or_text(base: type[Loader]) -> type[Loader]:
    class OrText(base):  # type: ignore[misc, valid-type]
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return OrText


_LOADERS: Final[dict[str, type[Loader]]] = {
    "date": _or_text(DateLoader), "timestamp": _or_text(TimestampLoader), "timestamptz": _or_text(TimestamptzLoader),
    "time": _or_text(TimeLoader), "timetz": _or_text(TimetzLoader),
    "interval": TextLoader,  # a month has no number of days, and an infinite one would be none
}  # fmt: skip


def _require_edition(conn: psycopg.Connection[Any], name: str) -> None:
    """Refuse a name that no edition bears: nothing would be judged by it, and all of it would look like missing."""
    known = [row[0] for row in conn.execute("select name from standards.edition_name order by name")]
    if name not in known:
        raise QueryRefused(f"no edition is called {name!r}; there are: {', '.join(known)}")


# Views that ask core.as_of(), themselves or by a view below them.
_KNOWING = """
with recursive knowing (oid) as (
    select r.ev_class
    from pg_depend d join pg_rewrite r on r.oid = d.objid
    join pg_proc p on p.oid = d.refobjid join pg_namespace n on n.oid = p.pronamespace
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_proc'::regclass
        and n.nspname = 'core' and p.proname = 'as_of'
    union
    select r.ev_class
    from knowing k
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = k.oid
        and d.classid = 'pg_rewrite'::regclass
    join pg_rewrite r on r.oid = d.objid
)
select n.nspname::text, c.relname::text
from knowing join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace
"""
# Rows that say what something is, or are dated themselves: the same at any moment.
_TIMELESS_SCHEMAS = {"vocabulary", "standards", "pg_catalog", "information_schema"}
_TIMELESS = {("core", "series"), ("core", "channel")}
_INSTEAD = {
    (
        "core",
        "observation",
    ): "core.observation_current, or its versions without --as-of, `where known_at <= …`",
    ("core", "site"): "core.site_current, or its versions without --as-of, `where known_at <= …`",
}
_INSTEAD_OTHERWISE = (
    "a mart such as air.station_hour, what was released (shared.*, open.*), core.observation_current"
)


def _refuse_today(conn: psycopg.Connection[Any], tree: exp.Expr) -> None:
    """Refuse relations that don't look at eco.as_of: their rows of today would pass for those of the moment."""
    known = {(row[0], row[1]) for row in conn.execute(_KNOWING).fetchall()}
    named = {_folded(cte.args["alias"].this) for cte in tree.find_all(exp.CTE)}
    for relation in tree.find_all(exp.Table):
        schema, name = _folded(relation.args.get("db")), _folded(relation.this)
        if not name or (not schema and name in named):
            continue
        row = conn.execute(
            "select n.nspname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relname = %s and n.nspname = coalesce(nullif(%s, ''), n.nspname)"
            " and (%s <> '' or pg_table_is_visible(c.oid))",
            [name, schema, schema],
        ).fetchone()
        if row is None:
            continue  # PostgreSQL says so better
        found = (row[0], name)
        if found not in known and found not in _TIMELESS and row[0] not in _TIMELESS_SCHEMAS | {"as_of"}:
            raise QueryRefused(
                f"{row[0]}.{name} knows no --as-of and would answer with its rows of today: ask "
                + _INSTEAD.get(found, _INSTEAD_OTHERWISE)
            )


def _through_views(conn: psycopg.Connection[Any], question: str, *, past: bool) -> str:
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
    if past:
        _refuse_today(conn, tree)
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


def _in_json(value: Any) -> Any:
    """JSON has no word for what is no finite number: it becomes text."""
    if isinstance(value, list):
        return [_in_json(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
