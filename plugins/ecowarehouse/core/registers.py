"""What the city itself knows of its entities: `city/registers/<name>.csv` into `core.<name>`.

A register keeps its own history: rows carry `known_at`, and a row that was wrong stays beside the one that mends it. So
the table is what the file says, and `--as-of` finds what it said then.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from ecowarehouse.ledger import Attempt, step
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings

# Which element's sites a register speaks of, and which of its columns names the site.
REGISTERS: Final = {"section": ("water", "section_code"), "section_target": ("water", "section_code")}


class RegisterError(ValueError):
    """A register can't be taken up; the message names file, what is wrong and the mend."""


def apply(conn: psycopg.Connection[Any], settings: Settings) -> list[str]:
    """Make the tables of registers hold what the city's files say; returns a line for each that changed.

    Sites of which something else is said now are rebuilt by the next build of their element.

    Raises:
        RegisterError: a file has other columns than its table, or a value that the table refuses.
    """
    said = []
    for name, (element, site) in REGISTERS.items():
        path = settings.city / "registers" / f"{name}.csv"
        header, rows = _read(path)
        with acting_as(conn, "eco_core"):
            if _differs(conn, name, path, header, rows):
                with step(conn, "standards", f"register {name}") as attempt:
                    changed = _replace(conn, name, site, path, header, rows)
                    _note(conn, element, changed, attempt)
                    attempt.figures = {"rows": len(rows), "sites": len(changed)}
                said.append(
                    f"{name}: {len(rows)} rows, {len(changed)} sites of which it says something else now"
                )
            conn.rollback()
    return said


def _read(path: Path) -> tuple[list[str], list[tuple[str | None, ...]]]:
    if not path.exists():
        return [], []
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise RegisterError(f"{path.name}, line {number}: {len(row)} cells instead of {len(header)}")
    return header, [tuple(cell or None for cell in row) for row in rows]


def _differs(
    conn: psycopg.Connection[Any],
    name: str,
    path: Path,
    header: list[str],
    rows: list[tuple[str | None, ...]],
) -> bool:
    _stage(conn, name, path, header, rows)
    found = conn.execute(
        sql.SQL(
            "select exists ((select * from wanted_register except all select * from {table})"
            " union all (select * from {table} except all select * from wanted_register))"
        ).format(table=sql.Identifier("core", name))
    ).fetchone()
    conn.rollback()
    return bool(found and found[0])


def _stage(
    conn: psycopg.Connection[Any],
    name: str,
    path: Path,
    header: list[str],
    rows: list[tuple[str | None, ...]],
) -> None:
    table = sql.Identifier("core", name)
    conn.execute(
        sql.SQL("create temporary table wanted_register (like {} including defaults) on commit drop").format(
            table
        )
    )
    try:
        for row in rows:
            given = [(column, cell) for column, cell in zip(header, row, strict=True) if cell is not None]
            conn.execute(
                sql.SQL("insert into wanted_register ({}) values ({})").format(
                    sql.SQL(", ").join(sql.Identifier(column) for column, _ in given),
                    sql.SQL(", ").join(sql.Placeholder() for _ in given),
                ),
                [cell for _, cell in given],
            )
    except psycopg.DataError as error:
        raise RegisterError(f"{path.name}: {error.diag.message_primary}") from error
    except psycopg.errors.UndefinedColumn as error:
        raise RegisterError(f"{path.name}: {error.diag.message_primary}; mend the header") from error
    except psycopg.IntegrityError as error:
        raise RegisterError(f"{path.name}: {error.diag.message_primary}") from error


def _replace(
    conn: psycopg.Connection[Any],
    name: str,
    site: str,
    path: Path,
    header: list[str],
    rows: list[tuple[str | None, ...]],
) -> list[str]:
    """Write the table anew; returns the sites whose rows differ."""
    _stage(conn, name, path, header, rows)
    table = sql.Identifier("core", name)
    changed = conn.execute(
        sql.SQL(
            "select distinct differs.{site} from ((select * from wanted_register except all select * from {table})"
            " union all (select * from {table} except all select * from wanted_register)) as differs order by 1"
        ).format(site=sql.Identifier(site), table=table)
    ).fetchall()
    conn.execute(sql.SQL("delete from {}").format(table))
    try:
        conn.execute(sql.SQL("insert into {} select * from wanted_register").format(table))
    except psycopg.IntegrityError as error:
        raise RegisterError(f"{path.name}: {error.diag.message_primary}") from error
    return [row[0] for row in changed]


def _note(conn: psycopg.Connection[Any], element: str, sites: list[str], attempt: Attempt) -> None:
    conn.execute(
        """
        insert into core.change (element, feed, site_code, period_from, period_to, step_id)
        select series.element, series.feed, series.site_code, min(reach.first),
            max(reach.last) + max(series.averaging_period), %(step)s
        from core.series
        cross join lateral (
            select min(o.period_start) as first, max(o.period_start) as last
            from core.observation as o
            where o.element = series.element and o.series_id = series.series_id
        ) as reach
        where series.element = %(element)s and series.site_code = any(%(sites)s) and reach.first is not null
        group by series.element, series.feed, series.site_code
        """,
        {"element": element, "sites": sites, "step": attempt.step_id},
    )
