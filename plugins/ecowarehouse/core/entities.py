"""Entities with history: versions from sightings, and whose marts and flags follow.

Which versions exist is a pure function of all sightings of the feed, so the order of arrival can't matter. A core step
works out the things that the waiting sightings speak of (of a whole register: all of them), and makes core hold that.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from ecowarehouse.core import flags, service
from ecowarehouse.core.result import CoreResult, NotDeployed
from ecowarehouse.entities import SQL_TYPES, Entity, load_entities
from ecowarehouse.ledger import LOCK_WAIT, Attempt, step
from ecowarehouse.postgres.session import acting_as

if TYPE_CHECKING:
    from ecowarehouse.contracts import EntityContract

logger = logging.getLogger(__name__)

_READERS: Final = "eco_landing, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor"
_WAITING: Final = (
    "select batch_id from landing.batch where feed = %s and core_step_id is null"
    " and outcome in ('loaded', 'unchanged', 'partial') order by known_at, sha256, batch_id"
)
_NEWEST_TWO: Final = """
select rows from (
    select distinct on (batch.known_at) batch.known_at, content.rows
    from landing.batch as batch inner join landing.batch as content on batch.content_batch_id = content.batch_id
    where batch.feed = %s and batch.outcome in ('loaded', 'unchanged', 'partial')
    order by batch.known_at desc, batch.sha256 desc
    limit 2
) as newest order by known_at desc
"""
_COLUMNS: Final = "code, valid_from, known_at, valid_to, taken_back, content"

_RETIRE: Final = """
with superfluous as (
    delete from core.entity as standing
    where standing.feed = %(feed)s and (%(codes)s::text[] is null or standing.code = any(%(codes)s))
        and not exists (
            select from wanted_entity as wanted
            where wanted.code = standing.code and wanted.valid_from = standing.valid_from
                and wanted.known_at = standing.known_at and standing.entity = %(entity)s
                and row(wanted.valid_to, wanted.taken_back, wanted.content)
                    = row(standing.valid_to, standing.taken_back, standing.content))
    returning standing.*
),
kept as (
    insert into core.entity_retired select superfluous.*, clock_timestamp(), %(batch_id)s from superfluous
)
insert into entity_change select code, valid_from, valid_to, content, false from superfluous
"""
_ADD: Final = """
with added as (
    insert into core.entity (entity, feed, code, valid_from, known_at, valid_to, taken_back, content, batch_id)
    select %(entity)s, %(feed)s, wanted.code, wanted.valid_from, wanted.known_at, wanted.valid_to, wanted.taken_back,
        wanted.content, wanted.batch_id
    from wanted_entity as wanted
    where not exists (
        select from core.entity as standing
        where standing.entity = %(entity)s and standing.feed = %(feed)s and standing.code = wanted.code
            and standing.valid_from = wanted.valid_from and standing.known_at = wanted.known_at)
    returning code, valid_from, valid_to, content
)
insert into entity_change select code, valid_from, valid_to, content, true from added
"""
# What was said of a thing until now concerns its sites too: a device that moved was somewhere before.
_SITES: Final = """
    select distinct {site} from (
        select code, content from core.entity
        where entity = %(entity)s and code in (select code from entity_change)
        union all
        select code, content from entity_change
    ) as said
    where {site} is not null
"""
_SITES_OF_DEVICES: Final = f"""
    select distinct content ->> 'site' from core.entity
    where entity = 'device' and content ? 'site' and code in ({_SITES})
"""
_NOTE_SITES: Final = """
    insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)
    select series.element, series.feed, series.site_code, min(reach.first),
        max(reach.last + series.averaging_period), %(batch_id)s, %(step)s
    from core.series
    cross join lateral (
        select min(o.period_start) as first, max(o.period_start) as last
        from core.observation as o
        where o.element = series.element and o.series_id = series.series_id
    ) as reach
    where (%(element)s::text is null or series.element = %(element)s) and series.site_code = any(%(sites)s)
        and reach.first is not null
    group by series.element, series.feed, series.site_code
"""
# Marts of things themselves: from the first day that changed to the newest moment the feed has spoken of, and on when
# that moment moves, because a month that begins without news is a row too. An open beginning reaches as far back as
# anything that was said of such things.
_NOTE_THINGS: Final = """
    insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)
    select %(element)s, %(feed)s, code, min(since), greatest(max(till), max(since) + interval '1 day'),
        %(batch_id)s, %(step)s
    from (
        select
            code,
            coalesce(
                {since}, (select min({since}) from core.entity where entity = %(entity)s), newest.known_at
            ) as since,
            newest.known_at as till
        from entity_change
        cross join (
            select max(known_at) as known_at from landing.batch
            where feed = %(feed)s and (core_step_id is not null or batch_id = any(%(waiting)s))
        ) as newest
        union all
        select standing.code, before.known_at, newest.known_at
        from (select distinct code from core.entity where entity = %(entity)s and feed = %(feed)s) as standing
        cross join (
            select max(known_at) as known_at from landing.batch where feed = %(feed)s and core_step_id is not null
        ) as before
        cross join (
            select max(known_at) as known_at from landing.batch where batch_id = any(%(waiting)s)
        ) as newest
        where date_trunc('month', newest.known_at) > date_trunc('month', before.known_at)
    ) as touched
    group by code
