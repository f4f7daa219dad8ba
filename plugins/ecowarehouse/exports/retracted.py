"""Decisions by which data were retracted: they must vanish from every file, whatever version it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from ecowarehouse.exports.faces import ExportError

RELATION: Final = "decision.withdrawal"
_WORD: Final = "retracted"
_ALWAYS: Final = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Retraction:
    """One decision on [period_from, period_to) of a dataset.

    `gone_in` is the first release after it that took rows of these periods away; None while there is none.
    """

    identity: str
    period_from: datetime
    period_to: datetime
    gone_in: int | None


def retractions(conn: psycopg.Connection[Any], dataset: str) -> list[Retraction]:
    """The decisions that retract data of a dataset; none where the house knows no such decisions.

    Raises:
        ExportError: a decision does not say what it retracts: better no export than a retracted number.
    """
    there = conn.execute("select to_regclass(%s) is not null", [RELATION]).fetchone()
    if there is None or not there[0]:
        return []
    rows = conn.execute(
        f"select to_jsonb(w), md5(to_jsonb(w)::text) from {RELATION} w order by 2".encode()
    ).fetchall()
    found = []
    for said, identity in rows:
        if _WORD not in said.values():
            continue
        if not {"dataset", "decided_at"} <= said.keys():
            raise ExportError(
                f"{RELATION} does not say dataset and decided_at, so nothing can be purged by it"
            )
        if said["dataset"] == dataset:
            found.append(_retraction(conn, said, identity))
    return found


def _retraction(conn: psycopg.Connection[Any], said: dict[str, Any], identity: str) -> Retraction:
    first, last = said.get("period_from"), said.get("period_to")
    period_from = datetime.fromisoformat(first) if first else _ALWAYS[0]
    period_to = datetime.fromisoformat(last) if last else _ALWAYS[1]
    row = conn.execute(
        "select min(p.release_id) from governance.release_period p join governance.release r using (release_id)"
        " where p.dataset = %s and p.period_start >= %s and p.period_start < %s and p.closed > 0"
        " and r.released_at >= %s",
        [said["dataset"], period_from, period_to, said["decided_at"]],
    ).fetchone()
    return Retraction(identity, period_from, period_to, row[0] if row else None)
