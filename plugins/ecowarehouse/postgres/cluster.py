"""The embedded PostgreSQL: made on first use, started under a file lock, stopped by pid.

`ECO_HOME/postgres/port` exists exactly while a started server is ready for work (roles, databases and
migrations applied), so that a connection can trust it without taking the lock.
`ECO_HOME/postgres/state.json` says how the server was made and started.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from ecowarehouse import secrets
from ecowarehouse.postgres import launch, sizing
from ecowarehouse.postgres.errors import ClusterError
from ecowarehouse.postgres.launch import Launch
from ecowarehouse.settings import Settings

HOST = "127.0.0.1"
ADMIN = "eco_admin"
LOGIN = "eco"
ADMIN_SECRET = "postgres.admin"  # the name of a secret, not one
LOGIN_SECRET = "postgres.eco"  # the name of a secret, not one
MAJOR = "18"

_LOCK_TIMEOUT = 600.0
_START_TIMEOUT = 600.0  # recovery after a crash replays up to max_wal_size
_PORTS = range(20000, 32000)  # below the kernel's range for outgoing connections, which could take ours

Prepare = Callable[[Settings, int], None]


@dataclass(frozen=True, slots=True)
class Server:
    """A running embedded server."""

    pid: int
    port: int
    mode: str
    data: Path
    started_now: bool


def ensure_running(settings: Settings | None = None, *, prepare: Prepare | None = None) -> Server:
    """Start the embedded server unless it runs, and make it ready for work; wait for whoever is doing so.

    `prepare(settings, port)` makes roles, databases and migrations; it is called before anyone else can
    learn the port, by default with the house's own.

    Raises:
        ClusterError: `ECO_DATABASE_URL` is set, or the server cannot be made or started.
        MigrationError: it runs, but its migrations don't fit the files.
    """
    settings = settings or Settings.load()
    if settings.database_url:
        raise ClusterError("ECO_DATABASE_URL is set: nothing embedded is started")
    with _locked(settings):
        way = _way(settings)
        running = _running(way)
        if running is not None and read_port(settings) == running.port:
            return running
        server = running or _start(settings, way)
        (prepare or _house)(settings, server.port)
        _replace(_port_file(settings), f"{server.port}\n")
        return server


def status(settings: Settings | None = None) -> Server | None:
    """The running server, or None. Takes no lock and starts nothing."""
    settings = settings or Settings.load()
    mode = launch.as_mode(_state(settings).get("mode"))
    if mode is None:
        return None
    return _running(launch.describe(mode, settings.postgres))


def stop(settings: Settings | None = None, *, immediate: bool = False, timeout: float = 60.0) -> bool:
    """Stop the embedded server and wait until none of its processes is left; False if none ran.

    `immediate` skips the last checkpoint: the next start recovers from the log, nothing is lost.
    The postmaster is signalled by pid, because `pg_ctl` refuses to work for root.

    Raises:
        ClusterError: it belongs to another user, or is still there after `timeout` seconds.
    """
    settings = settings or Settings.load()
    with _locked(settings):
        server = status(settings)
        if server is None:
            _port_file(settings).unlink(missing_ok=True)
            return False
        family = _family(server.data, server.pid)
        try:
            os.kill(server.pid, signal.SIGQUIT if immediate else signal.SIGINT)
        except ProcessLookupError:
            pass  # it ended between the look and the signal
        except PermissionError as error:
            raise ClusterError(
                f"PostgreSQL {server.pid} belongs to another user: stop it as that user"
            ) from error
        _, alive = psutil.wait_procs(family, timeout=timeout)
        if alive:
            pids = ", ".join(str(process.pid) for process in alive)
            raise ClusterError(
                f"PostgreSQL still runs after {timeout:.0f} s (pid {pids}). Mend: eco down --immediate"
            )
        _port_file(settings).unlink(missing_ok=True)
        _write_state(settings, pid=None, stopped_at=_now())
        return True


def read_port(settings: Settings) -> int | None:
    """The port of a server that is ready for work, as recorded; None if none is recorded."""
    try:
        return int(_port_file(settings).read_text())
    except (FileNotFoundError, ValueError):
        return None


def _house(settings: Settings, port: int) -> None:
    from ecowarehouse.postgres.prepare import prepare_embedded  # it connects, and connections start clusters

    prepare_embedded(settings, port)


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.home / "postgres.lock"
    try:
        with FileLock(path, timeout=_LOCK_TIMEOUT):
            yield
    except Timeout as error:
        raise ClusterError(
            f"another process holds {path} for {_LOCK_TIMEOUT:.0f} s; see `eco status`"
        ) from error
    except PermissionError as error:
        raise ClusterError(f"{path}: {error.strerror}. Mend: run as the owner of {settings.home}") from error


def _way(settings: Settings) -> Launch:
    """How this home's server is run: as it was made, else the first way that works here."""
    recorded = launch.as_mode(_state(settings).get("mode"))
    if recorded is not None:
        return launch.prepare(recorded, settings.postgres)
    settings.postgres.mkdir(mode=0o700, parents=True, exist_ok=True)
    return launch.prepare(launch.choose(settings.postgres), settings.postgres)


def _start(settings: Settings, way: Launch) -> Server:
    _port_file(settings).unlink(missing_ok=True)
    if not way.data.exists():
        _make_data(settings, way)
    _check_version(way)
    _clear_remains(way)
    port = _start_on_some_port(way, _state(settings).get("port"))
    running = _running(way)
    if running is None:
        raise ClusterError(f"PostgreSQL ended right after its start.\n{_tail(way.log)}")
    _write_state(
        settings,
        mode=way.mode,
        pid=running.pid,
        port=port,
        data=str(way.data),
        log=str(way.log),
        started_at=_now(),
    )
    return Server(running.pid, port, way.mode, way.data, started_now=True)


