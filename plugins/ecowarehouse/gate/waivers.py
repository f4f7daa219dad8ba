"""Out of `blocked` by a named person's decision."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from ecowarehouse.gate.setup import Setup
from ecowarehouse.gate.store import GateError
from ecowarehouse.gate.suites import suite_of
from ecowarehouse.postgres.session import acting_as

ROLE = "eco_steward"


def waive(
    conn: psycopg.Connection[Any],
    dataset: str,
    *,
    period_from: datetime,
    period_to: datetime,
    expectation: str,
    reason: str,
    by: str,
    until: datetime,
    setup: Setup | None = None,
) -> int:
    """Record the decision to publish in spite of one failed expectation; the next gate takes it up.

    Returns the decision's id. It lets nothing through but a failed expectation: never another build's
    candidate, a missing or empty one, changed standards, or an expectation that gave no result.

    Raises:
        GateError: unknown dataset or expectation, one that is only a warning, no reason, no name, or times
            that make no sense.
        SuiteError: the dataset's suite cannot be read.
    """
    setup = setup or Setup.load()
    _check(setup, dataset, expectation)
    if not reason.strip() or not by.strip():
        raise GateError("a waiver needs a reason and the name of who decided")
    if period_to <= period_from:
        raise GateError(f"the period ends ({period_to}) before it starts ({period_from})")
    with acting_as(conn, ROLE):
        row = conn.execute(
            "insert into decision.waiver"
            " (dataset, period_from, period_to, expectation, reason, decided_by, until)"
            " select %s, %s, %s, %s, %s, %s, %s where %s > clock_timestamp() returning waiver_id",
            [dataset, period_from, period_to, expectation, reason.strip(), by.strip(), until, until],
        ).fetchone()
        if row is None:
            raise GateError(f"--until {until.isoformat()} is past: the waiver would never hold")
        conn.commit()
    return int(row[0])


def parse_period(text: str, zone: str) -> tuple[datetime, datetime]:
    """`2019`, `2019-07`, `2019-07-18`, `2019-07-18T08` or two of them with a slash (the second inclusive).

    Raises:
        GateError: anything else.
    """
    first, _, last = text.partition("/")
    return _single(first, zone)[0], _single(last or first, zone)[1]


def _single(text: str, zone: str) -> tuple[datetime, datetime]:
    pattern = r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:[T ](\d{2})(?::00(?::00)?)?)?"
    match = re.fullmatch(pattern, text.strip())
    if match is None or (match[4] and not match[3]):
        raise GateError(f"period {text!r}: expected a year, month, day or hour, such as 2019-07-18T08:00")
    year, month, day, hour = (int(part) if part else None for part in match.groups())
    try:
        start = datetime(year or 1, month or 1, day or 1, hour or 0, tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise GateError(f"period {text!r}: {error}") from error
    if hour is not None:
        return start, start + timedelta(hours=1)
    if day is not None:
        return start, start + timedelta(days=1)
    if month is not None:
        return start, start.replace(year=start.year + month // 12, month=month % 12 + 1)
    return start, start.replace(year=start.year + 1)


def _check(setup: Setup, dataset: str, expectation: str) -> None:
    found = next((d for d in setup.datasets if d.dataset == dataset), None)
    if found is None:
        known = ", ".join(sorted(d.dataset for d in setup.datasets))
        raise GateError(f"unknown dataset {dataset!r}; known: {known}")
    suite = suite_of(setup.expectations, found.element, dataset)
    names = [e.name for e in suite.expectations if e.severity == "critical"]
    if expectation not in names:
        raise GateError(f"{dataset} has no critical expectation {expectation!r}; it has: {', '.join(names)}")