"""


def build(
    conn: psycopg.Connection[Any], contract: EntityContract, *, run_id: str | None = None
) -> CoreResult:
    """Take up every waiting sighting of a feed of entities, in one transaction; raises as `core.build`."""
    with acting_as(conn, "eco_core"), step(conn, "core", contract.feed, run_id=run_id) as attempt:
        result = CoreResult(contract.feed)
        waiting = [row[0] for row in conn.execute(_WAITING, [contract.feed])]
        if not waiting:
            attempt.outcome = "nothing_to_do"
            return result
        _require_views(conn, contract)
        result.sightings = len(waiting)
        parameters = {
            "feed": contract.feed, "entity": contract.entity, "waiting": waiting, "batch_id": waiting[-1],
            "step": attempt.step_id, "codes": _codes(conn, contract, waiting),
        }  # fmt: skip
        work_out(conn, contract, waiting, parameters["codes"])
        if contract.ends_what_is_absent and (cut := _cut(conn, contract)):
            result.unconfirmed = cut
            logger.warning("%s: %s", contract.feed, cut)
        conn.execute(
            "create temporary table entity_change (code text, valid_from date, valid_to date, content jsonb,"
            " is_new boolean) on commit drop"
        )
        if contract.entity == service.REGISTER:
            service.remember(conn)
        result.retired = conn.execute(_RETIRE, parameters).rowcount
        result.versions = conn.execute(_ADD, parameters).rowcount
        _follow(conn, contract.declared, parameters, result)
        if contract.entity == service.REGISTER:
            service.note(conn, waiting[-1], attempt.step_id)
        conn.execute(
            "update landing.batch set core_step_id = %s where batch_id = any(%s)", [attempt.step_id, waiting]
        )
        _say(attempt, result)
    return result


def _cut(conn: psycopg.Connection[Any], contract: EntityContract) -> str | None:
    """In words, whether the newest register lacks most of what stood before it, so that it ends nothing yet."""
    found = [row[0] for row in conn.execute(_NEWEST_TWO, [contract.feed])]
    if len(found) < 2 or found[0] >= contract.delivered.least_share * found[1]:
        return None
    return (
        f"{found[0]} rows where the register before had {found[1]}: nothing ends by it until another delivery"
        " says the same; send the whole register again"
    )


def work_out(
    conn: psycopg.Connection[Any], contract: EntityContract, waiting: list[int], codes: list[str] | None
) -> None:
    """Leave the versions that all sightings give, of these codes or of all, in the relation `wanted_entity`."""
    whole = contract.ends_what_is_absent
    stated = flags.sql_file("entity_whole.sql" if whole else "entity_rows.sql")
    statement = flags.sql_file("entity_versions.sql").replace("{stated}", stated)
    conn.execute(
        "create temporary table wanted_entity on commit drop as "
        + statement.replace("{staging}", contract.staging_relation),
        {
            "feed": contract.feed,
            "waiting": waiting,
            "codes": codes,
            "absent": contract.delivered.absent,
            "least_share": contract.delivered.least_share,
            "spans": contract.delivered.absent == "ended" and contract.valid.start is None,
        },
    )


def standing(contract: EntityContract) -> str:
    """The versions that stand, in the columns of `wanted`."""
    return f"select {_COLUMNS} from core.entity where feed = '{contract.feed}'"


def wanted() -> str:
    """The versions that `work_out` left."""
    return f"select {_COLUMNS} from wanted_entity"


def deploy(conn: psycopg.Connection[Any]) -> list[str]:
    """Make `core.<entity>` (all versions) and `core.<entity>_current` of every entity; returns those that changed.

    The declaration stands as a mark in the comment of each view. A view whose columns change takes the views that read
    it with it; the deployment of marts that follows makes these again.
    """
    said = []
    with acting_as(conn, "eco_core"):
        for name, entity in load_entities().items():
            for relation, query in _views(name, entity):
                if _is_as_declared(conn, relation, query):
                    continue
                said.append(f"core.{relation}")
                _make(conn, relation, query, entity)
        conn.commit()
    return said


def _views(name: str, entity: Entity) -> list[tuple[str, str]]:
    columns = ",\n    ".join(
        f"(content ->> '{column}')::{SQL_TYPES[declared.type]} as {column}"
        for column, declared in entity.columns.items()
    )
    own = "feed, code, valid_from, valid_to, known_at, batch_id"
    return [
        (name, f"select {own},\n    {columns},\n    taken_back\nfrom core.entity where entity = '{name}'"),
        (
            f"{name}_current",
            f"select {own},\n    {columns}\nfrom core.entity_current where entity = '{name}'",
        ),
    ]


def _mark(query: str) -> str:
    from hashlib import sha256

    return sha256(query.encode()).hexdigest()[:16]


def _is_as_declared(conn: psycopg.Connection[Any], relation: str, query: str) -> bool:
    row = conn.execute(
        "select obj_description(to_regclass(%s), 'pg_class') like %s",
        [f"core.{relation}", f"%({_mark(query)})"],
    ).fetchone()
    return bool(row and row[0])


def _make(conn: psycopg.Connection[Any], relation: str, query: str, entity: Entity) -> None:
    view = sql.Identifier("core", relation)
    try:
        with conn.transaction():
            conn.execute(sql.SQL("create or replace view {} as ").format(view) + sql.SQL(query))
    except psycopg.errors.InvalidTableDefinition:
        conn.execute(sql.SQL("drop view {} cascade").format(view))
        conn.execute(sql.SQL("create view {} as ").format(view) + sql.SQL(query))
    what = "a version" if not relation.endswith("_current") else "what holds in a span of days"
    comment = f"One row is {what}: {entity.title.en} · {entity.title.zh} ({_mark(query)})"
    conn.execute(sql.SQL("comment on view {} is {}").format(view, sql.Literal(comment)))
    for column, declared in entity.columns.items():
        conn.execute(
            sql.SQL("comment on column {}.{} is {}").format(
                view, sql.Identifier(column), sql.Literal(f"{declared.zh} · {declared.en}")
            )
        )
    conn.execute(sql.SQL(f"grant select on {{}} to {_READERS}").format(view))


def _require_views(conn: psycopg.Connection[Any], contract: EntityContract) -> None:
    row = conn.execute("select to_regclass(%s) is null", [contract.staging_relation]).fetchone()
    if row is not None and row[0]:
        raise NotDeployed(
            f"{contract.feed}: its staging views are not there yet; run `eco up` (or `eco up --database-only`)"
        )


def _codes(conn: psycopg.Connection[Any], contract: EntityContract, waiting: list[int]) -> list[str] | None:
    """The things that the waiting sightings speak of; None where they speak of all."""
    if contract.ends_what_is_absent:
        return None
    rows = conn.execute(
        f"select distinct code from {contract.staging_relation} where content_batch_id in"
        " (select content_batch_id from landing.batch where batch_id = any(%s))",
        [waiting],
    )
    return [row[0] for row in rows]


def _follow(
    conn: psycopg.Connection[Any], entity: Entity, parameters: dict[str, Any], result: CoreResult
) -> None:
    """Have marts and flags follow what changed."""
    concerns = entity.concerns
    sites: list[str] = []
    if (column := concerns.site or concerns.device) is not None:
        text = "code" if column == "code" else f"content ->> '{column}'"
        statement = (_SITES if concerns.site else _SITES_OF_DEVICES).format(site=text)
        sites = [row[0] for row in conn.execute(statement, parameters)]
    if sites:
        known = {**parameters, "sites": sites, "element": concerns.element}
        _wait_for_feeds(conn, sites)
        result.flags = flags.judge_devices(conn, sites)
        if concerns.site:
            result.sites = len(sites)
            conn.execute(_NOTE_SITES, known)
        conn.execute(flags.NOTE_REFLAGGED, known)
    elif concerns.element and not concerns.site:
        since = (
            f"(content ->> '{concerns.since}')::timestamptz"
            if concerns.since
            else "nullif(valid_from, '-infinity')"
        )
        conn.execute(_NOTE_THINGS.format(since=since), {**parameters, "element": concerns.element})


def _wait_for_feeds(conn: psycopg.Connection[Any], sites: list[str]) -> None:
    """Flags of a series belong to the core step of its feed: until this transaction ends, none runs."""
    conn.execute(f"set local lock_timeout = '{LOCK_WAIT}'")
    conn.execute(
        "select pg_advisory_xact_lock(hashtextextended('feed:' || feed, 0))"
        " from (select distinct feed from core.series where site_code = any(%s) order by feed) as concerned",
        [sites],
    )


def _say(attempt: Attempt, result: CoreResult) -> None:
    attempt.figures = asdict(result)
    logger.info(
        "core %s: %d sightings, %d versions (%d retired), %d flags",
        result.feed,
        result.sightings,
        result.versions,
        result.retired,
        result.flags,
    )
