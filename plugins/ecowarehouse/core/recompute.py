"""The whole of core worked out again from landing, compared with what stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse.contracts import EntityContract, ObservationContract
from ecowarehouse.core import entities, flags, sites
from ecowarehouse.ledger import lock
from ecowarehouse.postgres.session import acting_as

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract


@dataclass(frozen=True)
class Difference:
    """Rows that should stand and don't, and the other way round, with one example each."""

    relation: str
    missing: int
    superfluous: int
    example: str | None = None


_COMPARE = """
with missing as ({wanted} except all {standing}),
superfluous as ({standing} except all {wanted})
select (select count(*) from missing), (select count(*) from superfluous),
    coalesce((select missing::text from missing limit 1), (select superfluous::text from superfluous limit 1))
"""

_OBSERVATION = (
    "select series_id, period_start, known_at, qualifier, value, value_text, detection_limit, source_mark"
)
_FLAG = "select series_id, period_start, known_at, test, rule_version, flag, detail"
_SITE = (
    "select site_code, known_at, site_name, area_name, longitude, latitude, attributes, site_type, takes_part,"
    " valid_from"
)


def check(conn: psycopg.Connection[Any], contract: Contract) -> list[Difference]:
    """Compare versions, flags and sites of a feed with a full recompute; an empty list says that nothing differs.

    Changes nothing. Takes the feed's lock, so that no core step runs meanwhile.
    """
    with acting_as(conn, "eco_core"), lock(conn, "core", contract.feed):
        try:
            found = _differences(conn, contract)
        finally:
            conn.rollback()
    return [difference for difference in found if difference.missing or difference.superfluous]


def _differences(conn: psycopg.Connection[Any], contract: Contract) -> list[Difference]:
    if isinstance(contract, EntityContract):
        entities.work_out(conn, contract, [], None)
        return [_compare(conn, f"core.{contract.entity}", entities.wanted(), entities.standing(contract))]
    assert isinstance(contract, ObservationContract)
    return [_observations(conn, contract), _flags(conn, contract), _sites(conn, contract)]


def _observations(conn: psycopg.Connection[Any], contract: ObservationContract) -> Difference:
    statement = flags.sql_file("sightings.sql").format(staging=contract.staging_relation, keys="true")
    conn.execute(
        f"create temporary table wanted on commit drop as {statement}",
        {"feed": contract.feed, "batch_id": -1, "period_from": "-infinity", "period_to": "infinity"},
    )
    standing = f"""{_OBSERVATION} from core.observation where element = '{contract.element}'
        and series_id in (select series_id from core.series where feed = '{contract.feed}')"""
    return _compare(conn, "core.observation", f"{_OBSERVATION} from wanted", standing)


def _flags(conn: psycopg.Connection[Any], contract: ObservationContract) -> Difference:
    conn.execute(
        """
        create temporary table judging on commit drop as
        select series_id, min(period_start) as judge_from, max(period_start) as judge_to
        from core.observation inner join core.series using (series_id, element)
        where feed = %s group by series_id
        """,
        [contract.feed],
    )
    conn.execute("analyze judging")
    judges = " union all ".join(f"({flags.sql_file(name)})" for name in (*flags.JUDGES, *flags.AROUND_JUDGES))
    conn.execute(
        f"create temporary table judged on commit drop as {judges}",
        {"element": contract.element, "step": contract.averaging},
    )
    standing = f"""{_FLAG} from core.quality_flag
        where series_id in (select series_id from core.series where feed = '{contract.feed}')"""
    return _compare(conn, "core.quality_flag", f"{_FLAG} from judged", standing)


def _sites(conn: psycopg.Connection[Any], contract: ObservationContract) -> Difference:
    sites.work_out(conn, contract)
    standing = f"{_SITE} from core.site where feed = '{contract.feed}'"
    return _compare(conn, "core.site", f"{_SITE} from wanted_site", standing)


def _compare(conn: psycopg.Connection[Any], relation: str, wanted: str, standing: str) -> Difference:
    row = conn.execute(_COMPARE.format(wanted=wanted, standing=standing)).fetchone()
    assert row is not None
    return Difference(relation, *row)
