"""A backup is only what came back: hashes of all rows before and after, and damage that is noticed."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from ecowarehouse.postgres import backup as backups
from ecowarehouse.postgres import roles
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.errors import BackupError
from ecowarehouse.postgres.prepare import create_database
from ecowarehouse.settings import Settings

BATCHES = (
    "insert into landing.batch (feed, source, outcome, known_at, started_at, reason) "
    "select 'air', 'test', 'failed', timestamptz '2024-01-01 00:00+08' + n * interval '1 hour', "
    "timestamptz '2024-01-01 00:00+08', 'reason ' || n from generate_series(1, 500) n"
)

SWAP = (  # the same set of values in every column, paired differently
    "update landing.batch b set reason = o.reason from landing.batch o "
    "where b.batch_id + o.batch_id = 15 and b.batch_id in (7, 8)"
)


@pytest.fixture
def filled(fresh_database: Settings) -> Iterator[Settings]:
    """A warehouse with rows of many types in it, and a received file."""
    with connect(application="test", admin=True, autocommit=True) as connection:
        connection.execute(BATCHES)
        connection.execute(
            "create table published.parts (n int, at timestamptz, value numeric, raw bytea, x float8) "
            "partition by range (n)"
        )
        connection.execute(
            "create table published.parts_1 partition of published.parts for values from (0) to (1000)"
        )
        connection.execute(
            "insert into published.parts select n, now(), n / 7.0, sha256(n::text::bytea), random() "
            "from generate_series(1, 99) n"
        )
    kept = fresh_database.bytes_store / "ab" / "abcdef"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"received\x00bytes")
    (kept.parent / ".half").write_bytes(b"still being written")
    yield fresh_database
    for path in kept.parent.glob("*"):
        path.unlink()
    (kept.parent / ".half").unlink(missing_ok=True)


def _content(**options: str) -> backups.Content:
    with connect(application="test", admin=True, **options) as connection:  # type: ignore[arg-type]
        return backups.content(connection)


def _change(statement: str) -> None:
    with connect(application="test", admin=True, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_the_drill_brings_back_every_row(filled: Settings) -> None:
    result = backups.drill(filled)
    assert result.passed, result.differences
    assert result.backup.content == _content()
    assert result.backup.content.tables["landing.batch"][0] == 500
    assert result.backup.content.tables["published.parts"][0] == 99
    assert "published.parts_1" not in result.backup.content.tables
    with connect(application="test", admin=True, database="postgres") as connection:
        left = connection.execute("select 1 from pg_database where datname = %s", [backups.DRILL]).fetchone()
    assert left is None


@contextmanager
def _vacuumed(database: str) -> Iterator[None]:
    """The server's own vacuum is at work in a database, and slow."""
    with connect(application="test", admin=True, autocommit=True, database=database) as there:
        there.execute("create table dusty with (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"
                      " as select n, repeat('x', 500) as filling from generate_series(1, 20000) as n")  # fmt: skip
        there.execute("delete from dusty where n % 2 = 0")
    with connect(application="test", admin=True, autocommit=True, database="postgres") as server:
        server.execute("alter system set autovacuum_naptime = '1s'")
        server.execute("select pg_reload_conf()")
        try:
            deadline = time.monotonic() + 60
            while not server.execute(
                "select 1 from pg_stat_activity where datname = %s and backend_type = 'autovacuum worker'",
                [database],
            ).fetchone():
                assert time.monotonic() < deadline, "no vacuum comes"
                time.sleep(0.02)
            yield
        finally:
            server.execute("alter system reset autovacuum_naptime")
            server.execute("select pg_reload_conf()")


def test_a_database_that_the_server_is_vacuuming_is_dropped_too(filled: Settings) -> None:
    with connect(application="test", admin=True, autocommit=True, database="postgres") as server:
        create_database(server, backups.DRILL, owner=roles.OWNER, template=str(filled.database))
    with _vacuumed(backups.DRILL):
        assert backups.drill(filled).passed


