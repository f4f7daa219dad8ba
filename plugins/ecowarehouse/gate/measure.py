"""One query a dataset: every period to judge with its rows, its checksum and its measures.

Cost follows the periods asked for (and, for sites, the periods shortly before them), never the history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse.checksum import (
    identifier,
    period_checksum_sql,
    period_expression,
    period_value,
    relation_name,
)
from ecowarehouse.decisions.covering import explained

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset
    from ecowarehouse.gate.suites import DatasetSuite, Sites

_STEP = {"hour": "1 hour", "day": "1 day", "month": "1 month", "year": "1 year"}
_PERIODS = "select unnest(%(periods)s::timestamptz[]) as gate_period"


class MeasureError(RuntimeError):
    """The measures of a dataset cannot be computed; the message is PostgreSQL's."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One period of the candidate."""

    period_start: datetime
    period_end: datetime
    rows: int
    checksum: str
    values: Mapping[str, float | None]


def measure(
    conn: psycopg.Connection[Any],
    dataset: Dataset,
    suite: DatasetSuite,
    periods: Sequence[datetime],
    *,
    columns: Sequence[str],
    zone: str,
    lateness: timedelta,
) -> list[Measured]:
    """Measure the candidate in these periods, in their order; a period without rows is there with 0.

    Raises:
        MeasureError: the database refuses a measure of the suite, or fails in computing it.
    """
    names = measure_names(suite)
    statement = _statement(dataset, suite, columns, zone)
    parameters = {"periods": list(periods), "feeds": list(dataset.feeds), "lateness": lateness}
    try:
        with conn.transaction():
            found = conn.execute(statement.encode(), parameters).fetchall()
    except psycopg.Error as error:
        raise MeasureError(str(error).strip()) from error
    return [
        Measured(start, end, int(rows), checksum, dict(zip(names, map(_number, values), strict=True)))
        for start, end, rows, checksum, *values in found
    ]


def measure_names(suite: DatasetSuite) -> list[str]:
    """The measures in the order of the query's columns."""
    sites = ["sites", "expected_sites", "stations_share", "new_sites"] if suite.sites else []
    return [*suite.measures, "rows", "held_rows", *sites]


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _statement(dataset: Dataset, suite: DatasetSuite, columns: Sequence[str], zone: str) -> str:
    step = _STEP[dataset.grain]
    checks = period_checksum_sql(
        dataset.relation, columns, dataset.period_column, dataset.grain, zone,
        periods="select gate_period as period_start from asked",
    )  # fmt: skip
    parts = [f"with asked as ({_PERIODS})", f", checks as ({checks})"]
    parts.append(f", measured as ({_measures(dataset, suite, zone)})")
    values = [f"m.{identifier(name)}" for name in suite.measures]
    values += ["c.rows", "coalesce(m.gate_held, 0)"]
    joins = "join checks c on c.period_start = a.gate_period left join measured m using (gate_period)"
    if suite.sites:
        parts.append(_sites(dataset, suite.sites, zone, step))
        share = "coalesce(s.sites, 0)::numeric / nullif(s.expected, 0)"
        values += ["coalesce(s.sites, 0)", "s.expected", share, "coalesce(n.new_sites, 0)"]
        joins += " left join site_count s using (gate_period) left join new_site n using (gate_period)"
    ending = f"(a.gate_period at time zone '{zone}' + interval '{step}') at time zone '{zone}'"
    parts.append(f"select a.gate_period, {ending}, c.rows, c.checksum, {', '.join(values)}")
    parts.append(f"from asked a {joins} order by 1")
    return "\n".join(parts)


def _measures(dataset: Dataset, suite: DatasetSuite, zone: str) -> str:
    """Aggregates of the suite stand in a subquery of their own, so that count(*) of an empty period is 0."""
    column = f"r.{identifier(dataset.period_column)}"
    texts = {name: _explained(text, dataset, zone) for name, text in suite.measures.items()}
    chosen = [f"({text}) as {identifier(name)}" for name, text in texts.items()]
    held = f"({_explained(suite.hold_rows.when, dataset, zone)})" if suite.hold_rows else "false"
    chosen.append(f"count(*) filter (where {held}) as gate_held")
    return "\n".join(
        [
            f"select q.gate_period, {', '.join(chosen)}",
            f"from asked q join {relation_name(dataset.relation)} r",
            f"on {column} = {period_value('q.gate_period', dataset.grain, zone)} group by q.gate_period",
        ]
    )


def _sites(dataset: Dataset, sites: Sites, zone: str, step: str) -> str:
    """Sites that report in a period, against the most that did in one of the periods looked back upon.

    A new site is one that the register first heard of during the period or its lateness.
    """
    column = f"r.{identifier(dataset.period_column)}"
    site = f"r.{identifier(sites.column)}"
    local = f"(gate_period at time zone '{zone}')"
    return f"""
, looked_at as (
    select distinct (g at time zone '{zone}') as gate_period
    from asked a cross join generate_series(
        {local} - {sites.look_back} * interval '{step}', {local}, interval '{step}') g
), counted as (
    select {period_expression(column, dataset.grain, zone)} as gate_period, count(distinct {site}) as sites
    from looked_at l join {relation_name(dataset.relation)} r
        on {column} = {period_value("l.gate_period", dataset.grain, zone)}
    where {_verbatim(sites.reporting)}
    group by 1
), site_count as (
    select gate_period, coalesce(c.sites, 0) as sites,
        max(c.sites) over (order by {local} range between {sites.look_back} * interval '{step}' preceding
            and interval '1 microsecond' preceding) as expected
    from looked_at left join counted c using (gate_period)
), first_known as (
    select site_code, min(known_at) as known_at from core.site where feed = any(%(feeds)s) group by site_code
), new_site as (
    select a.gate_period, count(*) as new_sites
    from asked a join first_known f
        on f.known_at >= a.gate_period
        and f.known_at < (a.gate_period at time zone '{zone}' + interval '{step}') at time zone '{zone}'
            + %(lateness)s
        and f.known_at > (select min(known_at) from first_known)
    group by 1
)"""


def _explained(text: str, dataset: Dataset, zone: str) -> str:
    return explained(_verbatim(text), dataset, "r", zone)


def _verbatim(text: str) -> str:
    """SQL of a suite beside named parameters: its own % are doubled."""
    return text.replace("%", "%%")
