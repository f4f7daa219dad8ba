"""Airflow's four processes for this home: started, waited for, stopped."""

from __future__ import annotations

import json
import logging
import random
import socket
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psycopg
from filelock import FileLock

from ecowarehouse.postgres.connection import connect, sqlalchemy_url
from ecowarehouse.services import config, processes
from ecowarehouse.services.processes import Record, ServiceError
from ecowarehouse.settings import Settings

logger = logging.getLogger(__name__)

DATABASE: Final = "airflow"
PARTS: Final[dict[str, tuple[str, ...]]] = {
    "api-server": ("airflow", "api-server"),
    "scheduler": ("ecowarehouse.services.scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
}
_GRACE: Final = {"triggerer": 3.0}  # it takes 14 s to end, and holds nothing here that a kill could lose
_REPORTED: Final = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
_START_TIMEOUT: Final = 180.0
_PORTS: Final = range(20000, 32000)  # below the kernel's range for outgoing connections


def folder(settings: Settings) -> Path:
    """Where services are recorded."""
    return settings.home / "services"


def start(settings: Settings) -> str:
    """Start what does not run, or runs with another configuration, and wait until all is healthy; the URL.

    The database must answer. Raises `ServiceError` with the end of the log of what failed.
    """
    if settings.api_url:
        raise ServiceError("Airflow's parts are containers here (ECO_API_URL is set): docker compose up")
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(settings.home / "services.lock", timeout=_START_TIMEOUT):
        port = _port(settings)
        url = sqlalchemy_url(DATABASE, settings=settings)
        digest = config.write(settings, database_url=url, address=config.Address.local(port))
        _stop_outdated(settings, digest)
        began = datetime.now(UTC)
        missing = [name for name in PARTS if not _runs(settings, name)]
        if missing:
            migrate(settings)
        started = [_start(settings, name, digest, port) for name in missing]
        _wait_healthy(settings, port, started, began)
        return f"http://{config.HOST}:{port}"


def stop(settings: Settings) -> list[str]:
    """Stop all four with everything they started; the names of those that ran."""
    if not folder(settings).exists():
        return []
    with FileLock(settings.home / "services.lock", timeout=_START_TIMEOUT):
        return processes.stop(folder(settings), _records(settings))


def status(settings: Settings) -> dict[str, Any]:
    """Each part with pid and health, the URL, the memory of all; starts nothing."""
    given = config.Address.given(settings)
    if given is not None:
        return _status_of_containers(settings, given)
    found = {record.name: record for record in _records(settings)}
    port = next((record.port for record in found.values() if record.port and record.alive), None)
    reported = health(f"http://{config.HOST}:{port}") if port else {}
    parts = {name: _describe(name, found.get(name), reported) for name in PARTS}
    return {
        "url": f"http://{config.HOST}:{port}" if port else None,
        "login": config.LOGIN,
        "password_file": str(settings.secrets_file),
        "parts": parts,
        "healthy": bool(port) and all(part["state"] == "healthy" for part in parts.values()),
        "memory_mb": round(processes.memory(list(found.values())) / 2**20),
    }


def url(settings: Settings) -> str | None:
    """Where the API of this home listens; None if it does not run."""
    record = processes.read(folder(settings), "api-server")
    return f"http://{config.HOST}:{record.port}" if record and record.alive else None


def _records(settings: Settings) -> list[Record]:
    found = (processes.read(folder(settings), name) for name in PARTS)
    return [record for record in found if record is not None]


def _runs(settings: Settings, name: str) -> bool:
    record = processes.read(folder(settings), name)
    return record is not None and record.alive


def _stop_outdated(settings: Settings, digest: str) -> None:
    """End parts that were started with another configuration, and what a killed part left behind."""
    stale = [record for record in _records(settings) if record.config != digest or not record.alive]
    if stale:
        processes.stop(folder(settings), stale)


def _start(settings: Settings, name: str, digest: str, port: int) -> Record:
    return processes.start(
        folder(settings), name, processes.python("-m", *PARTS[name]),
        environment=config.environment(settings), log=settings.logs / f"{name}.log", config=digest, port=port,
        grace=_GRACE.get(name, 15.0),
    )  # fmt: skip


def migrate(settings: Settings) -> None:
    """`airflow db migrate`, unless this version of Airflow has already done it on this very database."""
    marker = config.home(settings) / "migrated.json"
    current = {"airflow": version("apache-airflow"), "head": _head(settings)}
    if current["head"] and marker.exists() and json.loads(marker.read_text(encoding="utf-8")) == current:
        return
    done = subprocess.run(
        processes.python("-m", "airflow", "db", "migrate"),
        env=config.environment(settings), capture_output=True, text=True, timeout=300,
        cwd=config.home(settings),
    )  # fmt: skip
    if done.returncode != 0:
        raise ServiceError(f"airflow db migrate failed:\n{(done.stdout + done.stderr).strip()[-3000:]}")
    marker.write_text(json.dumps(current | {"head": _head(settings)}), encoding="utf-8")


def _head(settings: Settings) -> str | None:
    """The revision of Airflow's tables; None before the first migration."""
    with connect(application="services", database=DATABASE, settings=settings) as conn:
        try:
            row = conn.execute("select version_num from alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            conn.rollback()
            return None
    return str(row[0]) if row else None


def _wait_healthy(settings: Settings, port: int, started: Sequence[Record], began: datetime) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    waiting: list[str] = []
    while time.monotonic() < deadline:
        for record in started:
            if not record.alive:
                raise ServiceError(
                    f"{record.name} ended right after its start.\n{processes.tail(record.log)}"
                )
        waiting = _unhealthy(
            health(f"http://{config.HOST}:{port}"), {record.name for record in started}, began
        )
        if not waiting:
            return
        time.sleep(0.25)
    name = waiting[0]
    log = settings.logs / f"{name}.log"
    raise ServiceError(f"{name} is not healthy after {_START_TIMEOUT:.0f} s.\n{processes.tail(log)}")


def _unhealthy(health: dict[str, Any], started: set[str], began: datetime) -> list[str]:
    if (health.get("metadatabase") or {}).get("status") != "healthy":
        return ["api-server"]
    waiting = []
    for name, key in _REPORTED.items():
        part = health.get(key) or {}
        beat = part.get(f"latest_{key}_heartbeat")
        fresh = name not in started or (beat and datetime.fromisoformat(beat) >= began - timedelta(seconds=1))
        if part.get("status") != "healthy" or not fresh:
            waiting.append(name)
    return waiting


def health(api: str) -> dict[str, Any]:
    """What the API server says of all parts; empty if it does not answer."""
    import httpx  # 0.2 s, which no command without services needs

    try:
        with httpx.Client(trust_env=False, timeout=5) as client:
            answer = client.get(f"{api}/api/v2/monitor/health")
            content = answer.json() if answer.status_code == 200 else {}
    except (httpx.HTTPError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def state(name: str, reported: dict[str, Any]) -> str:
    """What the API server says of a part, which for itself is that it reaches its database."""
    key = _REPORTED.get(name, "metadatabase")
    return (reported.get(key) or {}).get("status") or "unreachable"


def _status_of_containers(settings: Settings, address: config.Address) -> dict[str, Any]:
    reported = health(address.inner)
    parts = {name: {"state": state(name, reported), "pid": None} for name in PARTS}
    return {
        "url": address.outer,
        "login": config.LOGIN,
        "password_file": f"{config.home(settings) / 'passwords.json'} or .env",
        "parts": parts,
        "healthy": all(part["state"] == "healthy" for part in parts.values()),
        "memory_mb": 0,
    }


def _describe(name: str, record: Record | None, reported: dict[str, Any]) -> dict[str, Any]:
    if record is None or not record.alive:
        return {"state": "stopped", "pid": None}
    return {"state": state(name, reported), "pid": record.pid, "log": record.log}


def _port(settings: Settings) -> int:
    """The port of the running API server, else the one of last time if it is free, else another."""
    record = processes.read(folder(settings), "api-server")
    if record and record.alive and record.port:
        return record.port
    remembered = config.home(settings) / "port"
    wanted = int(remembered.read_text()) if remembered.exists() else 0
    port = (
        wanted if wanted and _is_free(wanted) else next(p for p in random.sample(_PORTS, 200) if _is_free(p))
    )
    remembered.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    remembered.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.HOST, port))
        except OSError:
            return False
    return True