@pytest.mark.parametrize(
    "change",
    [
        "update landing.batch set reason = reason || ' ' where batch_id = 7",
        "delete from landing.batch where batch_id = 7",
        "update landing.batch set known_at = known_at + interval '1 microsecond' where batch_id = 7",
        SWAP,
        "insert into landing.batch (feed, source, outcome) values ('air', 'test', 'failed')",
    ],
)
def test_one_changed_row_changes_the_hash(filled: Settings, change: str) -> None:
    before = _content()
    _change(change)
    after = _content()
    assert after.sha256 != before.sha256
    assert before.differences(after) == ["landing.batch"]


def test_place_and_session_do_not_change_the_hash(filled: Settings) -> None:
    before = _content()
    _change("update landing.batch set reason = reason")  # every row moves
    with connect(application="test", admin=True) as connection:
        connection.execute("set timezone = 'America/New_York'")
        connection.execute("set datestyle = 'German'")
        connection.execute("set extra_float_digits = -5")
        assert backups.content(connection) == before


def test_a_drill_that_loses_a_row_says_where(filled: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    original = backups._restore_into

    def lossy(database: str, dump: Path, settings: Settings) -> None:
        original(database, dump, settings)
        with connect(application="test", admin=True, autocommit=True, database=database) as connection:
            connection.execute("delete from landing.batch where batch_id = 1")

    monkeypatch.setattr(backups, "_restore_into", lossy)
    result = backups.drill(filled)
    assert not result.passed
    assert result.differences == ["landing.batch"]


def test_restore_refuses_a_warehouse_with_data(filled: Settings, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    backups.backup(file, filled)
    with pytest.raises(BackupError, match="not empty"):
        backups.restore(file, filled)


def test_restore_with_force_sets_the_old_one_aside(filled: Settings, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    written = backups.backup(file, filled)
    _change("delete from landing.batch where batch_id > 10")
    (filled.bytes_store / "ab" / "abcdef").unlink()
    of_other_tests = _set_aside(filled)  # databases of theirs had the same name
    backups.restore(file, filled, force=True)
    assert _content() == written.content
    assert (filled.bytes_store / "ab" / "abcdef").read_bytes() == b"received\x00bytes"
    with connect("eco_landing", application="test") as connection:
        assert connection.execute("select count(*) from landing.batch").fetchone() == (500,), (
            "grants came back"
        )
    [old] = _set_aside(filled) - of_other_tests
    with connect(application="test", admin=True, autocommit=True, database="postgres") as connection:
        connection.execute(psycopg.sql.SQL("drop database {}").format(psycopg.sql.Identifier(old)))


def _set_aside(settings: Settings) -> set[str]:
    with connect(application="test", admin=True, autocommit=True, database="postgres") as connection:
        found = connection.execute(
            "select datname from pg_database where datname like %s", [f"{settings.database}_until_%"]
        ).fetchall()
    return {name for (name,) in found}


def test_a_backup_is_never_overwritten_and_leaves_no_remains(filled: Settings, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    backups.backup(file, filled)
    with pytest.raises(BackupError, match="never overwritten"):
        backups.backup(file, filled)
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar"]


def test_unfinished_bytes_are_not_packed(filled: Settings, tmp_path: Path) -> None:
    backups.backup(tmp_path / "b.tar", filled)
    with tarfile.open(tmp_path / "b.tar") as tar:
        names = tar.getnames()
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert (names[0], names[-1]) == ("eco.dump", "manifest.json")
    assert "bytes/ab/abcdef" in names  # beside the bytes of other tests: the home is the session's
    assert not [name for name in names if name.endswith(".half")]
    assert sorted(manifest["files"]) == sorted(names[:-1])


def test_every_kind_of_damage_is_noticed(filled: Settings, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    backups.backup(file, filled)
    good = file.read_bytes()
    backups.verify(file)
    place = good.index(b"received\x00bytes")
    file.write_bytes(good[:place] + b"R" + good[place + 1 :])
    with pytest.raises(BackupError, match="damaged: bytes/ab/abcdef"):
        backups.verify(file)
    file.write_bytes(good[: len(good) // 2])
    with pytest.raises(BackupError):
        backups.verify(file)
    file.write_bytes(b"no tar at all")
    with pytest.raises(BackupError, match="cannot be read"):
        backups.verify(file)
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        tar.add(file, "../outside")
    with pytest.raises(BackupError, match="points outside"):
        backups.verify(tmp_path / "evil.tar")
