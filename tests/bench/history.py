"""The same hour added to a short and to a long history: each step may take no longer for the long one."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from simulation.archive import write_air_archive
from tests.bench.house import BenchFailed, House, median
from tests.bench.load import FEED, STATIONS
from tests.bench.report import Report

END = datetime(2025, 10, 28, 1)  # noqa: DTZ001 - 300 days before it begins the same year, so all its marts grow
ADDED = 6  # the first warms up
AT_MOST = 1.3
STEPS = ("core", "build", "gate", "release")


class History:
    """One database with some days of history, and a process that adds hours to it."""

    def __init__(self, house: House, days: int) -> None:
        self.house = house
        self.days = days
        self.database = house.fresh(f"bench_days_{days}")
        self.hours: list[tuple[Path, str]] = []
        self.seconds: dict[str, float] = {}

    def fill(self) -> None:
        """Load, build, judge and release the history."""
        base = self._write()
        known = (END + timedelta(hours=-1, minutes=30)).isoformat() + "+08:00"
        for step, command in (
            ("load", ("load", FEED, str(base), "--known-at", known)),
            ("build", ("build", "air")),
            ("gate", ("gate", "air")),
            ("publish", ("publish",)),
        ):
            self.seconds[f"{self.days} days: {step}"] = self.house.eco(
                self.database, *command, codes=(0, 3)
            ).seconds
        with self.house.admin(self.database) as conn:
            conn.execute("vacuum analyze")  # what the server's own vacuum does in time

    def start(self) -> subprocess.Popen[str]:
        """The process that adds hours, one a line."""
        return subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("adding.py")), FEED],
            env=self.house.environment(self.database),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _write(self) -> Path:
        """An archive, cut into its history and the hours to be added."""
        whole = self.house.files / f"days_{self.days}.csv"
        before = self.days * 24
        write_air_archive(whole, STATIONS, before + ADDED, END - timedelta(hours=before), 7)
        lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
        header, rows = lines[0], lines[1:]
        for hour in range(ADDED):
            begin = (before + hour) * STATIONS
            known = (END + timedelta(hours=hour, minutes=30)).isoformat() + "+08:00"
            path = whole.with_name(f"days_{self.days}_hour_{hour}.csv")
            path.write_text(header + "".join(rows[begin : begin + STATIONS]), encoding="utf-8")
            self.hours.append((path, known))
        whole.write_text(header + "".join(rows[: before * STATIONS]), encoding="utf-8")
        return whole


def run(house: House, report: Report, short: int, long: int) -> None:
    """Both histories, hours added in turn, the medians of each step compared."""
    both = [History(house, short), History(house, long)]
    for one in both:
        one.fill()
        report.parts.setdefault("making the histories", {}).update(one.seconds)
    house.settle()
    added = _add_in_turn(both)
    for step in STEPS:
        few, many = (median([hour[step] for hour in added[one.days][1:]]) for one in both)
        compared = f"one hour added to {short} days: {few:.2f} s; to {long} days: {many:.2f} s"
        report.add(f"history: {step}", many / few, "×", compared, at_most=AT_MOST)
    report.about["history"] = added


def _add_in_turn(both: list[History]) -> dict[int, list[dict[str, float]]]:
    processes = [one.start() for one in both]
    added: dict[int, list[dict[str, float]]] = {one.days: [] for one in both}
    try:
        for hour in range(ADDED):
            for one, process in zip(both, processes, strict=True):
                added[one.days].append(_add(process, *one.hours[hour]))
    finally:
        for process in processes:
            process.communicate()
    return added


def _add(process: subprocess.Popen[str], path: Path, known: str) -> dict[str, float]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{path}\t{known}\n")
    process.stdin.flush()
    for line in process.stdout:
        if line.startswith("ADDED "):
            seconds: dict[str, float] = json.loads(line.removeprefix("ADDED "))
            return seconds
    raise BenchFailed(f"adding {path.name} failed: see above")
