"""A large content through `eco load`, as a whole process, against a COPY of the same observations.

COPY gets them in the order of the key of its table, which is the best that it can get: hour by hour, as the content
lies, its index takes several times as long.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from simulation.archive import write_air_archive
from tests.bench.house import House, median, timed
from tests.bench.report import Report

FEED = "cnemc_air_hourly"
CHANNELS = 17
STATIONS = 60
START = datetime(2024, 1, 1, 1)  # noqa: DTZ001 - the archive's own clock, +08:00
KNOWN = ("2025-01-01T00:00+08:00", "2025-01-02T00:00+08:00", "2025-01-03T00:00+08:00")
REVISED_NO2 = 0.085  # of the NO2 values; with what is worked out from them, 1 % of all
REFERENCE = "create table reference (series_id int, period_start timestamptz, known_at timestamptz, value numeric{key})"
KEY = ", primary key (series_id, period_start, known_at)"
_OBSERVATIONS = "select series_id, period_start, known_at, value from core.observation order by {order}"


class Load:
    """The contents, the reference and the databases of this part."""

    def __init__(self, house: House, report: Report, observations: int) -> None:
        self.house = house
        self.report = report
        self.hours = observations // (STATIONS * CHANNELS)
        self.observations = self.hours * STATIONS * CHANNELS
        self.archive = house.files / "archive.csv"
        self.revised = house.files / "revised.csv"
        self.copied = house.files / "observations.tsv"
        self.copy_seconds = 0.0

    def prepare(self) -> None:
        """Contents, a round whose parts are timed, and from it the observations that COPY gets."""
        write_air_archive(self.archive, STATIONS, self.hours, START, 7)
        write_air_archive(self.revised, STATIONS, self.hours, START, 7, REVISED_NO2)
        self.house.fresh("bench_load")
        seconds = self._parts("bench_load", self.archive, KNOWN[0])
        self.report.parts[f"`eco load` of {self.observations:,} observations, one round apart, by part"] = (
            seconds
        )
        self._write_observations("series_id, period_start", self.copied)

    def rounds(self, count: int) -> None:
        """Load and COPY in turn; the medians are compared."""
        loads, copies = [], []
        for _ in range(count):
            self.house.fresh("bench_load")
            self.house.settle()
            loads.append(self._load(self.archive, KNOWN[0]))
            copies.append(self.copy(self.copied, KEY))
        self.copy_seconds = median(copies)
        compared = f"COPY of the same {self.observations:,} rows in the order of their key: {self.copy_seconds:.1f} s"
        self.report.add("eco load", median(loads) / self.copy_seconds, "×", compared, at_most=4)
        self.report.about["load"] = {"loads": loads, "copies": copies, "observations": self.observations}

    def again(self) -> None:
        """The same file again, the same file said later, and a revised one; into the last round's database."""
        compared = "the same COPY"
        for what, path, known, target in (
            ("the same file again", self.archive, KNOWN[0], 0.5),
            ("the same file, said again later", self.archive, KNOWN[1], 0.5),
            ("the file with 1 % revised", self.revised, KNOWN[2], 4.0),
        ):
            self.house.settle()
            seconds = self._load(path, known)
            self.report.add(what, seconds / self.copy_seconds, "×", compared, at_most=target)
        with self.house.admin("bench_load") as conn:
            revised = self._revised_share(conn)
        self.report.add("  values that the revised file changed", 100 * revised, "%", "all values in it")

    def other_references(self) -> None:
        """What else COPY could be asked, to be read beside the ratio."""
        hourly = self.house.files / "hourly.tsv"
        self._write_observations("period_start, series_id", hourly)
        compared = "the same COPY in the order of the key"
        for what, path, key in (
            ("  COPY hour by hour, as the file lies", hourly, KEY),
            ("  COPY without a key", self.copied, ""),
        ):
            self.report.add(what, self.copy(path, key) / self.copy_seconds, "×", compared)
        hourly.unlink()

    def _load(self, path: Path, known: str) -> float:
        return self.house.eco("bench_load", "load", FEED, str(path), "--known-at", known).seconds

    def copy(self, path: Path, key: str) -> float:
        """Seconds of a COPY of a file of observations into a new, logged table."""
        self.house.settle()
        with self.house.admin("bench_load") as conn:
            conn.execute("drop table if exists reference")
            conn.execute(REFERENCE.format(key=key).encode())
            seconds = timed(lambda: _copy_in(conn, path))
            conn.execute("drop table reference")
        return seconds

    def _write_observations(self, order: str, path: Path) -> None:
        statement = f"copy ({_OBSERVATIONS.format(order=order)}) to stdout"
        with (
            self.house.admin("bench_load") as conn,
            path.open("wb") as file,
            conn.cursor().copy(statement.encode()) as copy,
        ):
            for block in copy:
                file.write(block)

    def _parts(self, database: str, path: Path, known: str) -> dict[str, float]:
        into = self.house.files / "parts.json"
        traced = str(Path(__file__).with_name("traced.py"))
        ran = self.house.python(database, traced, str(into), "load", FEED, str(path), "--known-at", known)
        seconds: dict[str, float] = json.loads(into.read_text())
        inside = seconds.pop("in all")
        named = sum(seconds.values())
        return {
            "Python, imports, connection, end": ran.seconds - inside,
            **seconds,
            "everything else": inside - named,
            "in all": ran.seconds,
        }

    def _revised_share(self, conn: Any) -> float:
        row = conn.execute(
            "select count(*) from core.observation where known_at = %s::timestamptz", [KNOWN[2]]
        ).fetchone()
        return float(row[0]) / self.observations


def _copy_in(conn: Any, path: Path) -> None:
    with conn.transaction(), conn.cursor().copy("copy reference from stdin") as copy, path.open("rb") as file:
        while block := file.read(1 << 20):
            copy.write(block)


def run(house: House, report: Report, observations: int, rounds: int) -> Load:
    """This part."""
    load = Load(house, report, observations)
    load.prepare()
    load.rounds(rounds)
    load.again()
    load.other_references()
    return load
