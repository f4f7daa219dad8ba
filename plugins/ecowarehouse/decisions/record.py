"""The one way in which a decision enters the house, and the one way in which it ends before its time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

import psycopg
from psycopg.rows import dict_row

from ecowarehouse import ledger
from ecowarehouse.decisions.problems import DecisionRefused
from ecowarehouse.postgres.session import acting_as

ROLE: Final = "eco_steward"
Kind = Literal["review", "correction", "embargo", "withdrawal", "disagreement", "departure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decides what, for which periods, why; a row of `decision.decision`. Times are aware, the end is exclusive."""

    kind: Kind
    element: str
    period_from: datetime
    period_to: datetime
    reason: str
    decided_by: str
    document: str | None = None
    until: datetime | None = None
    feed: str | None = None
    site_code: str | None = None
    channel: str | None = None
    dataset: str | None = None
    row_scope: Mapping[str, str] = field(default_factory=dict)
    review_stage: str | None = None
    validity: str | None = None
    invalid_reason: str | None = None
    value: Decimal | None = None
    value_text: str | None = None
    withdrawal: str | None = None


def record(conn: psycopg.Connection[Any], *decisions: Decision) -> list[int]:
    """Write decisions of one element, all or none, with their step of the ledger; returns their ids.

    A review asks builds to take its values up again; of what a correction and a decision about a dataset ask, see
    `corrections.take_up` and the gate.

    Raises:
        DecisionRefused: no name, no reason, periods or an end that make no sense.
        LockNotObtained: somebody else has been deciding about the element for too long.
    """
    if not decisions:
        raise DecisionRefused("nothing to decide: no channel or row is meant")
    for decision in decisions:
        _check(decision)
    [element] = {decision.element for decision in decisions}
    with acting_as(conn, ROLE), ledger.step(conn, "decision", element) as attempt:
        written = [_insert(conn, decision, attempt.step_id) for decision in decisions]
        for decision in decisions:
            if decision.kind == "review":
                touch(conn, decision, attempt.step_id)
        attempt.figures = {"decisions": written}
    return written


def revoke(conn: psycopg.Connection[Any], reference: str, *, by: str, reason: str) -> str:
    """End a decision (`7`) or a waiver (`waiver/3`) before its time; returns its element.

    The row of the decision stays; a question as of a moment before still finds it in force.

    Raises:
        DecisionRefused: no such decision, one that has ended already, no name or no reason.
    """
    if not by.strip() or not reason.strip():
        raise DecisionRefused("a revocation needs a name (--by) and a reason (--reason)")
    column, number = _reference(reference)
    with acting_as(conn, ROLE):
        found = conn.execute("select element, holds from decision.entry where reference = %s", [reference])
        entry = found.fetchone()
        conn.commit()
        if entry is None:
            raise DecisionRefused(f"there is no decision {reference}; `eco decisions list` shows them")
        element, holds = entry
        if not holds:
            raise DecisionRefused(f"decision {reference} has ended already")
        with ledger.step(conn, "decision", element) as attempt:
            _end(conn, column, number, by.strip(), reason.strip(), attempt.step_id)
            attempt.figures = {"revoked": reference}
    return str(element)


def entries(
    conn: psycopg.Connection[Any], *, subject: str | None = None, only_holding: bool = False
) -> list[dict[str, Any]]:
    """Decisions of all kinds with their ends, newest first; of one feed or dataset, or only those that hold."""
    with acting_as(conn, ROLE), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select * from decision.entry where (%(subject)s::text is null or subject = %(subject)s)"
            " and (holds or not %(only)s) order by decided_at desc, reference",
            {"subject": subject, "only": only_holding},
        ).fetchall()


def touch(conn: psycopg.Connection[Any], decision: Decision, step_id: int) -> None:
    """Ask builds to take up the values that a decision speaks of."""
    conn.execute(
        "select core.touch(%s, %s, %s, %s, %s, %s)",
        [
            decision.element,
            decision.feed,
            decision.site_code,
            decision.period_from,
            decision.period_to,
            step_id,
        ],
    )


def _check(decision: Decision) -> None:
    if not decision.decided_by.strip() or not decision.reason.strip():
        raise DecisionRefused("a decision needs the name of who decides (--by) and a reason (--reason)")
    if decision.period_to <= decision.period_from:
        raise DecisionRefused(
            f"the periods end ({decision.period_to}) before they start ({decision.period_from})"
        )
    if decision.until is not None and decision.until <= datetime.now(tz=decision.until.tzinfo):
        raise DecisionRefused(f"--until {decision.until.isoformat()} is past: the decision would never hold")


def _insert(conn: psycopg.Connection[Any], decision: Decision, step_id: int) -> int:
    columns = {**asdict(decision), "row_scope": json.dumps(dict(decision.row_scope)), "step_id": step_id}
    names, places = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
    row = conn.execute(
        f"insert into decision.decision ({names}) values ({places}) returning decision_id",  # our own names
        columns,
    ).fetchone()
    assert row is not None
    return int(row[0])


def _reference(reference: str) -> tuple[str, int]:
    column, _, number = reference.rpartition("/")
    if column not in ("", "waiver") or not number.isdigit():
        raise DecisionRefused(f"{reference!r} is no decision: write 7, or waiver/3")
    return ("waiver_id" if column else "decision_id"), int(number)


def _end(conn: psycopg.Connection[Any], column: str, number: int, by: str, reason: str, step_id: int) -> None:
    conn.execute(
        f"insert into decision.revocation ({column}, reason, revoked_by, step_id) values (%s, %s, %s, %s)",
        [number, reason, by, step_id],
    )
    if column == "decision_id":
        conn.execute(
            "select core.touch(element, feed, site_code, period_from, period_to, %s) from decision.decision"
            " where decision_id = %s and kind = 'review'",
            [step_id, number],
        )


def channels_of(
    conn: psycopg.Connection[Any], feed: str, site: str, *, channel: str | None, prop: str | None
) -> Sequence[str]:
    """Channels of a site of a feed, by name or by property.

    Raises:
        DecisionRefused: the site has none such; the message lists those it has.
    """
    with acting_as(conn, ROLE):
        rows = conn.execute(
            "select channel, property from core.series where feed = %s and site_code = %s order by channel",
            [feed, site],
        ).fetchall()
    if not rows:
        raise DecisionRefused(f"{feed} has no site {site!r} with values")
    found = [name for name, carried in rows if channel in (None, name) and prop in (None, carried)]
    if not found:
        known = ", ".join(f"{name} ({carried})" for name, carried in rows)
        raise DecisionRefused(f"site {site} of {feed} has no such channel or property; it has: {known}")
    return found
