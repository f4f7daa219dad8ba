"""Migrations: numbered SQL files, each applied once, in order, in a transaction of its own.

`public.eco_migration` records number, name and sha256 of each. A file that was applied is never edited:
another database has it in its old form; a change is a new file.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ecowarehouse.postgres.errors import MigrationError
from ecowarehouse.settings import Settings

OWNER = "eco_owner"

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK = 0x65636F02  # "eco" 2: advisory locks of the house
_TABLE = """
create table if not exists public.eco_migration (
    number     integer primary key,
    name       text not null,
    sha256     text not null,
    applied_at timestamptz not null default clock_timestamp()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    number: int
    name: str
    path: Path
    sql: str

    @property
    def sha256(self) -> str:
        """Identity of the file's content."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read(folder: Path) -> list[Migration]:
    """The migrations of a folder, in order.

    Raises:
        MigrationError: a file is not named NNNN_name.sql, or two have one number.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path}: a migration is named NNNN_name.sql, in lower case")
        number = int(match[1])
        if number in found:
            raise MigrationError(f"{path}: number {match[1]} is taken by {found[number].path.name}")
        found[number] = Migration(number, match[2], path, path.read_text(encoding="utf-8"))
    return [found[number] for number in sorted(found)]


def apply(connection: psycopg.Connection[Any], folder: Path | None = None) -> list[Migration]:
    """Apply what is missing, as role `eco_owner`, and return it; concurrent callers wait for each other.

    `connection` is an admin's, in autocommit.

    Raises:
        MigrationError: see `pending`; or a migration failed, and then nothing of it stays.
    """
    if not connection.autocommit:
        raise MigrationError("migrations need a connection in autocommit: each is a transaction of its own")
    folder = folder or Settings.load().migrations
    connection.execute("select pg_advisory_lock(%s)", [_LOCK])
    try:
        connection.execute(f"set role {OWNER}")
        connection.execute(_TABLE)
        missing = pending(connection, folder)
        for migration in missing:
            _apply_one(connection, migration)
        return missing
    finally:
        connection.execute("reset role")
        connection.execute("select pg_advisory_unlock(%s)", [_LOCK])


def pending(connection: psycopg.Connection[Any], folder: Path | None = None) -> list[Migration]:
    """What `apply` would do, in order.

    Raises:
        MigrationError: an applied file was edited, renamed or removed, or a new one has an old number.
    """
    files = read(folder or Settings.load().migrations)
    applied = _applied(connection)
    by_number = {migration.number: migration for migration in files}
    for number, (name, sha256) in applied.items():
        _compare(number, name, sha256, by_number.get(number))
    missing = [migration for migration in files if migration.number not in applied]
    if missing and applied and missing[0].number < max(applied):
        raise MigrationError(
            f"{missing[0].path} comes before migration {max(applied):04d}, which is applied. "
            "Mend: give it the next free number"
        )
    return missing


def _applied(connection: psycopg.Connection[Any]) -> dict[int, tuple[str, str]]:
    exists = connection.execute("select to_regclass('public.eco_migration') is not null").fetchone()
    if exists is None or not exists[0]:
        return {}
    rows = connection.execute(
        "select number, name, sha256 from public.eco_migration order by number"
    ).fetchall()
    return {number: (name, sha256) for number, name, sha256 in rows}


def _compare(number: int, name: str, sha256: str, file: Migration | None) -> None:
    if file is None:
        raise MigrationError(
            f"{number:04d}_{name}.sql is applied but its file is gone: this code is older than the database"
        )
    if (file.name, file.sha256) != (name, sha256):
        raise MigrationError(
            f"{file.path} was changed after it was applied (as {number:04d}_{name}.sql, "
            f"sha256 {sha256[:12]}…, "
            f"now {file.sha256[:12]}…). Mend: restore the file, and put the change into a new migration"
        )


def _apply_one(connection: psycopg.Connection[Any], migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.sql.encode())  # bytes, no parameters: several statements, % is a %
            if connection.info.transaction_status != TransactionStatus.INTRANS:
                raise MigrationError(
                    f"{migration.path} ends its transaction: no commit or rollback in a migration"
                )
            connection.execute(
                "insert into public.eco_migration (number, name, sha256) values (%s, %s, %s)",
                [migration.number, migration.name, migration.sha256],
            )
    except psycopg.Error as error:
        raise MigrationError(f"{migration.path} failed, nothing of it was applied: {error}") from error
