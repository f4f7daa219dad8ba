"""Where a dataset's periods stand at the gate, as the index tells it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

_QUESTION: Final = """
select
    count(*) filter (where s.state = 'released'),
    count(*) filter (where s.state = 'open'),
    count(*) filter (where s.state = 'waiting'),
    count(*) filter (where s.state = 'blocked'),
    count(*) filter (where v.verdict = 'publish_with_warnings'),
    (select max(n.decided_at) from governance.verdict n where n.dataset = %(dataset)s)
from governance.dataset_state s
left join lateral (
    select one.verdict from governance.verdict one
    where one.dataset = s.dataset and one.period_start = s.period_start and one.build_id = s.released_build
    order by one.verdict_id desc limit 1
) v on true
where s.dataset = %(dataset)s
"""


@dataclass(frozen=True, slots=True)
class GateState:
    """Numbers of periods: finally released, released while still open, waiting, blocked, released with warnings."""

    released: int
    open: int
    waiting: int
    blocked: int
    with_warnings: int
    judged_at: datetime | None

    def told(self) -> dict[str, Any]:
        """For the index."""
        return asdict(self) | {"judged_at": self.judged_at.isoformat() if self.judged_at else None}


def gate_state(conn: psycopg.Connection[Any], dataset: str) -> GateState:
    """The state of one dataset."""
    row = conn.execute(_QUESTION, {"dataset": dataset}).fetchone()
    assert row is not None
    return GateState(*row)
