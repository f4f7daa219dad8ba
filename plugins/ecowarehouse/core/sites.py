"""Sites of a feed that is its own register: a version for everything the feed says of a site that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from ecowarehouse.contracts import ObservationContract

# What each sighting says of each site, its type by the first rule of the contract that matches the name, and the first
# period it has of it: a site is counted in its area from its first period on, and not before.
_SAID = """
    select heard.*, coalesce(kind.site_type, 'other') as site_type, coalesce(kind.takes_part, true) as takes_part
    from (
        select distinct on (site.site_code, batch.known_at)
            batch.feed, site.site_code, batch.known_at, batch.batch_id, batch.sha256,
            site.site_name, site.area_name, site.longitude, site.latitude, site.attributes,
            row(site.site_name, site.area_name, site.longitude, site.latitude, site.attributes) as content,
            min({first_period}) over (partition by site.site_code, batch.known_at) as first_period
        from landing.batch as batch
        inner join {described} as site on site.content_batch_id = batch.content_batch_id
        where batch.feed = %(feed)s and {sightings}
        order by site.site_code, batch.known_at, batch.sha256 desc, site.row_number desc
    ) as heard
    left join lateral (
        select rule.site_type, rule.takes_part
        from unnest(%(patterns)s::text[], %(types)s::text[], %(takes_part)s::boolean[])
            with ordinality as rule (pattern, site_type, takes_part, place)
        where coalesce(heard.site_name, '') ~ rule.pattern
        order by rule.place limit 1
    ) as kind on true
"""

# Of one content the last row of each site says what holds; of the others only the period is worked out.
_LAST_ROWS = """(
    select one.*, seen.first_period
    from (
        select site_code, max(row_number) as row_number, min(period_start) as first_period
        from {described} where content_batch_id = %(content_batch_id)s group by site_code
    ) as seen
    inner join {described} as one on one.row_number = seen.row_number
    where one.content_batch_id = %(content_batch_id)s
)"""

_INSERT = """
    insert into core.site (feed, site_code, known_at, element, site_name, area_name, longitude, latitude, attributes,
        crs, site_type, type_evidence, takes_part, valid_from, batch_id)
    select feed, site_code, known_at, %(element)s, site_name, area_name, longitude, latitude, attributes, %(crs)s,
        site_type, 'name', takes_part, valid_from, batch_id
    from said
    returning site_code
"""

_NEW_OR_CHANGED = f"""
with said as (
    select said.*, least(said.first_period, holds.valid_from) as valid_from
    from ({_SAID}) as said
    left join lateral (
        select site.site_code, site.valid_from,
            row(site.site_name, site.area_name, site.longitude, site.latitude, site.attributes) as content
        from core.site as site
        where site.feed = said.feed and site.site_code = said.site_code and site.known_at <= said.known_at
        order by site.known_at desc limit 1
    ) as holds on true
    where holds.site_code is null or holds.content is distinct from said.content
        or said.first_period < holds.valid_from
)
"""

_WORKED_OUT = f"""
with sighting as (
    select *, min(first_period) over (partition by site_code order by known_at) as valid_from
    from ({_SAID}) as said
),
said as (
    select * from (
        select *, lag(content) over by_site as predecessor, lag(valid_from) over by_site as counted_from
        from sighting
        window by_site as (partition by site_code order by known_at)
    ) as compared
    where counted_from is distinct from valid_from or predecessor is distinct from content
)
"""
_VERSIONS = _WORKED_OUT + _INSERT

# A version that is no more is kept: an area that a site belonged to in an earlier build has to be built again.
_RETIRE = """
    insert into core.site_retired
    select before.*, clock_timestamp(), %(batch_id)s from site_before_late as before
    where not exists (
        select from core.site as site
        where site.feed = before.feed and site.site_code = before.site_code and site.known_at = before.known_at
            and row(site.site_name, site.area_name) is not distinct from row(before.site_name, before.area_name))
"""


def take_up(
    conn: psycopg.Connection[Any], contract: ObservationContract, batch_id: int, content_batch_id: int
) -> list[str]:
    """Bring `core.site` up to date with one sighting; returns the site of each version that was written.

    A sighting that is not the newest works the history of the sites that it contradicts out again, from all sightings.
    """
    parameters = {**_parameters(contract, batch_id), "content_batch_id": content_batch_id}
    described = contract.staging_site_relation
    this = _NEW_OR_CHANGED.format(
        described=_LAST_ROWS.format(described=described),
        first_period="site.first_period",
        sightings="batch.batch_id = %(batch_id)s",
    )
    if not _is_late(conn, contract.feed, batch_id):
        return _codes(conn, this + _INSERT, parameters)
    contradicted = _codes(conn, this + "select site_code from said", parameters)
    if not contradicted:
        return []
    parameters["contradicted"] = contradicted
    conn.execute("drop table if exists site_before_late")
    conn.execute(
        "create temporary table site_before_late on commit drop as"
        " select * from core.site where feed = %(feed)s and site_code = any(%(contradicted)s)",
        parameters,
    )
    conn.execute(
        "delete from core.site where feed = %(feed)s and site_code = any(%(contradicted)s)", parameters
    )
    every = (
        "batch.outcome in ('loaded', 'unchanged', 'partial') and site.site_code = any(%(contradicted)s)"
        " and (batch.core_step_id is not null or batch.batch_id = %(batch_id)s)"
    )
    written = _codes(conn, _every_sighting(contract, _VERSIONS, every), parameters)
    conn.execute(_RETIRE, parameters)
    return written


def work_out(conn: psycopg.Connection[Any], contract: ObservationContract) -> None:
    """Leave the versions that all sightings taken up give in the temporary relation `wanted_site`."""
    taken_up = "batch.outcome in ('loaded', 'unchanged', 'partial') and batch.core_step_id is not null"
    versions = _every_sighting(contract, _WORKED_OUT, taken_up)
    conn.execute(
        f"create temporary table wanted_site on commit drop as {versions} select site_code, known_at, site_name,"
        " area_name, longitude, latitude, attributes, site_type, takes_part, valid_from from said",
        _parameters(contract, -1),
    )


def _every_sighting(contract: ObservationContract, statement: str, sightings: str) -> str:
    return statement.format(
        described=contract.staging_site_relation, first_period="site.period_start", sightings=sightings
    )


def _codes(conn: psycopg.Connection[Any], statement: str, parameters: dict[str, Any]) -> list[str]:
    return [row[0] for row in conn.execute(statement, parameters)]


def _is_late(conn: psycopg.Connection[Any], feed: str, batch_id: int) -> bool:
    row = conn.execute(
        "select exists (select from landing.batch as other, landing.batch as this"
        " where this.batch_id = %s and other.feed = %s and other.core_step_id is not null"
        " and other.known_at >= this.known_at)",
        [batch_id, feed],
    ).fetchone()
    return bool(row and row[0])


def _parameters(contract: ObservationContract, batch_id: int) -> dict[str, Any]:
    types = contract.site.types
    return {
        "feed": contract.feed,
        "element": contract.element,
        "crs": contract.site.crs,
        "batch_id": batch_id,
        "patterns": [rule.pattern for rule in types],
        "types": [rule.type for rule in types],
        "takes_part": [rule.takes_part for rule in types],
    }
