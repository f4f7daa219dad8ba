"""`eco` in processes of their own that can be killed, without paying ten seconds of imports for each.

A fork server imports dbt and Great Expectations once (`warm`); every command is then a fork of it with its own pid, its
own sessions and its own memory. So a kill falls into work and not into an import.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from unittest import mock

# Threads of a mathematics library would not survive the fork.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

ROOT = Path(__file__).resolve().parents[2]
_context = multiprocessing.get_context("forkserver")


def start_fork_server() -> None:
    """Let it import while the caller does something else."""
    _context.set_forkserver_preload(["tests.faults.warm"])
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with mock.patch.dict(os.environ, {**_ONE_THREAD, "PYTHONPATH": path}):
        forkserver.ensure_running()


@dataclass
class EcoProcess:
    """One running or ended `eco`."""

    arguments: list[str]
    process: ForkServerProcess
    output: Path

    @property
    def pid(self) -> int:
        """The pid of the working process itself."""
        assert self.process.pid is not None
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal; a process that has just ended is left alone."""
        if self.runs():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process.is_alive()

    def wait(self, seconds: float = 300) -> int:
        """Its exit code; negative for a signal."""
        self.process.join(seconds)
        code = self.process.exitcode
        assert code is not None, (
            f"eco {' '.join(self.arguments)} runs for more than {seconds} s\n{self.said()}"
        )
        return code

    def said(self) -> str:
        """What it wrote, for messages."""
        return self.output.read_text(errors="replace")[-4000:] if self.output.exists() else ""


def start(arguments: list[str], environment: Mapping[str, str], folder: Path) -> EcoProcess:
    """Start one `eco`; `environment` holds its ECO_ variables."""
    output = folder / f"{uuid.uuid4().hex[:8]}.log"
    process = _context.Process(target=_main, args=(arguments, dict(environment), str(output)))
    process.start()
    return EcoProcess(arguments, process, output)


def _main(arguments: list[str], environment: dict[str, str], output: str) -> None:
    for name in [name for name in os.environ if name.startswith(("ECO_", "PG"))]:
        del os.environ[name]
    os.environ.update(environment)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.argv = ["eco", *arguments]
    from ecowarehouse.cli.app import main

    main()
