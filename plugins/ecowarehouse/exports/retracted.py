"""Decisions by which data were retracted: they must vanish from every file, whatever version it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

# Rows of a retraction are closed, or moved out of the history, by a release that says so for their periods.
_QUESTION: Final = """
select w.decision_id, w.decided_at, w.period_from, w.period_to, (
    select min(p.release_id)
    from governance.release_period p join governance.release r using (release_id)
    where p.dataset = w.dataset and p.period_start >= w.period_from and p.period_start < w.period_to
        and p.closed > 0 and r.released_at >= w.decided_at)
from decision.withdrawal w
where w.dataset = %s and w.kind = 'retracted'
order by w.decision_id
"""


@dataclass(frozen=True, slots=True)
class Retraction:
    """One decision on [period_from, period_to) of a dataset.

    `identity` is never given again, not by a restored database either. `gone_in` is the first release after the
    decision that took rows of these periods away; None while there is none.
    """

    identity: str
    period_from: datetime
    period_to: datetime
    gone_in: int | None


def retractions(conn: psycopg.Connection[Any], dataset: str) -> list[Retraction]:
    """The decisions that retract data of a dataset and that nobody has revoked.

    Which rows of these periods is not asked: a version that has any of them goes.
    """
    return [
        Retraction(f"{decision_id} {decided_at.isoformat()}", period_from, period_to, gone_in)
        for decision_id, decided_at, period_from, period_to, gone_in in conn.execute(_QUESTION, [dataset])
    ]
