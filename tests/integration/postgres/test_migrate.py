"""Migrations: once, in order, whole or not at all, and never edited."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse.postgres import migrate, roles
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.errors import MigrationError
from ecowarehouse.settings import Settings

Connection = psycopg.Connection[Any]


@pytest.fixture
def admin(fresh_database: Settings) -> Iterator[Connection]:
    """A database that was never migrated: the house's own record is set aside."""
    with connect(application="test", admin=True, autocommit=True) as connection:
        connection.execute("drop table public.eco_migration")
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text(
        "create table public.first (n int); insert into public.first values (1);"
    )
    (tmp_path / "0002_second.sql").write_text("-- 100 % of it\ncreate table public.second (n int);")
    return tmp_path


def _exists(connection: Connection, table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [table]).fetchone()
    return bool(row and row[0])


def test_each_is_applied_once_and_owned_by_the_owner(admin: Connection, folder: Path) -> None:
    assert [m.name for m in migrate.apply(admin, folder)] == ["first", "second"]
    assert migrate.apply(admin, folder) == []
    owner = admin.execute("select tableowner from pg_tables where tablename = 'first'").fetchone()
    assert owner == ("eco_owner",)
    assert admin.execute("select count(*) from public.first").fetchone() == (1,)
    assert admin.execute("select current_user").fetchone() == ("eco_admin",), "the role is given back"


def test_an_edited_migration_is_refused_by_name(admin: Connection, folder: Path) -> None:
    migrate.apply(admin, folder)
    path = folder / "0002_second.sql"
    path.write_text(path.read_text() + "\n-- a harmless word")
    with pytest.raises(MigrationError, match=r"0002_second\.sql was changed after it was applied"):
        migrate.apply(admin, folder)
    assert admin.execute("select current_user").fetchone() == ("eco_admin",)


def test_a_renamed_or_removed_one_is_refused(admin: Connection, folder: Path) -> None:
    migrate.apply(admin, folder)
    (folder / "0002_second.sql").rename(folder / "0002_other.sql")
    with pytest.raises(MigrationError, match="was changed"):
        migrate.apply(admin, folder)
    (folder / "0002_other.sql").unlink()
    with pytest.raises(MigrationError, match="older than the database"):
        migrate.apply(admin, folder)


def test_a_late_old_number_is_refused(admin: Connection, folder: Path) -> None:
    (folder / "0001_first.sql").rename(folder / "0003_first.sql")
    migrate.apply(admin, folder)
    (folder / "0001_late.sql").write_text("select 1;")
    with pytest.raises(MigrationError, match="next free number"):
        migrate.apply(admin, folder)


def test_a_failed_one_leaves_nothing_and_those_before_it_stay(admin: Connection, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("create table public.second (n int); select 1 / 0;")
    with pytest.raises(MigrationError, match=r"0002_second\.sql failed.*division by zero"):
        migrate.apply(admin, folder)
    assert _exists(admin, "public.first")
    assert not _exists(admin, "public.second")
    (folder / "0002_second.sql").write_text("create table public.second (n int);")
    assert [m.number for m in migrate.apply(admin, folder)] == [2]


def test_a_commit_inside_is_refused(admin: Connection, folder: Path) -> None:
    (folder / "0001_first.sql").write_text("create table public.first (n int); commit;")
    with pytest.raises(MigrationError, match="no commit or rollback"):
        migrate.apply(admin, folder)


def test_two_at_once_apply_each_once(admin: Connection, folder: Path) -> None:
    (folder / "0001_first.sql").write_text("create table public.first (n int); select pg_sleep(0.5);")
    done: list[list[migrate.Migration]] = []

    def run() -> None:
        with connect(application="test", admin=True, autocommit=True) as connection:
            done.append(migrate.apply(connection, folder))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, done)) == [0, 0, 2]


@pytest.mark.parametrize("name", ["1_short.sql", "0001-dash.sql", "0001_Upper.sql"])
def test_a_badly_named_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("select 1;")
    with pytest.raises(MigrationError, match="NNNN_name"):
        migrate.read(tmp_path)


def test_one_number_twice_is_refused(folder: Path) -> None:
    (folder / "0002_again.sql").write_text("select 1;")
    with pytest.raises(MigrationError, match="is taken"):
        migrate.read(folder)


def test_roles_are_as_meant_and_each_deviation_is_seen(fresh_database: Settings) -> None:
    with connect(application="test", admin=True, autocommit=True) as connection:
        assert roles.check(connection) == []
        for change, undo, says in [
            (
                "grant update on core.observation to eco_core",
                "revoke update on core.observation from eco_core",
                "core.observation grants UPDATE to eco_core",
            ),
            (
                "grant select on landing.batch to public",
                "revoke select on landing.batch from public",
                "table landing.batch grants SELECT to PUBLIC",
            ),
            (
                "grant eco_gate to eco with inherit true",
                "grant eco_gate to eco with inherit false",
                "eco inherits eco_gate, a writing role",
            ),
            (
                "grant eco_owner to eco with inherit false",
                "revoke eco_owner from eco",
                "eco may act as eco_owner",
            ),
            (
                "grant select on core.observation to eco_department",
                "revoke select on core.observation from eco_department",
                "table core.observation grants SELECT to eco_department",
            ),
            (
                "grant usage on schema core to eco_public",
                "revoke usage on schema core from eco_public",
                "schema core grants USAGE to eco_public",
            ),
            (
                "grant update on landing.batch to eco_engineer",
                "revoke update on landing.batch from eco_engineer",
                "table landing.batch grants UPDATE to eco_engineer",
            ),
            (
                "grant update (built_in) on core.change to eco_gate",
                "revoke update (built_in) on core.change from eco_gate",
                "column core.change.built_in grants UPDATE to eco_gate",
            ),
            (
                "grant select on shared.dataset_period to eco_public_login",
                "revoke select on shared.dataset_period from eco_public_login",
                "table shared.dataset_period grants SELECT to eco_public_login",
            ),
            (
                "grant execute on function core.ensure_keys to public",
                "revoke execute on function core.ensure_keys from public",
                "function core.ensure_keys(text) grants EXECUTE to PUBLIC",
            ),
            (
                "grant eco_core to eco_public_login",
                "revoke eco_core from eco_public_login",
                "eco_public_login may act as eco_core",
            ),
            (
                "alter role eco_public_login nologin",
                "alter role eco_public_login login",
                "login eco_public_login is missing",
            ),
            (
                "alter role eco_gate bypassrls",
                "alter role eco_gate nobypassrls",
                "role eco_gate has the attribute bypassrls",
            ),
        ]:
            connection.execute(change.encode())
            try:
                assert says in roles.check(connection)
            finally:
                connection.execute(undo.encode())
        assert roles.check(connection) == []
