"""Decisions about what is released: embargoes, withdrawals, known disagreements with reported values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse.decisions.problems import DecisionRefused
from ecowarehouse.decisions.record import Decision, Kind, record

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset

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
    document: str | None = None,
    rows: Mapping[str, str] | None = None,
) -> int:
    """Take rows out of what is readable: `superseded` leaves earlier releases, `retracted` those too but for auditors.

    The row is a decision; `release.withdraw` makes it so, and so does every later release.
    """
    if kind not in WITHDRAWALS:
        raise DecisionRefused(f"--kind {kind!r}: expected one of {', '.join(WITHDRAWALS)}")
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
