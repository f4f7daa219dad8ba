"""What is asked of a house whose departments fail: how each delivery ended, and whom the books blame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.transport import Watched
from ecowarehouse.pipeline import run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from tests.conftest import own_database

# What the books of completeness take an attempt for.
NOTHING_CAME, UNUSABLE, OURS, ANSWERED = "no_answer", "unusable", "our_fault", "answered"


def at_once(contract: Contract) -> Contract:
    """The contract, without waiting whether a file still grows: nobody writes here meanwhile."""
    if not isinstance(contract.connector, Watched):
        return contract
    connector = contract.connector.model_copy(update={"settle_seconds": 0.0})
    return contract.model_copy(update={"connector": connector})


def ends(
    conn: psycopg.Connection[Any], settings: Settings, contract: Contract
) -> list[tuple[str, str | None]]:
    """One run of a feed: how each delivery ended."""
    return [(one.outcome, one.reason) for one in run_feed(conn, settings, contract).batches]


def taken_for(settings: Settings, feed: str) -> str:
    """What the books take the last attempt for."""
    with connect(application="tests", admin=True, settings=settings) as admin:
        found = admin.execute(
            "select answer from governance.delivery where feed = %s order by batch_id desc limit 1", [feed]
        ).fetchone()
    return str(found[0]) if found else "none"


@contextmanager
def first_asking(template: str) -> Iterator[tuple[Settings, psycopg.Connection[Any]]]:
    """A house that asks for the first time."""
    with own_database(template) as settings, closing(connect(application="tests", settings=settings)) as conn:
        yield settings, conn
