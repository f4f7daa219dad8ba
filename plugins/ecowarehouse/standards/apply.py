"""Bring the tables of standards to what the files say: only what differs is loaded again."""

from __future__ import annotations

import logging
from typing import Any

import psycopg

from ecowarehouse.ledger import Attempt, step
from ecowarehouse.marts import dbt
from ecowarehouse.marts.deploy import forget
from ecowarehouse.postgres.catalog import column_names
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings
from ecowarehouse.standards.files import SeedFile, seed_files, table_hashes

logger = logging.getLogger(__name__)

_WRITE = """
    insert into governance.standards_applied (file, relation, csv_sha256, table_hash, step_id)
    values (%s, %s, %s, %s, %s)
    on conflict (file) do update set relation = excluded.relation, csv_sha256 = excluded.csv_sha256,
        table_hash = excluded.table_hash, step_id = excluded.step_id, applied_at = clock_timestamp()
"""


def apply(
    conn: psycopg.Connection[Any], *, run_id: str | None = None, settings: Settings | None = None
) -> list[str]:
    """Load every seed whose file or table is not what was applied last, and return their names.

    A table that somebody changed by hand is restored. A change of columns drops the table and the views
    on it: the next `marts.deploy` makes these again. Applying is not approving: see `unapproved`.

    Raises:
        DbtFailed: a file does not fit its columns' types, or a test of a seed failed.
    """
    settings = settings or Settings.load()
    with acting_as(conn, dbt.ROLE), step(conn, "standards", "seeds", run_id=run_id) as attempt:
        changed = _changed(conn, seed_files(settings))
        if not changed:
            attempt.outcome = "nothing_to_do"
            return []
        reshaped = [seed for seed in changed if column_names(conn, seed.relation) not in ([], seed.header())]
        conn.commit()
        if reshaped:
            # Committed before the drop: who is killed after it finds the tables as they should be, and no views.
            forget(conn)
            conn.commit()
            dbt.run(
                ["seed", "--full-refresh", "--select", *(seed.table for seed in reshaped)], settings=settings
            )
        dbt.run(
            [
                "build",
                "--resource-type",
                "seed",
                "--resource-type",
                "test",
                "--select",
                *(s.table for s in changed),
            ],
            settings=settings,
        )
        _record(conn, attempt, changed, seed_files(settings))
        attempt.figures = {"loaded": [seed.file for seed in changed]}
        logger.info("standards applied: %s", ", ".join(seed.file for seed in changed))
        return [seed.file for seed in changed]


def _changed(conn: psycopg.Connection[Any], seeds: list[SeedFile]) -> list[SeedFile]:
    applied = {
        file: (sha256, table_hash)
        for file, sha256, table_hash in conn.execute(
            "select file, csv_sha256, table_hash from governance.standards_applied"
        )
    }
    tables = table_hashes(conn, [seed.relation for seed in seeds])
    return [seed for seed in seeds if applied.get(seed.file) != (seed.sha256(), tables.get(seed.relation))]


def _record(
    conn: psycopg.Connection[Any], attempt: Attempt, changed: list[SeedFile], all_seeds: list[SeedFile]
) -> None:
    tables = table_hashes(conn, [seed.relation for seed in changed])
    for seed in changed:
        conn.execute(
            _WRITE, [seed.file, seed.relation, seed.sha256(), tables[seed.relation], attempt.step_id]
        )
    conn.execute(
        "delete from governance.standards_applied where file <> all(%s)", [[seed.file for seed in all_seeds]]
    )