def _make_data(settings: Settings, way: Launch) -> None:
    """initdb beside the final place, then a rename: a kill half-way leaves nothing that looks like data."""
    half = way.data.with_name("data.new")
    if half.exists():
        shutil.rmtree(half)
    known = secrets.ensure(settings.secrets_file, [ADMIN_SECRET, LOGIN_SECRET])
    password_file = way.data.with_name(".password")
    password_file.touch(mode=0o600)
    try:
        password_file.write_text(known[ADMIN_SECRET] + "\n")
        way.own(password_file)
        arguments = ["-D", str(half), "-U", ADMIN, f"--pwfile={password_file}", "--encoding=UTF8"]
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        arguments += ["--auth-host=scram-sha-256", "--auth-local=scram-sha-256"]
        for name, value in sizing.settings_for(sizing.memory_total(), settings.timezone).items():
            arguments += ["--set", f"{name}={value}"]
        done = way.run("initdb", *arguments, timeout=300)
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        raise ClusterError(f"initdb failed ({way.mode}):\n{done.stdout.strip()[-2000:]}")
    half.rename(way.data)
    _write_state(settings, mode=way.mode, data=str(way.data), made_at=_now())


def _check_version(way: Launch) -> None:
    version = (way.data / "PG_VERSION").read_text().strip()
    if version != MAJOR:
        raise ClusterError(
            f"{way.data} was made by PostgreSQL {version}, this is {MAJOR}. "
            "Mend: eco backup with the old version, eco restore with this one"
        )


def _clear_remains(way: Launch) -> None:
    """After a crash: end backends that outlived their postmaster, and forget a pid that is another's now.

    Backends in the middle of a computation notice the postmaster's death late, and hold the shared memory
    that a new one refuses to start beside. Killing them is safe: recovery follows in any case.
    """
    orphans = _family(way.data, None)
    for process in orphans:
        process.kill()
    psutil.wait_procs(orphans, timeout=20)
    (way.data / "postmaster.pid").unlink(missing_ok=True)


def _start_on_some_port(way: Launch, wanted: object) -> int:
    """Start on the port of last time if it is free, else on another; someone may take it in between."""
    port = wanted if isinstance(wanted, int) and _is_free(wanted) else free_port()
    for _ in range(5):
        size = way.log.stat().st_size if way.log.exists() else 0
        options = shlex.join(["-h", HOST, "-p", str(port)])
        arguments = ["start", "-w", "-t", str(int(_START_TIMEOUT)), "-D", str(way.data), "-l", str(way.log)]
        done = way.run("pg_ctl", *arguments, "-o", options, timeout=_START_TIMEOUT + 30)
        if done.returncode == 0:
            return port
        if "could not bind" not in _since(way.log, size):
            break
        port = free_port()
    raise ClusterError(f"PostgreSQL did not start ({way.mode}).\n{done.stdout.strip()}\n{_tail(way.log)}")


def _running(way: Launch) -> Server | None:
    """The server as its own pid file tells it, if that process is really ours and ready."""
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        try:
            lines = (way.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        if not _is_ours(pid, way.data):
            return None
        if len(lines) >= 8 and lines[7].strip() in ("ready", "standby"):
            return Server(pid, int(lines[3]), way.mode, way.data, started_now=False)
        if len(lines) >= 8 and lines[7].strip() == "stopping":
            psutil.wait_procs(_family(way.data, pid), timeout=60)
        time.sleep(0.05)
    raise ClusterError(f"PostgreSQL has been starting for {_START_TIMEOUT:.0f} s; see {way.log}")


def _is_ours(pid: int, data: Path) -> bool:
    """Pids are used again: only a postgres that stands in our data is ours."""
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and Path(process.cwd()) == data and process.status() != "zombie"
    except psutil.Error:
        return False


def _family(data: Path, postmaster: int | None) -> list[psutil.Process]:
    """All processes of the server on these data; with None, also those without a living postmaster."""
    if postmaster is not None:
        try:
            process = psutil.Process(postmaster)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []
    return [
        p for p in psutil.process_iter(["name"]) if p.info["name"] == "postgres" and _is_ours(p.pid, data)
    ]


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    for port in random.sample(_PORTS, 200):
        if _is_free(port):
            return port
    raise ClusterError(f"no free port between {_PORTS.start} and {_PORTS.stop} on {HOST}")


def _port_file(settings: Settings) -> Path:
    return settings.postgres / "port"


def _state_file(settings: Settings) -> Path:
    return settings.postgres / "state.json"


def _state(settings: Settings) -> dict[str, object]:
    try:
        content = json.loads(_state_file(settings).read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ClusterError(f"{_state_file(settings)} is damaged ({error}). Mend: remove it") from error
    return content if isinstance(content, dict) else {}


def _write_state(settings: Settings, **changes: object) -> None:
    _replace(_state_file(settings), json.dumps(_state(settings) | changes, indent=2) + "\n")


def _replace(path: Path, text: str) -> None:
    """Write in one step: readers take no lock."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def _since(log: Path, size: int) -> str:
    try:
        with log.open("rb") as file:
            file.seek(size)
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _tail(log: Path) -> str:
    return _since(log, max(0, log.stat().st_size - 2000) if log.exists() else 0).strip()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
