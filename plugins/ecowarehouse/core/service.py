"""When sites are in service, so that their periods are promised: what a core step moves in it, the books follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg

REGISTER: Final = "site_register"  # the one entity that `core.site_service` reads

# Only what differs, up to the clock of the feed: no day after it stands in the books. Of a history only periods that an
# answer spoke of.
_NOTE: Final = """
    with compared as (
        select
            feed,
            coalesce(now.spans, '{}') as now,
            coalesce(before.spans, '{}') as before,
            coalesce(now.history, '{}') + coalesce(before.history, '{}') as history
        from (select * from core.site_service where %(feed)s::text is null or feed = %(feed)s) as now
        full join service_before as before using (feed, site_code)
        where (now.spans, now.history, now.told_at) is distinct from (before.spans, before.history, before.told_at)
    ),
    past as (
        select feed, range_agg(history) as periods from compared group by feed
    ),
    clock as (
        select feed, max(moment) as moment from governance.delivery
        where feed in (select feed from compared) group by feed
    ),
    moved as (
        select compared.feed, range_agg(
            ((compared.now - compared.before) + (compared.before - compared.now))
            * tstzmultirange(tstzrange(null, clock.moment, '[]'))
        ) as periods
        from compared
        inner join clock using (feed)
        group by compared.feed
        union all
        select past.feed, past.periods * range_agg(answer.periods)
        from past
        inner join governance.delivery as answer on past.feed = answer.feed and past.periods && answer.periods
        group by past.feed, past.periods
    )
    select governance.touch(feed, periods, %(batch_id)s, %(step_id)s) from moved
"""


def remember(conn: psycopg.Connection[Any], feed: str | None = None) -> None:
    """Keep what holds before a core step changes it, of the sites of one feed or of all; once in its transaction."""
    conn.execute(
        "create temporary table service_before on commit drop as select * from core.site_service"
        " where %(feed)s::text is null or feed = %(feed)s",
        {"feed": feed},
    )


def note(conn: psycopg.Connection[Any], batch_id: int, step_id: int, feed: str | None = None) -> None:
    """Have the books take up the days on which a site came into service or went out of it."""
    conn.execute(_NOTE, {"feed": feed, "batch_id": batch_id, "step_id": step_id})
