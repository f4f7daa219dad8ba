"""Decisions about datasets: embargoes, withdrawals, known disagreements with reported values, sites that left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse.checksum import relation_name
from ecowarehouse.decisions import covering
from ecowarehouse.decisions.problems import DecisionRefused
from ecowarehouse.decisions.record import Decision, Kind, record
from ecowarehouse.release import relations

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset

_EVER = datetime(1, 1, 2, tzinfo=UTC)
WITHDRAWALS = ("superseded", "retracted")


def embargo(
    conn: psycopg.Connection[Any],
    dataset: Dataset,
    *,
    periods: tuple[datetime, datetime],
    until: datetime,
    reason: str,
    by: str,
    document: str | None = None,
    rows: Mapping[str, str] | None = None,
) -> int:
    """Hold back new rows and versions of these periods until a moment; what is readable stays. Ends by itself."""
    return _decide(
        conn, "embargo", dataset, periods, rows, reason=reason, decided_by=by, document=document, until=until
    )


def withdraw(
    conn: psycopg.Connection[Any],
    dataset: Dataset,
    *,
    periods: tuple[datetime, datetime],
    kind: str,
    reason: str,
    by: str,
    zone: str,
    document: str | None = None,
    rows: Mapping[str, str] | None = None,
) -> int:
    """Take rows out of what is readable: `superseded` leaves earlier releases, `retracted` those too but for auditors.

    The row is a decision; `release.withdraw` makes it so, and so does every later release. `zone` is the city's.

    Raises:
        DecisionRefused: as `record`; an unknown kind, or nothing readable that is meant.
    """
    if kind not in WITHDRAWALS:
        raise DecisionRefused(f"--kind {kind!r}: expected one of {', '.join(WITHDRAWALS)}")
    history = relations.published_name(dataset)
    if not covering.speaks_of_rows(conn, dataset, history, periods, rows or {}, zone):
        raise DecisionRefused(
            f"no row of {dataset.dataset} is readable {_meant(periods, rows)}: nothing to withdraw."
            " What is not released yet is held back by eco publish --embargo"
        )
    return _decide(
        conn, "withdrawal", dataset, periods, rows,
        reason=reason, decided_by=by, document=document, withdrawal=kind,
    )  # fmt: skip


def disagree(
    conn: psycopg.Connection[Any],
    dataset: Dataset,
    *,
    periods: tuple[datetime, datetime],
    rows: Mapping[str, str],
    cause: str,
    by: str,
    until: datetime,
    document: str | None = None,
) -> int:
    """Write down why computed and reported values of some rows differ: they no longer block, and the cause is shown."""
    return _decide(
        conn,
        "disagreement",
        dataset,
        periods,
        rows,
        reason=cause,
        decided_by=by,
        document=document,
        until=until,
    )


def depart(
    conn: psycopg.Connection[Any],
    datasets: Sequence[Dataset],
    *,
    site: str,
    periods: tuple[datetime, datetime],
    reason: str,
    by: str,
    zone: str,
    document: str | None = None,
) -> list[int]:
    """Write down that a site has left these datasets of one element: the gate no longer expects it in these periods.

    Raises:
        DecisionRefused: as `record`; datasets of several elements, one without sites, or one in which it never was.
    """
    if len({dataset.element for dataset in datasets}) > 1:
        raise DecisionRefused("a site leaves datasets of one element; decide for the others by themselves")
    for dataset in datasets:
        scope, before = row_scope(dataset, site, ()), (_EVER, periods[0])
        if not covering.speaks_of_rows(conn, dataset, relation_name(dataset.relation), before, scope, zone):
            raise DecisionRefused(f"site {site!r} never reported to {dataset.dataset} before {periods[0]}")
    return record(
        conn,
        *(
            Decision(
                kind="departure", element=dataset.element, dataset=dataset.dataset,
                row_scope=row_scope(dataset, site, ()), period_from=periods[0], period_to=periods[1],
                reason=reason, decided_by=by, document=document,
            )
            for dataset in datasets
        ),
    )  # fmt: skip


def _meant(periods: tuple[datetime, datetime], rows: Mapping[str, str] | None) -> str:
    scope = "".join(f", {column} {value}" for column, value in (rows or {}).items())
    return f"from {periods[0]} to {periods[1]}{scope}"


def row_scope(dataset: Dataset, site: str | None, where: Sequence[str]) -> dict[str, str]:
    """`--site` and `--where COLUMN=VALUE` as columns of the key with their values.

    Raises:
        DecisionRefused: a column that is not in the key, or no key column that names a site.
    """
    scope = {}
    if site:
        codes = [name for name in dataset.key if name.endswith("_code")]
        if not codes:
            raise DecisionRefused(f"{dataset.dataset} has no key column of a site; use --where")
        scope[codes[0]] = site
    for condition in where:
        column, equals, value = condition.partition("=")
        if not equals or column not in dataset.key or column == dataset.period_column:
            names = ", ".join(name for name in dataset.key if name != dataset.period_column)
            raise DecisionRefused(f"--where {condition!r}: expected COLUMN=VALUE with one of {names}")
        scope[column] = value
    return scope


def _decide(
    conn: psycopg.Connection[Any],
    kind: Kind,
    dataset: Dataset,
    periods: tuple[datetime, datetime],
    rows: Mapping[str, str] | None,
    **says: Any,
) -> int:
    [written] = record(
        conn,
        Decision(
            kind=kind, element=dataset.element, dataset=dataset.dataset, row_scope=rows or {},
            period_from=periods[0], period_to=periods[1], **says,
        ),
    )  # fmt: skip
    return written
