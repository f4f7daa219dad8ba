"""Sites of a feed that is its own register: a version for everything the feed says of a site that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract

# What each sighting says of each site, its type by the first rule of the contract that matches the name.
_SAID = """
    select heard.*, kind.site_type, kind.takes_part
    from (
        select distinct on (site.site_code, batch.known_at)
            batch.feed, site.site_code, batch.known_at, batch.batch_id, batch.sha256,
            site.site_name, site.area_name, site.longitude, site.latitude,
            row(site.site_name, site.area_name, site.longitude, site.latitude) as content
        from landing.batch as batch
        inner join {staging} as site on site.content_batch_id = batch.content_batch_id
        where batch.feed = %(feed)s and {sightings}
        order by site.site_code, batch.known_at, batch.sha256 desc, site.row_number desc
    ) as heard
    cross join lateral (
        select rule.site_type, rule.takes_part
        from unnest(%(patterns)s::text[], %(types)s::text[], %(takes_part)s::boolean[])
            with ordinality as rule (pattern, site_type, takes_part, place)
        where coalesce(heard.site_name, '') ~ rule.pattern
        order by rule.place limit 1
    ) as kind
"""

# Of one content the last row of each site says what holds; nothing else of a large content is worked out.
_THIS = """
    batch.batch_id = %(batch_id)s and site.content_batch_id = %(content_batch_id)s and site.row_number in (
        select max(last.row_number) from {staging} as last
        where last.content_batch_id = %(content_batch_id)s group by last.site_code
    )
"""

_INSERT = """
    insert into core.site (feed, site_code, known_at, element, site_name, area_name, longitude, latitude, crs,
        site_type, type_evidence, takes_part, batch_id)
    select feed, site_code, known_at, %(element)s, site_name, area_name, longitude, latitude, %(crs)s,
        site_type, 'name', takes_part, batch_id
    from said
    returning site_code
"""

_NEW_OR_CHANGED = f"""
with said as (
    select said.* from ({_SAID}) as said
    left join lateral (
        select site.site_code, row(site.site_name, site.area_name, site.longitude, site.latitude) as content
        from core.site as site
        where site.feed = said.feed and site.site_code = said.site_code and site.known_at <= said.known_at
        order by site.known_at desc limit 1
    ) as holds on true
    where holds.site_code is null or holds.content is distinct from said.content
)
"""

_WORKED_OUT = f"""
with sighting as ({_SAID}),
said as (
    select * from (
        select *, lag(content) over by_site as predecessor, lag(true, 1, false) over by_site as known
        from sighting
        window by_site as (partition by site_code order by known_at)
    ) as compared
    where not known or predecessor is distinct from content
)
"""
_VERSIONS = _WORKED_OUT + _INSERT


def take_up(
    conn: psycopg.Connection[Any], contract: Contract, batch_id: int, content_batch_id: int
) -> list[str]:
    """Bring `core.site` up to date with one sighting; returns the site of each version that was written.

    A sighting that is not the newest works the history of the sites that it contradicts out again, from all sightings.
    """
    parameters = {**_parameters(contract, batch_id), "content_batch_id": content_batch_id}
    staging = contract.staging_site_relation
    this = _NEW_OR_CHANGED.format(staging=staging, sightings=_THIS.format(staging=staging))
    if not _is_late(conn, contract.feed, batch_id):
        return _codes(conn, this + _INSERT, parameters)
    contradicted = _codes(conn, this + "select site_code from said", parameters)
    if not contradicted:
        return []
    conn.execute(
        "delete from core.site where feed = %s and site_code = any(%s)", [contract.feed, contradicted]
    )
    every = (
        "batch.outcome in ('loaded', 'unchanged', 'partial') and site.site_code = any(%(contradicted)s)"
        " and (batch.core_step_id is not null or batch.batch_id = %(batch_id)s)"
    )
    statement = _VERSIONS.format(staging=staging, sightings=every)
    return _codes(conn, statement, {**parameters, "contradicted": contradicted})


def work_out(conn: psycopg.Connection[Any], contract: Contract) -> None:
    """Leave the versions that all sightings taken up give in the temporary relation `wanted_site`."""
    taken_up = "batch.outcome in ('loaded', 'unchanged', 'partial') and batch.core_step_id is not null"
    versions = _WORKED_OUT.format(staging=contract.staging_site_relation, sightings=taken_up)
    conn.execute(
        f"create temporary table wanted_site on commit drop as {versions}"
        " select site_code, known_at, site_name, area_name, longitude, latitude, site_type, takes_part from said",
        _parameters(contract, -1),
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


def _parameters(contract: Contract, batch_id: int) -> dict[str, Any]:
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
