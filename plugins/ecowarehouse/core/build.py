"""Core of one feed: from waiting sightings to versions, sites, flags and the ranges that builds have to take up.

Which versions exist is a pure function of all landed sightings of a key: in the order of known_at, each that differs
from its predecessor. A sighting that is the newest of its periods is compared with what holds now; one that is older
makes its keys be worked out again from landing.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ecowarehouse.core import channels, feeds, flags, service, sites
from ecowarehouse.core.result import CoreResult, NotDeployed
from ecowarehouse.ledger import Attempt, step
from ecowarehouse.postgres.session import acting_as

if TYPE_CHECKING:
    from ecowarehouse.contracts import ObservationContract

logger = logging.getLogger(__name__)

# Up to this many received rows the version that holds is looked up cell by cell, above it is read by range.
_LOOK_UP_ROWS: Final = 20_000

_HOLDS_BY_LOOK_UP = """lateral (
        select version.* from core.observation as version
        where version.element = %(element)s and version.series_id = incoming.series_id
            and version.period_start = incoming.period_start
        order by version.known_at desc limit 1
    ) as holds on true"""

_HOLDS_BY_RANGE = """(
        select distinct on (version.series_id, version.period_start) version.*
        from core.observation as version
        where version.element = %(element)s
            and version.period_start >= %(period_from)s and version.period_start < %(period_to)s
        order by version.series_id, version.period_start, version.known_at desc
    ) as holds on holds.series_id = incoming.series_id and holds.period_start = incoming.period_start"""


@dataclass(frozen=True)
class Sighting:
    """One landed batch that core has not taken up; times are aware."""

    batch_id: int
    content_batch_id: int
    known_at: datetime
    sha256: str
    period_from: datetime
    period_to: datetime
    rows: int


def build(
    conn: psycopg.Connection[Any], contract: ObservationContract, *, run_id: str | None = None
) -> CoreResult:
    """Take up every waiting sighting of a feed, in one transaction.

    Raises `LockNotObtained`, and `NotDeployed` when the feed is new here; any other error too leaves core as it was and
    the sightings waiting.
    """
    with acting_as(conn, "eco_core"), step(conn, "core", contract.feed, run_id=run_id) as attempt:
        result = CoreResult(contract.feed)
        waiting = _waiting(conn, contract.feed)
        if not waiting:
            attempt.outcome = "nothing_to_do"
            return result
        _require_views(conn, contract)
        _prepare(conn, contract, waiting)
        for sighting in waiting:
            result.sightings += 1
            _take_up(conn, contract, sighting, result)
            result.sites += len(sites.take_up(conn, contract, sighting.batch_id, sighting.content_batch_id))
            conn.execute(
                "update landing.batch set core_step_id = %s where batch_id = %s",
                [attempt.step_id, sighting.batch_id],
            )
        result.flags = flags.judge(conn, contract.element, contract.averaging)
        _note_changes(conn, contract, attempt, waiting[-1].batch_id)
        service.note(conn, waiting[-1].batch_id, attempt.step_id, contract.feed)
        attempt.figures = asdict(result)
    logger.info(
        "core %s: %d sightings, %d versions (%d revised, %d retired), %d flags",
        contract.feed,
        result.sightings,
        result.versions,
        result.revised,
        result.retired,
        result.flags,
    )
    return result


def _waiting(conn: psycopg.Connection[Any], feed: str) -> list[Sighting]:
    rows = conn.execute(
        "select batch_id, content_batch_id, known_at, sha256, period_from, period_to, rows from landing.batch"
        " where feed = %s and core_step_id is null and outcome in ('loaded', 'unchanged', 'partial')"
        " order by known_at, sha256, batch_id",
        [feed],
    ).fetchall()
    return [Sighting(*row) for row in rows]


def _require_views(conn: psycopg.Connection[Any], contract: ObservationContract) -> None:
    row = conn.execute("select to_regclass(%s) is null", [contract.staging_site_relation]).fetchone()
    if row is not None and row[0]:
        raise NotDeployed(
            f"{contract.feed}: its staging views are not there yet; run `eco up` (or `eco up --database-only`)"
        )


def _prepare(conn: psycopg.Connection[Any], contract: ObservationContract, waiting: list[Sighting]) -> None:
    # Received texts hardly repeat: keeping them for the case that they do costs half as much again.
    conn.execute("set local enable_memoize = off")
    conn.execute(
        "create temporary table touched (series_id integer, period_from timestamptz, period_to timestamptz,"
        " versions bigint, revised bigint) on commit drop"
    )
    conn.execute(
        "create temporary table site_before on commit drop as select * from core.site_current where feed = %s",
        [contract.feed],
    )
    service.remember(conn, contract.feed)
    channels.apply(conn, contract)
    feeds.apply(conn, contract)
    new_series = 0
    for sighting in waiting:
        new_series += conn.execute(
            f"""
            insert into core.series (feed, site_code, channel, element, property, procedure, averaging_period,
                sample_part, unit, original_unit, series_kind)
            select channel.feed, site.site_code, channel.channel, channel.element, channel.property,
                channel.procedure, channel.averaging_period, channel.sample_part, channel.unit,
                channel.original_unit, channel.series_kind
            from (select distinct site_code from {contract.staging_site_relation}
                  where content_batch_id = %(content)s) as site
            cross join core.channel as channel
            where channel.feed = %(feed)s
                and not exists (
                    select from core.series as known
                    where known.feed = channel.feed and known.site_code = site.site_code
                        and known.channel = channel.channel)
            order by site.site_code, channel.channel
            """,
            {"content": sighting.content_batch_id, "feed": contract.feed},
        ).rowcount
    if new_series:
        conn.execute("analyze core.series")


def _take_up(
    conn: psycopg.Connection[Any], contract: ObservationContract, sighting: Sighting, result: CoreResult
) -> None:
    earlier, later = _overlapping(conn, contract.feed, sighting)
    _ensure_partitions(conn, contract, sighting, keys=earlier or later)
    before, revised_before = _counted(conn)
    if later:
        result.retired += _work_out_again(conn, contract, sighting)
    elif earlier:
        if not _repeats(conn, contract.feed, sighting):
            _insert_newest(conn, contract, sighting)
    else:
        _insert_first(conn, contract, sighting)
        conn.execute("select core.ensure_keys(%s)", [contract.element])
    versions, revised = _counted(conn)
    result.versions += versions - before
    result.revised += revised - revised_before


def _ensure_partitions(
    conn: psycopg.Connection[Any], contract: ObservationContract, sighting: Sighting, *, keys: bool
) -> None:
    """Where the sighting's periods go; a new partition stays without its key for now unless `keys`.

    Years and months are cut by the city's clock, which is the session's: feeds of one element may have other zones.
    """
    conn.execute(
        "select core.ensure_partitions(%s, %s, %s, current_setting('TimeZone'), %s)",
        [contract.element, sighting.period_from, sighting.period_to, keys],
    )


def _counted(conn: psycopg.Connection[Any]) -> tuple[int, int]:
    row = conn.execute("select coalesce(sum(versions), 0), coalesce(sum(revised), 0) from touched").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _overlapping(conn: psycopg.Connection[Any], feed: str, sighting: Sighting) -> tuple[bool, bool]:
    """Whether core holds sightings of the same periods that are earlier, and not earlier, than this one."""
    row = conn.execute(
        "select coalesce(bool_or((known_at, sha256) < (%(known_at)s, %(sha256)s)), false),"
        " coalesce(bool_or((known_at, sha256) >= (%(known_at)s, %(sha256)s)"
        "   or known_at = %(known_at)s), false)"
        " from landing.batch where feed = %(feed)s and core_step_id is not null"
        " and outcome in ('loaded', 'unchanged', 'partial')"
        " and period_from < %(period_to)s and period_to > %(period_from)s",
        {"feed": feed, **asdict(sighting)},
    ).fetchone()
    assert row is not None
    return bool(row[0]), bool(row[1])


def _repeats(conn: psycopg.Connection[Any], feed: str, sighting: Sighting) -> bool:
    """Whether the sighting before it that speaks of its periods has the same content: then no value can differ."""
    row = conn.execute(
        "select content_batch_id = %(content_batch_id)s from landing.batch"
        " where feed = %(feed)s and core_step_id is not null and outcome in ('loaded', 'unchanged', 'partial')"
        " and (known_at, sha256) < (%(known_at)s, %(sha256)s)"
        " and period_from < %(period_to)s and period_to > %(period_from)s"
        " order by known_at desc, sha256 desc, batch_id desc limit 1",
        {"feed": feed, **asdict(sighting)},
    ).fetchone()
    return bool(row and row[0])


def _parameters(contract: ObservationContract, sighting: Sighting) -> dict[str, Any]:
    return {"feed": contract.feed, "element": contract.element, **asdict(sighting)}


def _insert_first(conn: psycopg.Connection[Any], contract: ObservationContract, sighting: Sighting) -> None:
    parameters = _parameters(contract, sighting)
    conn.execute(flags.sql_file("insert_first.sql").format(staging=contract.staging_relation), parameters)
    if contract.long is not None:
        _note_cells(conn, contract, parameters)
        return
    # Each row has each channel: so sites are counted, and not their many cells.
    conn.execute(
        f"""
        insert into touched (series_id, period_from, period_to, versions, revised)
        select series.series_id, site.period_from, site.period_to, site.rows - coalesce(rejected.cells, 0), 0
        from (select site_code, min(period_start) as period_from, max(period_start) as period_to, count(*) as rows
              from {contract.staging_site_relation} where content_batch_id = %(content_batch_id)s
              group by site_code) as site
        inner join core.series as series on series.feed = %(feed)s and series.site_code = site.site_code
        left join (select said.site_code, one.channel, count(*) as cells
                   from {contract.landing_relation} as received
                   cross join unnest(received.rejected_columns) as one (channel)
                   inner join {contract.staging_site_relation} as said
                       on said.content_batch_id = received.batch_id and said.row_number = received.row_number
                   where received.batch_id = %(content_batch_id)s and received.rejected_columns is not null
                   group by said.site_code, one.channel) as rejected
            on rejected.site_code = series.site_code and rejected.channel = series.channel
        """,
        parameters,
    )


def _note_cells(
    conn: psycopg.Connection[Any], contract: ObservationContract, parameters: dict[str, Any]
) -> None:
    conn.execute(
        f"""
        insert into touched (series_id, period_from, period_to, versions, revised)
        select series.series_id, min(cell.period_start), max(cell.period_start), count(*), 0
        from {contract.staging_relation} as cell
        inner join core.series as series
            on series.feed = %(feed)s and series.site_code = cell.site_code and series.channel = cell.channel
        where cell.content_batch_id = %(content_batch_id)s
        group by series.series_id
        """,
        parameters,
    )


def _insert_newest(conn: psycopg.Connection[Any], contract: ObservationContract, sighting: Sighting) -> None:
    current = _HOLDS_BY_LOOK_UP if sighting.rows <= _LOOK_UP_ROWS else _HOLDS_BY_RANGE
    statement = flags.sql_file("insert_newest.sql").format(staging=contract.staging_relation, current=current)
    conn.execute(statement, _parameters(contract, sighting))


def _work_out_again(conn: psycopg.Connection[Any], contract: ObservationContract, sighting: Sighting) -> int:
    """Versions of the keys of a late sighting, from all their sightings; returns how many were retired."""
    parameters = _parameters(contract, sighting)
    statement = flags.sql_file("sightings.sql").format(
        staging=contract.staging_relation,
        keys="(series.series_id, cell.period_start) in (select series_id, period_start from asked)",
    )
    # Everything here is as large as a few contents: hash joins are right, and a guess that says otherwise costs hours.
    conn.execute("set local enable_nestloop = off")
    conn.execute("drop table if exists asked, wanted")
    conn.execute(
        f"""
        create temporary table asked on commit drop as
        select distinct series.series_id, cell.period_start
        from {contract.staging_relation} as cell
        inner join core.series as series
            on series.feed = %(feed)s and series.site_code = cell.site_code and series.channel = cell.channel
        where cell.content_batch_id = %(content_batch_id)s
        """,
        parameters,
    )
    conn.execute("analyze asked")
    conn.execute(f"create temporary table wanted on commit drop as {statement}", parameters)
    conn.execute("analyze wanted")
    conn.execute("set local enable_nestloop = on")
    return reconcile(conn, contract.element, sighting.batch_id)


def reconcile(conn: psycopg.Connection[Any], element: str, batch_id: int) -> int:
    """Make core hold just the versions of the temporary relation `wanted` for the keys in it; notes what it touched."""
    retired = conn.execute(
        """
        with superfluous as (
            select standing.series_id, standing.period_start, standing.known_at
            from (select distinct series_id, period_start from wanted) as key
            inner join core.observation as standing
                on standing.element = %(element)s and standing.series_id = key.series_id
                and standing.period_start = key.period_start
            left join wanted
                on wanted.series_id = standing.series_id and wanted.period_start = standing.period_start
                and wanted.known_at = standing.known_at
                and row(wanted.qualifier, wanted.value, wanted.value_text, wanted.detection_limit, wanted.source_mark)
                is not distinct from row(standing.qualifier, standing.value, standing.value_text,
                                         standing.detection_limit, standing.source_mark)
            where wanted.series_id is null
        ),
        noted as (
            insert into touched (series_id, period_from, period_to, versions, revised)
            select series_id, min(period_start), max(period_start), 0, 0 from superfluous group by series_id
        )
        select core.retire(array_agg(series_id), array_agg(period_start), array_agg(known_at), %(element)s, %(batch)s)
        from superfluous having count(*) > 0
        """,
        {"element": element, "batch": batch_id},
    ).fetchone()
    conn.execute(
        """
        with inserted as (
            insert into core.observation (element, series_id, period_start, known_at, batch_id, qualifier, value,
                value_text, detection_limit, source_mark)
            select %(element)s, wanted.series_id, wanted.period_start, wanted.known_at, wanted.batch_id,
                wanted.qualifier, wanted.value, wanted.value_text, wanted.detection_limit, wanted.source_mark
            from wanted
            where not exists (
                select from core.observation as standing
                where standing.element = %(element)s and standing.series_id = wanted.series_id
                    and standing.period_start = wanted.period_start and standing.known_at = wanted.known_at)
            order by wanted.series_id, wanted.period_start
            returning series_id, period_start, known_at
        )
        insert into touched (series_id, period_from, period_to, versions, revised)
        select inserted.series_id, min(inserted.period_start), max(inserted.period_start), count(*),
            count(*) filter (where wanted.revises)
        from inserted
        inner join wanted using (series_id, period_start, known_at)
        group by inserted.series_id
        """,
        {"element": element},
    )
    return int(retired[0]) if retired else 0


def _note_changes(
    conn: psycopg.Connection[Any], contract: ObservationContract, attempt: Attempt, batch_id: int
) -> None:
    """Ranges by site that builds must take up.

    Changed values, values whose flags came to matter or ceased to, and all periods since the first of a site of which
    something else is said now: marts carry its name, area and role, and it counts in its area even while it is silent.
    A site that turns out to be older than known counts in the periods from its first to the one that was the first.
    """
    conn.execute(
        """
        insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)
        select %(element)s, %(feed)s, range.site_code, min(range.period_from), max(range.period_to), %(batch)s, %(step)s
        from (
            select series.site_code, period_from, period_to + %(length)s as period_to
            from touched inner join core.series using (series_id)
            union all
            select series.site_code, period_start, period_start + %(length)s
            from reflagged inner join core.series using (series_id)
            where flag in (3, 4)
            union all
            select now.site_code, now.valid_from,
                case when row(now.site_name, now.area_name, now.longitude, now.latitude, now.site_type, now.takes_part)
                        is not distinct from row(before.site_name, before.area_name, before.longitude, before.latitude,
                                                 before.site_type, before.takes_part)
                    then before.valid_from else last.period_to end
            from core.site_current as now
            left join site_before as before using (feed, site_code)
            cross join (
                select max(period_to) as period_to from landing.batch
                where core_step_id is not null
                    and feed in (select feed from core.channel where element = %(element)s)
            ) as last
            where now.feed = %(feed)s and now is distinct from before
        ) as range
        where range.period_from < range.period_to
        group by range.site_code
        """,
        {
            "element": contract.element,
            "feed": contract.feed,
            "batch": batch_id,
            "step": attempt.step_id,
            "length": contract.averaging,
        },
    )
