"""Processes that outlive the command that starts them: each in a session of its own, recorded, stopped by it.

A record names pid and start time together (pids are used again): nothing is signalled that this home did not
start. All that a service starts stays in its session, even where it makes process groups of its own
(Airflow's tasks do). An embedded PostgreSQL that a task had to start is not among them: `pg_ctl` gives it a
session of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import psutil

MARK: Final = "ECO_SERVICE"  # in the environment of every process of a service
_SAME_START: Final = 1.0  # seconds by which two readings of one start time may differ


class ServiceError(RuntimeError):
    """A service does not start or stop; the message holds the end of its log."""


@dataclass(frozen=True)
class Record:
    """One process that was started, as its file in `ECO_HOME/services` tells it."""

    name: str
    pid: int
    created: float
    mark: str
    log: str
    config: str = ""
    port: int | None = None
    grace: float = 15.0

    @property
    def process(self) -> psutil.Process | None:
        """The process itself, if it still is the one that was started."""
        with suppress(psutil.Error):
            found = psutil.Process(self.pid)
            if (
                abs(found.create_time() - self.created) < _SAME_START
                and found.status() != psutil.STATUS_ZOMBIE
            ):
                return found
        return None

    @property
    def alive(self) -> bool:
        """Whether the process still is there."""
        return self.process is not None


def start(
    folder: Path,
    name: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    config: str = "",
    port: int | None = None,
    grace: float = 15.0,
) -> Record:
    """Start a program in a session of its own and record it; its output goes to `log`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = f"{folder}:{name}"
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(arguments),
            env={**environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=folder,
        )
    record = Record(name, child.pid, _created(child, log), mark, str(log), config, port, grace)
    _write(folder, record)
    return record


def amend(folder: Path, record: Record, *, port: int) -> Record:
    """Write down the port that a service chose itself."""
    amended = replace(record, port=port)
    _write(folder, amended)
    return amended


def read(folder: Path, name: str) -> Record | None:
    """The record of a service; None if there is none or it is damaged."""
    try:
        return Record(**json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def records(folder: Path) -> list[Record]:
    """All records of a folder, by name."""
    found = (read(folder, path.stem) for path in sorted(folder.glob("*.json")))
    return [record for record in found if record is not None]


def stop(folder: Path, found: Sequence[Record]) -> list[str]:
    """SIGTERM to each service, SIGKILL to what is left after its seconds of grace; forget the records.

    Returns the names of those that ran. Raises `ServiceError` if something of them is still there.
    """
    families = {record.name: family(record) for record in found}
    running = [name for name, members in families.items() if members]
    _end_politely(found)
    # The heads are gone or stuck; what they started before or while they ended goes now.
    left = _unique(
        [*(p for members in families.values() for p in members), *(p for r in found for p in family(r))]
    )
    left = [process for process in left if process.is_running()]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(left, timeout=10)
    if alive:
        pids = ", ".join(str(process.pid) for process in alive)
        raise ServiceError(
            f"still there after SIGKILL: {pids}. Mend: look at them with `ps`, then `eco down` again"
        )
    for record in found:
        (folder / f"{record.name}.json").unlink(missing_ok=True)
    return running


def family(record: Record) -> list[psutil.Process]:
    """The process, its descendants, and all of its session that carry the mark of this service."""
    head = record.process
    members = [head, *_children(head)] if head else []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == record.pid and process.environ().get(MARK) == record.mark:
                members.append(process)
    return _unique([p for p in members if _is_there(p)])


def memory(found: Sequence[Record]) -> int:
    """Bytes that the services hold together; shared pages count once (PSS) where the system tells."""
    total = 0
    for process in _unique([p for record in found for p in family(record)]):
        with suppress(psutil.Error):
            total += getattr(process.memory_full_info(), "pss", process.memory_info().rss)
    return total


def tail(path: str | Path, size: int = 3000) -> str:
    """The end of a log, for an error's message."""
    try:
        with Path(path).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return "(no log)"


def python(*arguments: str) -> list[str]:
    """The command line of a Python program in this environment."""
    return [sys.executable, *arguments]


def _end_politely(found: Sequence[Record]) -> None:
    heads = {record.name: record.process for record in found}
    for head in filter(None, heads.values()):
        with suppress(psutil.NoSuchProcess):
            head.terminate()
    began = time.monotonic()
    for record in sorted(found, key=lambda record: record.grace):
        waited = heads[record.name]
        if waited is not None:
            psutil.wait_procs([waited], timeout=max(0.0, record.grace - (time.monotonic() - began)))


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        # A server that a task started has its own session and is not of the service.
        return [p for p in process.children(recursive=True) if os.getsid(p.pid) == process.pid]
    except (psutil.Error, ProcessLookupError):
        return []


def _is_there(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _unique(found: list[psutil.Process]) -> list[psutil.Process]:
    return list({process.pid: process for process in found}.values())


def _created(child: subprocess.Popen[bytes], log: Path) -> float:
    try:
        return psutil.Process(child.pid).create_time()
    except psutil.NoSuchProcess as error:
        time.sleep(0.1)
        raise ServiceError(f"{child.args!r} ended at once.\n{tail(log)}") from error


def _write(folder: Path, record: Record) -> None:
    path, text = folder / f"{record.name}.json", json.dumps(asdict(record), indent=2) + "\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
