"""Feeds: what a contract promises, as a row that SQL can read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from ecowarehouse.contracts import ObservationContract

_APPLY = """
insert into core.feed as known (feed, element, department, title_zh, title_en, averaging, lateness, freshness,
    day_boundary, timezone, synthetic, sampled_every)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (feed) do update set element = excluded.element, department = excluded.department,
    title_zh = excluded.title_zh, title_en = excluded.title_en, averaging = excluded.averaging,
    lateness = excluded.lateness, freshness = excluded.freshness, day_boundary = excluded.day_boundary,
    timezone = excluded.timezone, synthetic = excluded.synthetic, sampled_every = excluded.sampled_every
where known is distinct from excluded
"""


def apply(conn: psycopg.Connection[Any], contract: ObservationContract) -> bool:
    """Write what the contract promises; whether anything of it is new. Days of completeness follow by trigger."""
    hours, minutes = map(int, contract.period.day_boundary.split(":"))
    values = [
        contract.feed, contract.element, contract.department, contract.title.zh, contract.title.en,
        contract.averaging, contract.lateness, contract.freshness, timedelta(hours=hours, minutes=minutes),
        contract.period.timezone, contract.synthetic, contract.period.sampled_every,
    ]  # fmt: skip
    return conn.execute(_APPLY, values).rowcount > 0
