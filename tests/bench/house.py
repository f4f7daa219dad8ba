"""A house of the bench's own: temporary home, embedded server, a database for each round."""

from __future__ import annotations

import gc
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ecowarehouse.postgres import cluster, roles
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.prepare import create_database
from ecowarehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 3600


class BenchFailed(RuntimeError):
    """What was to be measured did not run through; the message holds what it said."""


@dataclass(frozen=True)
class Ran:
    """A process that ended well: wall seconds from its start to its end, and what it printed."""

    seconds: float
    said: str
    complained: str = ""


class House:
    """The server of one bench; its template database is what `eco up --database-only` leaves."""

    def __init__(self, home: Path, files: Path) -> None:
        self.home = home
        self.files = files
        self.template = Settings.load().database

    def fresh(self, name: str, template: str | None = None) -> str:
        """A database as the template is, replacing one of that name; returns the name."""
        with _admin("postgres") as conn:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            create_database(conn, name, owner=roles.OWNER, template=template or self.template)
        with self.admin(name) as conn:
            roles.grant(conn)  # grants on a database are not cloned with it
        return name

    @contextmanager
    def admin(self, database: str) -> Iterator[psycopg.Connection[Any]]:
        """The superuser's connection, in autocommit."""
        with _admin(database) as conn:
            yield conn

    def settle(self) -> None:
        """Write what earlier rounds left in memory, so that no round pays for another's."""
        gc.collect()
        with _admin("postgres") as conn:
            conn.execute("checkpoint")

    def environment(self, database: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """For processes that work in this house."""
        known = os.environ | {"ECO_HOME": str(self.home), "ECO_DATABASE": database}
        path = os.pathsep.join([str(ROOT / "plugins"), str(ROOT)])
        return {**known, "PYTHONPATH": path, "GX_ANALYTICS_ENABLED": "false", **(more or {})}

    def eco(
        self,
        database: str,
        *arguments: str,
        codes: tuple[int, ...] = (0,),
        more: Mapping[str, str] | None = None,
    ) -> Ran:
        """`eco ...` as a process of its own, measured from start to end."""
        return self.python(database, "-m", "ecowarehouse.cli.app", *arguments, codes=codes, more=more)

    def python(
        self,
        database: str,
        *arguments: str,
        codes: tuple[int, ...] = (0,),
        more: Mapping[str, str] | None = None,
    ) -> Ran:
        """A Python process in this house, measured from start to end."""
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.environment(database, more),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        seconds = time.perf_counter() - started
        if done.returncode not in codes:
            raise BenchFailed(f"{' '.join(arguments)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return Ran(seconds, done.stdout, done.stderr)


@contextmanager
def house() -> Iterator[House]:
    """Make a house below the system's temporary folder, and remove it and its server at the end."""
    top = Path(tempfile.mkdtemp(prefix="eco-bench-"))
    before = {name: os.environ.pop(name, None) for name in ("ECO_HOME", "ECO_DATABASE", "ECO_DATABASE_URL")}
    os.environ["ECO_HOME"] = str(top / "home")
    files = top / "files"
    files.mkdir()
    try:
        made = House(top / "home", files)
        made.eco(made.template, "up", "--database-only")
        yield made
    finally:
        cluster.stop(Settings.load(), immediate=True)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(top, ignore_errors=True)


def timed(work: Callable[[], Any]) -> float:
    """Wall seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median(values: list[float]) -> float:
    """The middle one."""
    return statistics.median(values)


@contextmanager
def _admin(database: str) -> Iterator[psycopg.Connection[Any]]:
    conn = connect(application="bench", admin=True, autocommit=True, database=database)
    try:
        yield conn
    finally:
        conn.close()
