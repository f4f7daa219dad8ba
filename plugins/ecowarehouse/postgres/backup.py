"""Backup and restore of the warehouse: one file with the database, the received bytes and their hashes.

The dump and the content hash see one snapshot. Bytes are packed after it: they are written before the ledger
knows them, so a backup may hold a file more than the ledger names, never one less. Secrets are not in it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import psycopg
from psycopg import sql

from ecowarehouse.postgres import connection as connections
from ecowarehouse.postgres import launch, roles
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.errors import BackupError
from ecowarehouse.postgres.prepare import create_database
from ecowarehouse.settings import Settings

SCHEMAS = ("landing", "core", "decision", "governance", "published")
DRILL = "eco_drill"

_RESTORING = "eco_restoring"
_DUMP = "eco.dump"
_MANIFEST = "manifest.json"
_BYTES = "bytes"
_CHUNK = 1 << 20
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Content:
    """What the house must not lose, as one hash and, to find a difference, a hash and a count per table."""

    sha256: str
    tables: dict[str, tuple[int, str]]

    def differences(self, other: Content) -> list[str]:
        """Tables that are not the same in both."""
        names = sorted(self.tables.keys() | other.tables.keys())
        return [name for name in names if self.tables.get(name) != other.tables.get(name)]


@dataclass(frozen=True, slots=True)
class Backup:
    """A written or restored backup."""

    file: Path
    bytes: int
    files: int
    rows: int
    content: Content


@dataclass(frozen=True, slots=True)
class Drill:
    """A backup that was restored beside the original and compared with it."""

    backup: Backup
    differences: list[str]

    @property
    def passed(self) -> bool:
        """Whether what came back is what was there."""
        return not self.differences


def content(connection: psycopg.Connection[Any]) -> Content:
    """Hash all rows of the schemas that hold what cannot be computed again, inside the database.

    Order, statistics and the place of rows do not matter; columns, their order, types and values do.
    Each table gives the sums of two 64-bit hashes of its rows' text, so nothing is sorted.
    """
    with connection.transaction():
        # A row's text depends on these.
        for setting in ("timezone = 'UTC'", "datestyle = 'ISO'", "intervalstyle = 'iso_8601'"):
            connection.execute(f"set local {setting}".encode())
        connection.execute("set local extra_float_digits = 3")
        connection.execute("set local bytea_output = 'hex'")
        tables = {name: _table_hash(connection, *name.split(".", 1)) for name in _tables(connection)}
    total = hashlib.sha256(json.dumps(sorted(tables.items())).encode()).hexdigest()
    return Content(total, tables)


def backup(file: Path, settings: Settings | None = None) -> Backup:
    """Write the warehouse's database and the received bytes to `file`, in one step at the end.

    Raises:
        BackupError: the file exists, or pg_dump failed.
    """
    settings = settings or Settings.load()
    if file.exists():
        raise BackupError(f"{file} exists: a backup is never overwritten")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".eco-backup-", dir=file.parent) as folder:
        dump = Path(folder) / _DUMP
        found = _dump(dump, settings)
        whole = Path(folder) / "whole.tar"
        members = _pack(whole, dump, settings, found)
        with whole.open("rb") as packed:
            os.fsync(packed.fileno())
        whole.rename(file)
    return Backup(file, file.stat().st_size, members, _rows(found), found)


def restore(file: Path, settings: Settings | None = None, *, force: bool = False) -> Backup:
    """Bring a backup back into an empty warehouse; everything is verified before anything is replaced.

    With `force` a warehouse that holds data is set aside under another name, not dropped.

    Raises:
        BackupError: the file is damaged, what came back is not what was there, or the warehouse holds data.
    """
    settings = settings or Settings.load()
    manifest = verify(file)
    if not force and (held := _holds(settings)):
        raise BackupError(
            f"this warehouse is not empty ({held}): restore into another ECO_HOME, or use --force"
        )
    expected = _content_of(manifest)
    with _unpacked(file) as folder:
        _restore_into(_RESTORING, folder / _DUMP, settings)
        _expect(_RESTORING, expected, settings)
        _store_bytes(folder / _BYTES, settings.bytes_store)
    _swap(settings, keep=force)
    return Backup(file, file.stat().st_size, len(manifest["files"]), _rows(expected), expected)


def drill(settings: Settings | None = None, file: Path | None = None) -> Drill:
    """Back up, restore into a scratch database, compare, drop it. Keeps the backup only if a file is named.

    Raises:
        BackupError: the backup cannot be written or read back.
    """
    settings = settings or Settings.load()
    with tempfile.TemporaryDirectory(prefix="eco-drill-") as folder:
        written = backup(file or Path(folder) / "drill.tar", settings)
        verify(written.file)
        with _unpacked(written.file) as unpacked:
            _restore_into(DRILL, unpacked / _DUMP, settings)
        try:
            with connect(application="drill", admin=True, database=DRILL, settings=settings) as scratch:
                restored = content(scratch)
        finally:
            _drop(DRILL, settings)
    return Drill(written, written.content.differences(restored))


def verify(file: Path) -> dict[str, Any]:
    """Read a backup through, compare every hash with its manifest, and return the manifest.

    Raises:
        BackupError: no backup, an unknown layout, a member is missing, added or changed.
    """
    found: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(file) as tar:
            for member in tar:
                stream = tar.extractfile(member)
                if stream is None or not member.isfile():
                    raise BackupError(f"{file}: {member.name} is no plain file")
                if member.name == _MANIFEST:
                    manifest = json.load(stream)
                else:
                    found[_safe(member.name)] = _sha256(stream)
    except (OSError, tarfile.TarError, ValueError) as error:
        raise BackupError(f"{file} cannot be read as a backup: {error}") from error
    if manifest is None or manifest.get("layout") != 1:
        raise BackupError(f"{file} has no manifest that this version understands")
    if found != manifest["files"]:
        wrong = sorted(
            name
            for name in found.keys() | manifest["files"].keys()
            if found.get(name) != manifest["files"].get(name)
        )
        raise BackupError(f"{file} is damaged: {', '.join(wrong[:5])} ({len(wrong)} in all)")
    return manifest


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Tables of our schemas; a partitioned one stands for its partitions."""
    rows = connection.execute(
        """
        select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any(%s) and c.relkind in ('r', 'p') and not c.relispartition
        """,
        [list(SCHEMAS)],
    ).fetchall()
    return sorted(row[0] for row in rows)


