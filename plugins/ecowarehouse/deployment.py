"""What stands between runs: tables, channels, standards and views, brought to what code and city say. Idempotent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import psycopg

from ecowarehouse import marts, standards
from ecowarehouse.contracts import EntityContract, ObservationContract, load_contracts
from ecowarehouse.core import channels, entities
from ecowarehouse.landing import table
from ecowarehouse.pipeline import run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.prepare import prepare
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings

logger = logging.getLogger(__name__)


def deploy(settings: Settings, say: Callable[[str], None] = logger.info) -> None:
    """Apply migrations, landing tables, channels, standards and views; `say` gets a line for each that changed.

    A broken contract is named and left out; the others are deployed.
    """
    for migration in prepare(settings):
        say(f"migration {migration.path.name} applied")
    found = load_contracts(settings.city)
    for feed, broken in sorted(found.broken.items()):
        say(f"contract {feed} is broken and left out: {broken.message}")
    with connect(application="deployment", settings=settings) as conn:
        contracts = list(found.contracts.values())
        _apply_contracts(conn, contracts)
        if changed := entities.deploy(conn):
            say(f"entities: {', '.join(changed)}")
        for line in standards.apply(conn, settings=settings):
            say(f"standards: {line}")
        if marts.deploy(contracts, conn=conn, settings=settings):
            say("views: staging and as_of deployed")


def take_up_registers(settings: Settings, say: Callable[[str], None] = logger.info) -> None:
    """Load the registers of the city's own folder, which any run may need; each is a feed with its ledger.

    The warehouse must be deployed. A register that can't be read says so, and the others are taken up.
    """
    with connect(application="registers", settings=settings) as conn:
        for contract in load_contracts(settings.city).contracts.values():
            if not isinstance(contract, EntityContract) or not contract.is_kept_here:
                continue
            run = run_feed(conn, settings, contract)
            if run.changed:
                say(f"register {contract.feed}: {run.core.versions} versions, {run.core.retired} retired")
            for batch in run.batches:
                if not batch.usable:
                    say(f"register {contract.feed}: {batch.outcome}: {batch.error}")


def _apply_contracts(conn: psycopg.Connection[Any], contracts: list[Any]) -> None:
    with acting_as(conn, "eco_landing"):
        for contract in contracts:
            table.ensure(conn, contract)
        conn.commit()
    with acting_as(conn, "eco_core"):
        for contract in (one for one in contracts if isinstance(one, ObservationContract)):
            channels.apply(conn, contract)
        conn.commit()
