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
    literal,
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
        share = "s.came::numeric / nullif(s.expected, 0)"
        values += ["coalesce(s.sites, 0)", "coalesce(s.expected, 0)", share, "coalesce(n.new_sites, 0)"]
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
    """Sites that report in a period, against those that did within the memory before it and have not left since.

    A span is a time in which a site is expected: from its first report to the end of the memory of its last, without a
    longer silence in between. A new site is one that the register first heard of during the period or its lateness.
    """
    column = f"r.{identifier(dataset.period_column)}"
    memory = f"interval '{sites.memory.total_seconds():.0f} seconds'"
    low, high = (period_value(f"{end}(remembered.span)", dataset.grain, zone) for end in ("lower", "upper"))
    return f"""
, remembered as (
    select unnest(range_agg(tstzrange(gate_period - {memory}, gate_period, '[]'))) as span from asked
), reported as materialized (
    select distinct {period_expression(column, dataset.grain, zone)} as gate_period,
        r.{identifier(sites.column)}::text as site
    from remembered join {relation_name(dataset.relation)} r on {column} between {low} and {high}
    where {_verbatim(sites.reporting)}
), silence as (
    select *, gate_period - lag(gate_period) over (partition by site order by gate_period) > {memory} as too_long
    from reported
), spell as (
    select *, count(*) filter (where too_long) over (partition by site order by gate_period) as number from silence
), span as (
    select site, min(gate_period) as first_report, max(gate_period) + {memory} as remembered_to
    from spell group by site, number
), departed as materialized (
    select row_scope ->> {literal(sites.column)} as site, period_from as gone_from, period_to as gone_to
    from decision.in_force where kind = 'departure' and dataset = {literal(dataset.dataset)}
    union all
    select site_code, valid_to, 'infinity' from core.site_current
    where feed = any(%(feeds)s) and valid_to < 'infinity'
), expected as (
    select distinct a.gate_period, s.site
    from asked a join span s on s.first_report < a.gate_period and s.remembered_to >= a.gate_period
    where not exists (select from departed d
        where d.site = s.site and d.gone_from <= a.gate_period and d.gone_to > a.gate_period)
), site_count as (
    select gate_period, count(r.site) as sites, count(e.site) as expected,
        count(*) filter (where r.site is not null and e.site is not null) as came
    from (select * from reported where gate_period in (select gate_period from asked)) r
    full join expected e using (gate_period, site)
    group by gate_period
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