def _table_hash(connection: psycopg.Connection[Any], schema: str, table: str) -> tuple[int, str]:
    statement = sql.SQL(
        "select count(*), coalesce(sum(hashtextextended(line, 0)), 0), "
        "coalesce(sum(hashtextextended(line, 1)), 0) "
        "from (select t::text as line from {} as t offset 0) as lines"
    )
    row = connection.execute(statement.format(sql.Identifier(schema, table))).fetchone()
    columns = connection.execute(
        """
        select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' order by attnum)
        from pg_attribute where attrelid = format('%%I.%%I', %s::text, %s::text)::regclass
          and attnum > 0 and not attisdropped
        """,
        [schema, table],
    ).fetchone()
    if row is None or columns is None:
        raise BackupError(f"{schema}.{table} cannot be read")
    return row[0], hashlib.sha256(f"{columns[0]}|{row[0]}|{row[1]}|{row[2]}".encode()).hexdigest()


def _dump(target: Path, settings: Settings) -> Content:
    with connect(application="backup", admin=True, autocommit=True, settings=settings) as connection:
        connection.execute("begin isolation level repeatable read, read only")
        snapshot = connection.execute("select pg_export_snapshot()").fetchone()
        if snapshot is None:
            raise BackupError("the server exports no snapshot")
        options = ["--format=custom", "--compress=1", f"--snapshot={snapshot[0]}", f"--file={target}"]
        _program("pg_dump", options, connections.WAREHOUSE, settings)
        found = content(connection)
        connection.execute("commit")
        return found


def _pack(target: Path, dump: Path, settings: Settings, found: Content) -> int:
    """Write the tar; hashes are taken from what is packed, and the manifest comes last."""
    hashes: dict[str, str] = {}
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path, name in [(dump, _DUMP), *_kept_bytes(settings.bytes_store)]:
            with path.open("rb") as stream:
                hashes[name] = _sha256(stream)
                stream.seek(0)
                tar.addfile(tar.gettarinfo(arcname=name, fileobj=stream), stream)
        manifest = {
            "layout": 1,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": hashes,
            "content": asdict(found),
        }
        text = json.dumps(manifest, indent=1, sort_keys=True).encode()
        head = tarfile.TarInfo(_MANIFEST)
        head.size = len(text)
        tar.addfile(head, io.BytesIO(text))
    return len(hashes)


def _kept_bytes(store: Path) -> list[tuple[Path, str]]:
    """Finished files of the store: a name that begins with a dot is one still being written."""
    paths = sorted(p for p in store.rglob("*") if p.is_file() and not p.name.startswith("."))
    return [(path, f"{_BYTES}/{path.relative_to(store).as_posix()}") for path in paths]


