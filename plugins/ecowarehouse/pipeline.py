"""One feed from its system, or from given files, into landing and core: what `eco load` and the ingest DAGs run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from ecowarehouse import core
from ecowarehouse.connectors import cursor_of, fetch, fetch_paths, landed
from ecowarehouse.contracts import Contract
from ecowarehouse.core.result import CoreResult
from ecowarehouse.decisions import corrections
from ecowarehouse.landing.load import BatchOutcome, load
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings


@dataclass
class FeedRun:
    """What became of one feed in one run; `seconds` by step."""

    feed: str
    batches: list[BatchOutcome]
    core: CoreResult
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether core has something that it had not."""
        return self.core.versions + self.core.retired + self.core.flags + self.core.sites > 0


def run_feed(
    conn: psycopg.Connection[Any],
    settings: Settings,
    contract: Contract,
    *,
    paths: Sequence[str] = (),
    known_at: datetime | None = None,
    run_id: str | None = None,
) -> FeedRun:
    """Fetch and land one feed (from its system, or from `paths`), then take up what waits into core."""
    started = time.perf_counter()
    with acting_as(conn, "eco_landing"):
        cursor = None if paths else cursor_of(conn, contract)
    deliveries = fetch_paths(contract, paths) if paths else fetch(contract, cursor=cursor, settings=settings)
    asked = contract.connector.url if contract.connector.announced and not paths else None
    batches = load(
        conn,
        contract,
        deliveries,
        byte_store=settings.bytes_store,
        known_at_option=known_at,
        run_id=run_id,
        announced=asked,
    )
    if not paths:  # what can't be put away is told, and goes on into core
        with acting_as(conn, "eco_landing"):
            landed(contract, cursor_of(conn, contract), settings=settings)
    loaded = time.perf_counter()
    result = core.build(conn, contract, run_id=run_id)
    corrections.take_up(conn, settings.bytes_store, contract.feed)
    return FeedRun(
        contract.feed,
        batches,
        result,
        {"landing": loaded - started, "core": time.perf_counter() - loaded},
    )
