"""Is there anything to build, judge or release? Asked of the ledger, in milliseconds."""

from __future__ import annotations

from typing import Any, Final

import psycopg

# Each line: a reason, and whether it holds. The first that holds is the answer.
_QUESTIONS: Final = """
with newest as (
    select build_id, standards_hash from governance.build
    where element = %(element)s and outcome = 'built' order by build_id desc limit 1
), gate as (
    select s.step_id, s.started_at from governance.step s join newest using (build_id)
    where s.kind = 'gate' and s.subject = %(element)s and s.outcome in ('done', 'blocked', 'nothing_to_do')
    order by s.step_id desc limit 1
), unresolved as (
    select exists (
        select from governance.dataset_state where element = %(element)s and state <> 'released') as waits
)
select
    exists (select from core.change where element = %(element)s and built_in is null),
    exists (select from newest where standards_hash is distinct from %(standards)s),
    exists (select from newest) and not exists (select from gate),
    exists (select from gate) and not exists (
        select from governance.step r join newest using (build_id)
        where r.kind = 'release' and r.subject = %(element)s and r.step_id > (select step_id from gate)
            and r.outcome in ('done', 'nothing_to_do', 'blocked')),
    (select waits from unresolved) and exists (
        select from landing.batch b
        where b.feed = any(%(feeds)s) and b.ended_at > (select started_at from gate)
            and b.outcome in ('loaded', 'partial', 'unchanged')),
    (select max(released_at) from governance.release where element = %(element)s) > coalesce((
        select e.started_at from governance.step e
        where e.kind = 'export' and e.subject = 'open' and e.outcome in ('done', 'nothing_to_do')
            and e.figures -> 'elements' ? %(element)s
        order by e.step_id desc limit 1), '-infinity'),
    (select waits from unresolved) and (
        exists (select from decision.standards_approval where decided_at > (select started_at from gate))),
    exists (
        select from decision.event
        where element = %(element)s and at > (select started_at from gate) and at <= clock_timestamp())
"""
REASONS: Final = (
    "core has changes that no build has taken up",
    "the newest build was made by other standards than those applied now",
    "the newest build has not been judged",
    "the newest judgement has not been released",
    "periods wait, and the feeds' clock has moved on",
    "files are behind the newest release",
    "periods wait, and somebody has approved standards",
    "a decision has begun or ended since the newest judgement",
)


def pending(conn: psycopg.Connection[Any], element: str, feeds: list[str]) -> str | None:
    """Why the element needs a run; None if nothing could come of one."""
    from ecowarehouse.standards import applied_hash

    known = {"element": element, "feeds": feeds, "standards": applied_hash(conn)}
    row = conn.execute(_QUESTIONS, known).fetchone()
    assert row is not None
    return next((reason for reason, holds in zip(REASONS, row, strict=True) if holds), None)