@contextmanager
def _unpacked(file: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="eco-restore-") as name:
        folder = Path(name)
        with tarfile.open(file) as tar:
            # Verified before: plain files with safe names. Python before 3.11.4 (Debian 12 has 3.11.2) knows no filter.
            known: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            tar.extractall(folder, **known)  # noqa: S202
        yield folder


def _restore_into(database: str, dump: Path, settings: Settings) -> None:
    _drop(database, settings)
    with connect(application="restore", admin=True, autocommit=True, settings=settings) as connection:
        login = connections.endpoint(settings).parameters.get("user", connection.info.user)
        create_database(connection, database, owner=roles.OWNER)
        roles.let_in(connection, database, [login, connection.info.user])
    with connect(
        application="restore", admin=True, autocommit=True, database=database, settings=settings
    ) as connection:
        roles.apply(connection, login)
    jobs = str(min(4, os.cpu_count() or 1))
    _program(
        "pg_restore",
        ["--exit-on-error", f"--jobs={jobs}", f"--dbname={database}", str(dump)],
        database,
        settings,
    )


def _expect(database: str, expected: Content, settings: Settings) -> None:
    with connect(application="restore", admin=True, database=database, settings=settings) as connection:
        different = expected.differences(content(connection))
    if different:
        _drop(database, settings)
        raise BackupError(f"what came back differs from what was backed up: {', '.join(different)}")


def _holds(settings: Settings) -> str | None:
    """What makes this warehouse not empty: received bytes, a batch, a person's decision."""
    if _kept_bytes(settings.bytes_store):
        return f"received bytes in {settings.bytes_store}"
    with connect(application="restore", admin=True, settings=settings) as connection:
        for name, (rows, _) in content(connection).tables.items():
            if rows and name.startswith(("landing.", "core.", "decision.", "published.")):
                return f"{rows} rows in {name}"
    return None


def _swap(settings: Settings, *, keep: bool) -> None:
    """Put the restored database into the warehouse's place; with `keep` the old one stays, renamed."""
    name = connections.endpoint(settings).parameters["dbname"]
    old = f"{name}_until_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    rename = sql.SQL("alter database {} rename to {}")
    with connect(
        application="restore", admin=True, autocommit=True, database=_RESTORING, settings=settings
    ) as helper:
        _end_sessions(helper, name)
        helper.execute(rename.format(sql.Identifier(name), sql.Identifier(old)))
    with connect(
        application="restore", admin=True, autocommit=True, database=old, settings=settings
    ) as helper:
        helper.execute(rename.format(sql.Identifier(_RESTORING), sql.Identifier(name)))
    if not keep:
        _drop(old, settings)


def _store_bytes(source: Path, store: Path) -> None:
    """Copy into the store what it lacks: a name is a hash, so what is there is the same."""
    for path, name in _kept_bytes(source):
        target = store / PurePosixPath(name).relative_to(_BYTES)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            half = target.with_name(f".{target.name}.restoring")
            shutil.copyfile(path, half)
            half.rename(target)


def _drop(database: str, settings: Settings) -> None:
    with connect(application="restore", admin=True, autocommit=True, settings=settings) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
            name = sql.Identifier(database)
            with roles.as_owner_of(connection, database):
                connection.execute(sql.SQL("alter database {} allow_connections false").format(name))
            _end_sessions(connection, database)
            # Without force, which an owner is refused while the server vacuums there; a plain drop ends the vacuum.
            with roles.as_owner_of(connection, database):
                connection.execute(sql.SQL("drop database if exists {}").format(name))


def _end_sessions(connection: psycopg.Connection[Any], database: str) -> None:
    connection.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = %s and backend_type = 'client backend'",
        [database],
    )


def _program(name: str, options: list[str], database: str, settings: Settings) -> None:
    environment = connections.libpq_env(database, admin=True, settings=settings)
    command = [str(launch.wheel_programs() / name), "--no-password", *options]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=6 * _HOUR, check=False
    )
    if done.returncode != 0:
        raise BackupError(f"{name} failed: {done.stderr.strip()[-2000:]}")


def _content_of(manifest: dict[str, Any]) -> Content:
    recorded = manifest["content"]
    return Content(
        recorded["sha256"], {name: (rows, sha) for name, (rows, sha) in recorded["tables"].items()}
    )


def _rows(found: Content) -> int:
    return sum(rows for rows, _ in found.tables.values())


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BackupError(f"a member of the backup points outside: {name}")
    return name


def _sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
