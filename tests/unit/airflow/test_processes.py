"""Services: what we started is stopped with all its children, what we did not start is left alone."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from ecowarehouse.services import processes
from ecowarehouse.services.processes import Record

# A head that ignores SIGTERM, with a child in a process group of its own, as Airflow's tasks are.
_STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], process_group=0)
print("ready", flush=True)
time.sleep(60)
"""


def _start(folder: Path, *, grace: float = 0.5) -> Record:
    record = processes.start(
        folder, "stubborn", [sys.executable, "-c", _STUBBORN],
        environment=dict(os.environ), log=folder / "log", grace=grace,
    )  # fmt: skip
    deadline = time.monotonic() + 20
    while "ready" not in (folder / "log").read_text() or len(processes.family(record)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return record


def test_a_service_that_ignores_the_signal_goes_with_its_children(tmp_path: Path) -> None:
    record = _start(tmp_path)
    members = processes.family(record)
    assert len(members) == 2
    assert processes.stop(tmp_path, [record]) == ["stubborn"]
    _, alive = psutil.wait_procs(members, timeout=1)
    assert alive == []
    assert processes.records(tmp_path) == []


def test_children_of_a_killed_service_are_found(tmp_path: Path) -> None:
    record = _start(tmp_path)
    members = processes.family(record)
    psutil.Process(record.pid).kill()
    psutil.wait_procs([psutil.Process(record.pid)], timeout=5) if psutil.pid_exists(record.pid) else None
    assert not record.alive
    processes.stop(tmp_path, [record])
    _, alive = psutil.wait_procs(members, timeout=1)
    assert alive == []


def test_a_pid_that_is_another_process_now_is_left_alone(tmp_path: Path) -> None:
    ours = _start(tmp_path)
    try:
        foreign = dataclasses.replace(ours, created=ours.created - 100, mark="another", name="foreign")
        assert not foreign.alive
        assert processes.stop(tmp_path, [foreign]) == []
        assert ours.alive
    finally:
        processes.stop(tmp_path, [ours])


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}'])
def test_a_damaged_record_is_no_record(tmp_path: Path, content: str) -> None:
    (tmp_path / "scheduler.json").write_text(content)
    assert processes.read(tmp_path, "scheduler") is None
