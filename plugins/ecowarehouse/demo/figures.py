"""What the ledger says of a stretch of work: from one mark to the next, whoever started it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg

_MARKS: Final = """
select
    coalesce((select max(batch_id) from landing.batch), 0),
    coalesce((select max(step_id) from governance.step), 0)
"""
_LANDED: Final = """
select coalesce(sum(rows) filter (where outcome in ('loaded', 'partial')), 0), coalesce(sum(rejects), 0),
    min(started_at) filter (where outcome in ('loaded', 'partial')),
    count(*) filter (where outcome in ('failed', 'rejected', 'aborted'))
from landing.batch where batch_id > %s
"""
_STEPS: Final = """
select kind, figures, ended_at, outcome from governance.step where step_id > %s order by step_id
"""
_WAITING: Final = "select exists (select from core.change where element = %s and built_in is null)"


@dataclass(frozen=True)
class Mark:
    """Up to where the ledger had come."""

    batch_id: int
    step_id: int


@dataclass
class Figures:
    """One line of the demo's table. All counts are rows, but `gated` and `blocked`, which are periods."""

    loaded: int = 0
    rejected: int = 0
    lost: int = 0
    versions: int = 0
    revised: int = 0
    flagged: int = 0
    gated: int = 0
    blocked: int = 0
    released: int = 0
    seconds: float | None = None

    def add(self, other: Figures) -> None:
        """Sum into this one; seconds are of one stretch only."""
        for name in (
            "loaded",
            "rejected",
            "lost",
            "versions",
            "revised",
            "flagged",
            "gated",
            "blocked",
            "released",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def mark(conn: psycopg.Connection[Any]) -> Mark:
    """Where the ledger stands now."""
    row = conn.execute(_MARKS).fetchone()
    assert row is not None
    return Mark(int(row[0]), int(row[1]))


def waiting(conn: psycopg.Connection[Any], element: str) -> bool:
    """Whether core has changes of this element that no build has taken up."""
    row = conn.execute(_WAITING, [element]).fetchone()
    return bool(row and row[0])


def since(conn: psycopg.Connection[Any], start: Mark) -> Figures:
    """What happened after the mark; `seconds` from the first landing to the last release."""
    found = Figures()
    landed = conn.execute(_LANDED, [start.batch_id]).fetchone()
    assert landed is not None
    found.loaded, found.rejected, began, found.lost = (
        int(landed[0]),
        int(landed[1]),
        landed[2],
        int(landed[3]),
    )
    for kind, figures, ended, _ in conn.execute(_STEPS, [start.step_id]).fetchall():
        _take(found, kind, figures or {})
        if kind == "release" and began and ended and (figures or {}).get("release_id"):
            found.seconds = (ended - began).total_seconds()
    return found


def _take(found: Figures, kind: str, figures: dict[str, Any]) -> None:
    if kind == "core":
        found.versions += int(figures.get("versions", 0))
        found.revised += int(figures.get("revised", 0))
        found.flagged += int(figures.get("flags", 0))
    elif kind == "gate":
        for counts in (figures.get("verdicts") or {}).values():
            found.gated += sum(counts.values())
            found.blocked += counts.get("blocked", 0)
    elif kind == "release":
        found.released += sum((figures.get("inserted") or {}).values())
