"""The embedded server in homes of its own: made, found again, stopped, killed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from ecowarehouse.postgres import cluster, launch
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.errors import ClusterError, DatabaseUnreachable
from ecowarehouse.settings import Settings

ROOT = os.geteuid() == 0


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A home in a private folder, stopped at the end whatever happened."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setenv("ECO_HOME", str(private / "home"))
    for name in ("ECO_DATABASE", "ECO_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.load()
    yield settings
    cluster.stop(settings, immediate=True)


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_first_connection_makes_a_private_server(own_home: Settings) -> None:
    before = own_home.home.parent.stat()
    with connect("eco_landing", application="test") as connection:
        row = connection.execute(
            "select current_user, session_user, current_setting('server_version_num')::int / 10000, "
            "current_setting('timezone'), current_setting('fsync'), current_setting('synchronous_commit')"
        ).fetchone()
    assert row == ("eco_landing", "eco", 18, "Asia/Shanghai", "on", "on")
    server = cluster.status(own_home)
    assert server is not None
    assert server.mode in (("namespace", "account") if ROOT else ("user",))
    listening = [c for c in psutil.Process(server.pid).net_connections("inet") if c.status == "LISTEN"]
    assert [c.laddr.ip for c in listening] == ["127.0.0.1"]
    assert own_home.secrets_file.stat().st_mode & 0o777 == 0o600
    after = own_home.home.parent.stat()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid), "folders above are never touched"


def test_wrong_password_is_refused(eco_home: Path) -> None:
    server = cluster.ensure_running()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=cluster.HOST, port=server.port, user="eco", password="wrong", dbname="eco")


def test_login_without_a_role_may_do_nothing(fresh_database: Settings) -> None:
    with connect(application="test") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select * from landing.batch")


def test_a_role_outlives_a_rollback(fresh_database: Settings) -> None:
    with connect("eco_core", application="test") as connection:
        connection.rollback()
        assert connection.execute("select current_user").fetchone() == ("eco_core",)


def test_an_unknown_role_says_the_mend(fresh_database: Settings) -> None:
    with pytest.raises(DatabaseUnreachable, match="eco roles apply"):
        connect("eco_nobody", application="test")


def test_a_running_server_costs_neither_lock_nor_process(
    own_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.ensure_running(own_home)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the fast path took a lock or started a process")

    with monkeypatch.context() as guard:
        guard.setattr(cluster, "FileLock", refuse)
        guard.setattr(subprocess, "Popen", refuse)
        connect("eco_core", application="test").close()


def test_another_process_finds_and_stops_it(own_home: Settings) -> None:
    server = cluster.ensure_running(own_home)
    found = _python(
        "from ecowarehouse.postgres import cluster; print(cluster.ensure_running().pid, cluster.stop())"
    )
    assert found.stdout.split() == [str(server.pid), "True"], found.stderr
    assert not psutil.pid_exists(server.pid)
    assert cluster.status(own_home) is None
    assert cluster.stop(own_home) is False


def test_many_first_connections_make_one_server(own_home: Settings) -> None:
    code = "from ecowarehouse.postgres import connect; c = connect('eco_core', application='race');"
    code += "print(c.execute('select pg_postmaster_start_time()').fetchone()[0].isoformat())"
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(_python, [code] * 4))
    assert {result.returncode for result in results} == {0}, [result.stderr for result in results]
    assert len({result.stdout for result in results}) == 1


def test_it_moves_when_its_port_is_taken(own_home: Settings) -> None:
    port = cluster.ensure_running(own_home).port
    cluster.stop(own_home)
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind((cluster.HOST, port))
        thief.listen()
        moved = cluster.ensure_running(own_home)
        assert moved.port != port
        connect("eco_core", application="test").close()
    cluster.stop(own_home)
    assert cluster.ensure_running(own_home).port == moved.port, "the port of last time, if it is free"


def test_committed_rows_survive_a_killed_postmaster(own_home: Settings) -> None:
    server = cluster.ensure_running(own_home)
    with connect(application="test", admin=True, autocommit=True) as connection:
        connection.execute("create table public.kept as select generate_series(1, 1000) as n")
        # A backend in the middle of a computation does not notice that its postmaster is gone.
        busy = connect(application="test", admin=True, autocommit=True)
        pid = busy.info.backend_pid
        busy.pgconn.send_query(b"select count(*) from generate_series(1, 1000000000000)")
        time.sleep(0.5)
        os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(server.pid)] if psutil.pid_exists(server.pid) else [], timeout=10)
    with connect(application="test", admin=True) as connection:
        assert connection.execute("select count(*) from public.kept").fetchone() == (1000,)
    assert not psutil.pid_exists(pid)
    busy.close()
    recovered = cluster.status(own_home)
    assert recovered is not None
    assert recovered.pid != server.pid


def test_a_pid_that_is_now_another_process_is_no_server(own_home: Settings) -> None:
    server = cluster.ensure_running(own_home)
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    cluster.stop(own_home)
    other = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        (own_home.postgres / "port").write_text(f"{server.port}\n")
        assert cluster.status(own_home) is None
        assert cluster.stop(own_home) is False
        assert other.poll() is None, "a process that is not ours is never signalled"
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        connect("eco_core", application="test").close()
    finally:
        other.kill()
        other.wait()


def test_an_interrupted_initdb_leaves_no_data(own_home: Settings) -> None:
    half = own_home.postgres / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    connect("eco_core", application="test").close()
    assert not half.exists()


def test_data_of_another_major_version_are_left_alone(own_home: Settings) -> None:
    cluster.ensure_running(own_home)
    cluster.stop(own_home)
    server_data = own_home.postgres / "data"
    version = server_data / "PG_VERSION"
    if not version.exists():
        pytest.skip("data lie with the system account here")
    version.write_text("16\n")
    with pytest.raises(ClusterError, match="made by PostgreSQL 16"):
        cluster.ensure_running(own_home)


def test_nothing_embedded_starts_beside_a_given_database(
    own_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind((cluster.HOST, 0))
        monkeypatch.setenv(
            "ECO_DATABASE_URL", f"postgresql://eco:pw@{cluster.HOST}:{closed.getsockname()[1]}/eco"
        )
        with pytest.raises(DatabaseUnreachable, match="ECO_DATABASE_URL") as caught:
            connect(application="test")
    assert "pw" not in str(caught.value)
    assert not own_home.postgres.exists()


def test_a_given_database_is_prepared_and_used(own_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecowarehouse.postgres import migrate, roles
    from ecowarehouse.postgres.prepare import prepare

    with connect(application="test", admin=True, autocommit=True, database="postgres") as connection:
        connection.execute("create database given")
        server = connection.info
        url = f"postgresql://{server.user}:{server.password}@{server.host}:{server.port}/given"
    monkeypatch.setenv("ECO_DATABASE_URL", url)
    assert prepare() == migrate.read(own_home.migrations)
    assert prepare() == []
    with connect("eco_landing", application="test") as connection:
        row = connection.execute("select current_database(), current_user").fetchone()
        assert row == ("given", "eco_landing")
    with connect(application="test", admin=True) as connection:
        assert roles.check(connection) == []


@pytest.mark.skipif(not ROOT, reason="only root needs a system account")
def test_root_without_namespaces_uses_a_system_account(
    own_home: Settings, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        pwd.getpwnam(launch.SYSTEM_ACCOUNT)
    except KeyError:
        if shutil.which("useradd") is None:
            pytest.skip("no useradd on this machine")
    monkeypatch.setattr(launch, "namespace_works", lambda folder: False)
    server = cluster.ensure_running(own_home)
    try:
        assert server.mode == "account"
        assert psutil.Process(server.pid).username() == launch.SYSTEM_ACCOUNT
        assert not server.data.is_relative_to(own_home.home)
        assert server.data.parent.stat().st_mode & 0o777 == 0o700
        connect("eco_core", application="test").close()
        assert cluster.stop(own_home) is True
        assert cluster.ensure_running(own_home).mode == "account"
    finally:
        cluster.stop(own_home, immediate=True)
        shutil.rmtree(server.data.parent)


@pytest.mark.skipif(not ROOT, reason="this test run is an ordinary user: every other test here covers it")
def test_an_ordinary_user_starts_and_stops_it() -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv on this machine")
    nobody = pwd.getpwnam("nobody")
    as_nobody = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    package = Path(cluster.__file__).parents[2]
    if subprocess.run([*as_nobody, sys.executable, "-c", "import psycopg"], capture_output=True).returncode:
        pytest.skip("this environment lies in a folder that an ordinary user cannot read")
    home = Path(f"/tmp/eco-nobody-{os.getpid()}")
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    code = (
        "from ecowarehouse.postgres import connect, cluster;"
        "c = connect('eco_core', application='t');"
        "print(c.execute('select current_user').fetchone()[0], cluster.status().mode); c.close();"
        "print(cluster.stop())"
    )
    environment = {"PATH": os.environ["PATH"], "ECO_HOME": str(home), "PYTHONPATH": str(package)}
    try:
        done = subprocess.run(
            [*as_nobody, sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=120,
            env=environment,
            cwd="/",
        )
        assert done.stdout.split() == ["eco_core", "user", "True"], done.stderr
    finally:
        shutil.rmtree(home)
