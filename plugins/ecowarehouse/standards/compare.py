"""File, table and approval side by side, for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from ecowarehouse.postgres.catalog import column_names
from ecowarehouse.settings import Settings
from ecowarehouse.standards.approval import approvals
from ecowarehouse.standards.files import SeedFile, seed_files


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of standards: whether its content is approved, and in which rows the table differs."""

    file: str
    relation: str
    sha256: str
    approved: bool
    applied: bool
    only_in_file: list[tuple[str, ...]]
    only_in_table: list[tuple[str, ...]]

    @property
    def good(self) -> bool:
        """Approved, applied, and the table as the file says."""
        return self.approved and self.applied and not self.only_in_file and not self.only_in_table


def diff(conn: psycopg.Connection[Any], *, settings: Settings | None = None) -> list[FileState]:
    """The state of every file of standards."""
    settings = settings or Settings.load()
    approved = approvals(conn, settings)
    applied = dict(conn.execute("select file, csv_sha256 from governance.standards_applied").fetchall())
    states = []
    for seed in seed_files(settings):
        sha256 = seed.sha256()
        in_file, in_table = _differences(conn, seed)
        states.append(
            FileState(
                seed.file,
                seed.relation,
                sha256,
                (seed.file, sha256) in approved,
                applied.get(seed.file) == sha256,
                in_file,
                in_table,
            )
        )
    return states


def _differences(
    conn: psycopg.Connection[Any], seed: SeedFile
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    header = seed.header()
    rows = Counter(seed.rows())
    if column_names(conn, seed.relation) != header:
        return sorted(rows), []
    statement = sql.SQL("select {columns} from {table}").format(
        columns=sql.SQL(", ").join(
            sql.SQL("coalesce({}::text, '')").format(sql.Identifier(name)) for name in header
        ),
        table=sql.Identifier(seed.schema, seed.table),
    )
    held = Counter(tuple(row) for row in conn.execute(statement))
    return sorted((rows - held).elements()), sorted((held - rows).elements())
