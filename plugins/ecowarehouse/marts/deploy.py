"""Views that stand between builds: staging, editions of standards, and the marts as of any moment."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse.contracts import EntityContract, ObservationContract
from ecowarehouse.contracts.staging import cells_sql, site_sql
from ecowarehouse.contracts.staging_entity import entity_sql
from ecowarehouse.ledger import lock
from ecowarehouse.marts import dbt
from ecowarehouse.marts.dbt import ROLE
from ecowarehouse.postgres import connect
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract

logger = logging.getLogger(__name__)

_STANDING = ("models/standards", "models/as_of")
_MARK = "deployed "


def deploy(
    contracts: Sequence[Contract] = (),
    *,
    conn: psycopg.Connection[Any] | None = None,
    settings: Settings | None = None,
) -> bool:
    """Create or replace staging views of these contracts and all standing views, if their SQL has changed.

    Staging views are models of the project; those of a city outside of it come straight from its contracts.

    What was deployed is written on the schema `as_of`, so a new database is never taken for an old one.
    Seeds must have been applied, and the landing tables and the views of entities must exist. Returns whether dbt ran.

    Raises:
        DbtFailed: a view cannot be made.
    """
    settings = settings or Settings.load()
    if conn is None:
        with connect(ROLE, application="deploy views", settings=settings) as own:
            return deploy(contracts, conn=own, settings=settings)
    with acting_as(conn, ROLE), lock(conn, "standards", "views"):
        wanted = _MARK + _fingerprint(settings, contracts)
        row = conn.execute("select obj_description(to_regnamespace('as_of'), 'pg_namespace')").fetchone()
        conn.commit()
        if row is not None and row[0] == wanted:
            return False
        models = [contract.feed for contract in contracts if _is_model(settings, contract)]
        selection = [*(f"path:models/staging/{feed}" for feed in models), *(f"path:{f}" for f in _STANDING)]
        for done in dbt.run(["run", "--select", *selection], settings=settings):
            logger.info("view %s: %s", done.model, done.status)
        for contract in contracts:
            if contract.feed not in models:
                for relation, query in _views(contract):
                    conn.execute(f"drop view if exists {relation}")  # a column may have another type now
                    conn.execute(f"create view {relation} as {query}")
        conn.execute(f"comment on schema as_of is '{wanted}'")  # a hexadecimal digest: nothing to quote
        conn.commit()
        return True


def forget(conn: psycopg.Connection[Any]) -> None:
    """Have the next deployment make all views again: something that they read was dropped."""
    conn.execute(
        "do $$ begin if to_regnamespace('as_of') is not null then"
        " comment on schema as_of is null; end if; end $$"
    )


def _is_model(settings: Settings, contract: Contract) -> bool:
    return (settings.dbt_project / "models" / "staging" / contract.feed).is_dir()


def _views(contract: Contract) -> list[tuple[str, str]]:
    """Relations and queries of the staging views that come straight from a contract."""
    if isinstance(contract, EntityContract):
        return [(contract.staging_relation, entity_sql(contract, contract.landing_relation))]
    assert isinstance(contract, ObservationContract)
    return [
        (contract.staging_relation, cells_sql(contract, contract.landing_relation)),
        (contract.staging_site_relation, site_sql(contract, contract.landing_relation)),
    ]


def _fingerprint(settings: Settings, contracts: Sequence[Contract]) -> str:
    project = settings.dbt_project
    folders = ["macros", *_STANDING, *(f"models/staging/{contract.feed}" for contract in contracts)]
    files = [project / "dbt_project.yml", project / "entities.yml", project / "models/marts/_sources.yml"]
    files += sorted(path for folder in folders for path in (project / folder).rglob("*") if path.is_file())
    digest = hashlib.sha256(settings.timezone.encode())  # views cut days by it
    for contract in contracts:
        if not _is_model(settings, contract):
            digest.update("".join(query for _, query in _views(contract)).encode())
    for path in files:
        digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
