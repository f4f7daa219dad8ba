"""The stand-in source systems as a service of the demo, which the house knows by HTTP only."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx

from ecowarehouse.services import airflow, processes
from ecowarehouse.services.processes import ServiceError
from ecowarehouse.settings import Settings

NAME: Final = "simulation"


@dataclass(frozen=True)
class Pull:
    """One moment at which the source has something new to offer."""

    stamp: datetime
    description: str


class Source:
    """The running stand-in."""

    def __init__(self, url: str, state: Path) -> None:
        self.url = url
        token = (state / "admin-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)
        self._state = state

    def addresses(self) -> dict[str, str]:
        """The secrets by which contracts find every source that speaks here."""
        found: dict[str, str] = json.loads((self._state / "addresses.json").read_text(encoding="utf-8"))
        return found

    def pulls(self) -> list[Pull]:
        """All moments, in order."""
        found = self._client.get("/pulls").raise_for_status().json()
        return [Pull(datetime.fromisoformat(p["stamp"]), p["description"]) for p in found]

    def go_to(self, stamp: datetime) -> None:
        """Set the clock of the sources."""
        self._client.post("/clock", json={"at": stamp.isoformat()}).raise_for_status()


def start(settings: Settings, data: Path | None) -> Source:
    """Start the stand-in unless it runs: on real pulls under `data`, else on its invented network."""
    folder, state = airflow.folder(settings), state_folder(settings, data)
    record = processes.read(folder, NAME)
    if record and record.alive and record.config == str(state):
        return Source(f"http://127.0.0.1:{record.port}", state)
    if record:
        processes.stop(folder, [record])
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    port_file = state / "port"
    port_file.unlink(missing_ok=True)
    what = (
        ["--data", str(data)] if data else ["--synthetic", "--seed", "7", "--hours", "8"]
    )  # minutes, not a quarter of an hour
    what.append("--departments")
    started = processes.start(
        folder, NAME, processes.python("-m", "simulation.server", *what, "--port", "0", "--state", str(state)),
        environment=_environment(settings), log=settings.logs / f"{NAME}.log", config=str(state),
    )  # fmt: skip
    port = _wait_for(port_file, started)
    processes.amend(folder, started, port=port)
    return Source(f"http://127.0.0.1:{port}", state)


def state_folder(settings: Settings, data: Path | None) -> Path:
    """Where the stand-in keeps its clock and tokens; each set of data has its own."""
    key = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:8] if data else "synthetic"
    return settings.home / "demo" / key


def _environment(settings: Settings) -> dict[str, str]:
    """The stand-in lies beside the package, and is no part of it."""
    known: dict[str, Any] = dict(os.environ)
    path = [str(settings.project_root), known.get("PYTHONPATH", "")]
    return known | {"PYTHONPATH": os.pathsep.join(filter(None, path))}


def _wait_for(port_file: Path, record: processes.Record, timeout: float = 180) -> int:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not record.alive:
            raise ServiceError(f"the stand-in sources ended at once.\n{processes.tail(record.log)}")
        if port_file.exists():
            return int(port_file.read_text())
        time.sleep(0.05)
    raise ServiceError(f"the stand-in sources gave no port.\n{processes.tail(record.log)}")
