"""Hashes of content without ids and times of writing: two warehouses that know the same have the same hashes."""

from __future__ import annotations

from typing import Any, Final

import psycopg

# Natural keys and what was said; no series_id, batch_id, site of storage or moment of writing.
_CONTENTS: Final[dict[str, str]] = {
    "core.observation": """
        select s.feed, s.site_code, s.channel, o.period_start, o.known_at, o.qualifier, o.value, o.value_text,
            o.detection_limit, o.source_mark
        from core.observation as o inner join core.series as s using (series_id)""",
    "core.site": """
        select feed, site_code, known_at, element, site_name, area_name, longitude, latitude, attributes, site_type,
            takes_part, valid_from
        from core.site""",
    "core.quality_flag": """
        select s.feed, s.site_code, s.channel, f.period_start, f.known_at, f.test, f.rule_version, f.flag, f.detail
        from core.quality_flag as f inner join core.series as s using (series_id)""",
}


_ENTITIES: Final = (
    "select entity, feed, code, valid_from, known_at, valid_to, taken_back, content from core.entity"
)


def hash_of(conn: psycopg.Connection[Any], query: str) -> str:
    """Order-independent hash of the rows of a query, with their number."""
    row = conn.execute(
        "select count(*) || ':' || coalesce(md5(sum(hashtextextended(t::text, 0)::numeric)::text"
        f" || sum(hashtextextended(t::text, 1)::numeric)::text), '-') from ({query}) as t"
    ).fetchone()
    assert row is not None
    return str(row[0])


def core_hashes(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """Hash of each content of core, by relation."""
    return {relation: hash_of(conn, query) for relation, query in _CONTENTS.items()}


def entity_hash(conn: psycopg.Connection[Any]) -> str:
    """Hash of what the registers say."""
    return hash_of(conn, _ENTITIES)


def relation_hash(conn: psycopg.Connection[Any], relation: str, without: tuple[str, ...] = ()) -> str:
    """Hash of a relation's rows without some columns (ids, times of writing)."""
    columns = conn.execute(
        "select string_agg(quote_ident(attname), ', ' order by attname) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped and attname <> all(%s)",
        [relation, list(without)],
    ).fetchone()
    assert columns is not None
    return hash_of(conn, f"select {columns[0]} from {relation}")
