"""One checksum of one period of a dataset, computed alike by build, gate and release.

`marts.build` writes it to `governance.candidate_period`; the gate and the release compute it again, and a
difference means that somebody touched the candidate in between. Whoever needs the checksum uses
`period_checksum_sql`, nobody writes his own.

It does not depend on the order of rows or of columns, on `build_id`, or on settings of the session (time
zone, date style): rows are hashed as values (`hash_record_extended`) and not as text. Two seeds make
128 bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast, get_args

Grain = Literal["hour", "day", "month", "year"]

#: Columns that say who made a row and not what it says.
NOT_CONTENT = frozenset({"build_id", "release_from", "release_to"})


class ChecksumError(ValueError):
    """A grain or a list of columns from which no checksum can be made; the message names it."""


def period_expression(column: str, grain: str, zone: str) -> str:
    """SQL that turns a period column into its local start.

    Hours are timestamptz, days and months date, years integer.

    Args:
        column: SQL of the column, quoted already if it needs to be (`r.period_start`).
        grain: hour, day, month or year.
        zone: the time zone of the city.

    Raises:
        ChecksumError: an unknown grain.
    """
    match _grain(grain):
        case "hour":
            return f"({column})"
        case "day" | "month":
            return f"(({column})::timestamp at time zone {literal(zone)})"
        case "year":
            return f"(make_timestamp({column}, 1, 1, 0, 0, 0) at time zone {literal(zone)})"


def period_value(period: str, grain: str, zone: str) -> str:
    """SQL that turns a period's local start (timestamptz) into a value of the raw period column.

    `r.day = {period_value('p.period_start', 'day', zone)}` finds the rows of a period by the index on `day`.

    Raises:
        ChecksumError: an unknown grain.
    """
    match _grain(grain):
        case "hour":
            return f"({period})"
        case "day" | "month":
            return f"(({period}) at time zone {literal(zone)})::date"
        case "year":
            return f"extract(year from ({period}) at time zone {literal(zone)})::integer"


def period_bounds(
    column: str,
    grain: str,
    zone: str,
    low: str = "%(period_from)s::timestamptz",
    high: str = "%(period_to)s::timestamptz",
) -> str:
    """SQL condition on the raw column, so that an index serves it: periods that start in [low, high).

    Args:
        column: SQL of the raw period column.
        grain: hour, day, month or year.
        zone: the time zone of the city.
        low: SQL of the first period's local start, inclusive; a named parameter by default.
        high: SQL of the last period's local start, exclusive.

    Raises:
        ChecksumError: an unknown grain.
    """
    return f"{column} >= {period_value(low, grain, zone)} and {column} < {period_value(high, grain, zone)}"


def content_columns(columns: Iterable[str]) -> list[str]:
    """The columns that a checksum and a comparison look at, in an order of their own.

    Raises:
        ChecksumError: none is left.
    """
    found = sorted(set(columns) - NOT_CONTENT)
    if not found:
        raise ChecksumError("a checksum needs at least one column beside build_id")
    return found


def period_checksum_sql(
    relation: str,
    columns: Iterable[str],
    period_column: str,
    grain: str,
    zone: str,
    *,
    periods: str | None = None,
) -> str:
    """A query of `period_start timestamptz, rows bigint, checksum text`, one row a period.

    Args:
        relation: schema and table, such as `air.station_hour`.
        columns: names of the relation's columns; those of `NOT_CONTENT` are left out.
        period_column: name of the period column.
        grain: hour, day, month or year.
        zone: the time zone of the city.
        periods: SQL of a query with a column `period_start` (such as
            `select unnest(%(periods)s::timestamptz[]) as period_start`): only these periods, found by the
            index on the period column, and each of them in the answer, with 0 rows if there is none.
            Otherwise all periods.

    Raises:
        ChecksumError: an unknown grain, a relation without schema, or no column.
    """
    column = f"r.{identifier(period_column)}"
    row = "row(" + ", ".join(f"r.{identifier(name)}" for name in content_columns(columns)) + ")"
    present = f"filter (where {column} is not null)"
    hashes = [f"sum(hash_record_extended({row}, {seed})) {present}" for seed in (0, 1)]
    checksum = "||'-'||".join(f"coalesce({total}, 0)::text" for total in hashes)
    if periods is None:
        start = period_expression(column, grain, zone)
        return (
            f"select {start} as period_start, count({column}) as rows, {checksum} as checksum\n"
            f"from {relation_name(relation)} r group by 1"
        )
    return (
        f"select p.period_start, count({column}) as rows, {checksum} as checksum\n"
        f"from ({periods}) p\n"
        f"left join {relation_name(relation)} r on {column} = {period_value('p.period_start', grain, zone)}\n"
        f"group by p.period_start"
    )


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A quoted SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def relation_name(relation: str) -> str:
    """`air.station_hour` with both parts quoted.

    Raises:
        ChecksumError: no schema, or more than schema and table.
    """
    parts = relation.split(".")
    if len(parts) != 2 or not all(parts):
        raise ChecksumError(f"{relation!r}: expected schema.table")
    return ".".join(identifier(part) for part in parts)


def _grain(grain: str) -> Grain:
    if grain not in get_args(Grain):
        raise ChecksumError(f"unknown grain {grain!r}; expected one of {', '.join(get_args(Grain))}")
    return cast("Grain", grain)
