"""A case through the house: its pulls into landing and core in some steps, the books built, the score taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from ecowarehouse import marts
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.pipeline import run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from tests.detection.scoring import Score, score
from tests.detection.showing import Case, chunks, write_pulls

CITY = Path(__file__).resolve().parents[1] / "cities" / "detection"


def contract_of(name: str) -> Contract:
    """A contract of the city of detection."""
    return load_contracts(CITY)[name]


@contextmanager
def connections(settings: Settings) -> Iterator[tuple[psycopg.Connection[Any], psycopg.Connection[Any]]]:
    """Of the login, and of the superuser who looks at everything."""
    with (
        closing(connect(application="detection", settings=settings)) as conn,
        closing(
            connect(application="detection admin", admin=True, autocommit=True, settings=settings)
        ) as admin,
    ):
        yield conn, admin


def detect(case: Case, settings: Settings, folder: Path, steps: int = 6) -> dict[str, Score]:
    """Load what the source shows in so many runs of the feed, in order of time, and compare with the manifest."""
    contract = contract_of(case.contract)
    paths = write_pulls(case, folder)
    with connections(settings) as (conn, admin):
        for part in chunks(paths, steps):
            run = run_feed(conn, settings, contract, paths=[str(path) for path in part])
            bad = [batch for batch in run.batches if not batch.usable]
            assert not bad, bad[0]
        marts.build(conn, "governance", settings=settings)
        return score(case, admin)
