"""A warehouse to be killed in: its own home and server, and a database for every stage of one cycle.

Each stage is the one before it after one undisturbed command, so it is the next kill's template and the last
kill's measure at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from ecowarehouse.datasets import load_datasets
from ecowarehouse.postgres import cluster, roles
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.prepare import create_database
from ecowarehouse.settings import Settings
from ecowarehouse.standards.files import seed_files, table_hashes
from simulation.archive import write_air_archive
from tests.content import core_hashes, hash_of, relation_hash
from tests.faults import eco_process
from tests.faults.eco_process import EcoProcess

FEED: Final = "cnemc_air_hourly"
OURS: Final = "faults"
WORK: Final = "work"
_STATIONS, _HOURS, _START = 60, 30, datetime(2024, 5, 1)  # noqa: DTZ001 - the archive's own clock
_GONE_WITHIN: Final = 20.0

# What was decided and what waits, without numbers of builds, steps and releases.
_GOVERNED: Final = {
    "governance.dataset_state":
        "select dataset, period_start, element, state, released_checksum from governance.dataset_state",
    "governance.verdict":
        "select distinct on (dataset, period_start) dataset, period_start, verdict, period_state, declared,"
        " evaluated, reason, checksum from governance.verdict order by dataset, period_start, build_id desc",
    "core.change":  # without those of the books, in which an attempt that was killed stands too
        "select distinct element, site_code, period_from, period_to from core.change where built_in is null"
        " and element <> 'governance'",
}  # fmt: skip

Content = dict[str, str]


@dataclass
class Database:
    """One database of the house."""

    house: House
    name: str

    @property
    def environment(self) -> dict[str, str]:
        """The ECO_ variables of a command on this database."""
        return {"ECO_HOME": str(self.house.home), "ECO_DATABASE": self.name, **self.house.secrets}

    @property
    def settings(self) -> Settings:
        """The same for this process."""
        return Settings.load(self.environment)

    def start(self, *arguments: str) -> EcoProcess:
        """Start one `eco` on it."""
        return eco_process.start(list(arguments), self.environment, self.house.output)

    def run(self, *arguments: str) -> EcoProcess:
        """Run one `eco` on it, which must succeed."""
        process = self.start(*arguments)
        code = process.wait()
        assert code == 0, f"eco {' '.join(arguments)} ended with {code}:\n{process.said()}"
        return process

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A superuser's connection in autocommit; it starts the server if need be."""
        with connect(application=OURS, admin=True, autocommit=True, settings=self.settings) as conn:
            yield conn

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of one query, by a connection of its own."""
        with self.connection() as conn:
            return conn.execute(query.encode(), parameters).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[psycopg.Connection[Any]]:
        """One moment of everything."""
        with self.connection() as conn, conn.transaction():
            conn.execute("set transaction isolation level repeatable read, read only")
            yield conn

    def readable(self) -> Content:
        """Hashes of all that readers see, of one moment."""
        with self.snapshot() as conn:
            return _readable(conn)

    def content(self) -> Content:
        """Hashes of everything that a rerun has to restore, without numbers of attempts."""
        with self.snapshot() as conn:
            found = core_hashes(conn) | _readable(conn) | _candidates(conn, self.settings)
            found |= {name: hash_of(conn, query) for name, query in _GOVERNED.items()}
            found |= table_hashes(conn, [seed.relation for seed in seed_files(self.settings)])
            for (feed,) in conn.execute(
                "select relname from pg_class where relkind = 'r' and relnamespace = 'landing'::regnamespace"
                " and relname not in ('batch', 'reject')"
            ).fetchall():
                found[f"landing.{feed}"] = relation_hash(conn, f"landing.{feed}", ("batch_id",))
            return found

    def views(self) -> set[str]:
        """All views of staging, editions and as_of."""
        return {
            f"{schema}.{name}"
            for schema, name in self.rows(
                "select schemaname, viewname from pg_views where schemaname in ('staging', 'as_of', 'standards')"
            )
        }

    def wait_until_left(self) -> float:
        """Wait until no session but ours is left in it; returns the seconds that took."""
        began = time.monotonic()
        with self.connection() as conn:
            while True:
                found = conn.execute(
                    "select application_name, state, left(query, 80) from pg_stat_activity"
                    " where datname = %s and backend_type = 'client backend' and application_name <> %s",
                    [self.name, f"eco {OURS}"],
                ).fetchall()
                passed = time.monotonic() - began
                if not found:
                    return passed
                assert passed < _GONE_WITHIN, f"sessions of a dead process after {passed:.0f} s: {found}"
                time.sleep(0.02)

    def attempts(self) -> list[tuple[str, str, str, float]]:
        """Kind, subject, outcome and seconds of all attempts, oldest first."""
        return [
            (kind, subject, outcome, float(seconds or 0))
            for kind, subject, outcome, seconds in self.rows(
                "select kind, subject, outcome, extract(epoch from ended_at - started_at)"
                " from governance.attempt order by started_at"
            )
        ]

    def drop(self) -> None:
        """Remove it."""
        with self.house.maintenance() as conn:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(self.name)))


def _readable(conn: psycopg.Connection[Any]) -> Content:
    relations = conn.execute(
        "select schemaname || '.' || viewname, '{released_at, decided_at}'::text[] from pg_views"
        " where schemaname in ('shared', 'open')"
        " union all select schemaname || '.' || tablename, '{release_from, release_to}' from pg_tables"
        " where schemaname = 'published'"
    ).fetchall()
    found = {relation: relation_hash(conn, relation, tuple(without)) for relation, without in relations}
    found["releases"] = hash_of(
        conn, "select dataset, period_start, verdict, inserted, closed from governance.release_period"
    )
    return found


def _candidates(conn: psycopg.Connection[Any], settings: Settings) -> Content:
    relations = sorted({dataset.relation for dataset in load_datasets(settings)})
    present = [r for r in relations if conn.execute("select to_regclass(%s)", [r]).fetchone() != (None,)]
    return {relation: relation_hash(conn, relation, ("build_id",)) for relation in present}


@dataclass
class House:
    """The home, its server and its stages."""

    home: Path
    secrets: dict[str, str] = field(default_factory=dict)
    _stages: dict[str, Database] = field(default_factory=dict)
    _contents: dict[str, Content] = field(default_factory=dict)

    @classmethod
    def make(cls, home: Path) -> House:
        """Start a server in an empty home."""
        eco_process.start_fork_server()
        house = cls(home)
        house.output.mkdir(parents=True)
        write_air_archive(house.file("first"), _STATIONS, _HOURS, _START, seed=7)
        write_air_archive(house.file("second"), _STATIONS, _HOURS, _START, seed=7, revise_share=0.2)
        cluster.ensure_running(house.settings)
        return house

    def end(self) -> None:
        """Stop the server."""
        cluster.stop(self.settings, immediate=True)

    @cached_property
    def settings(self) -> Settings:
        """Settings of the home."""
        return Settings.load({"ECO_HOME": str(self.home)})

    @property
    def output(self) -> Path:
        """What commands wrote."""
        return self.home / "output"

    def file(self, name: str) -> Path:
        """One of the two deliveries: all hours, and the same with a fifth of its NO2 revised."""
        return self.home / f"{name}.csv"

    def load_arguments(self, name: str) -> list[str]:
        """`eco load` of one of them, with the moment at which it was known."""
        day = {"first": "02", "second": "03"}[name]
        return ["load", FEED, str(self.file(name)), "--known-at", f"2024-05-{day}T08:00+08:00"]

    @contextmanager
    def maintenance(self) -> Iterator[psycopg.Connection[Any]]:
        """A superuser outside all databases of the house."""
        with connect(
            application=OURS, admin=True, autocommit=True, database="postgres", settings=self.settings
        ) as conn:
            yield conn

    def clone(self, stage: str) -> Database:
        """The database to work on, as it was at a stage; there is one at a time.

        It has the same name each time: with another name dbt parses the whole project again.
        """
        source = self.stage(stage)
        database = Database(self, WORK)
        database.drop()
        source.wait_until_left()
        with self.maintenance() as conn:
            create_database(conn, database.name, owner=roles.OWNER, template=source.name)
        with database.connection() as conn:
            roles.grant(conn)
        return database

    def stage(self, name: str) -> Database:
        """The database of a stage, made when it is first asked for."""
        if name not in self._stages:
            before, commands = self._way(name)
            database = Database(self, self.settings.database) if before is None else self.clone(before)
            for command in commands:
                database.run(*command)
            if name == "spoiled":
                _spoil(database)
            self._stages[name] = self._put_away(database, f"stage_{name}")
        return self._stages[name]

    def _put_away(self, database: Database, name: str) -> Database:
        database.wait_until_left()
        with self.maintenance() as conn:
            names = [sql.Identifier(part) for part in (database.name, name)]
            conn.execute(sql.SQL("alter database {} rename to {}").format(*names))
        return Database(self, name)

    def content(self, stage: str) -> Content:
        """What a stage holds."""
        if stage not in self._contents:
            self._contents[stage] = self.stage(stage).content()
        return self._contents[stage]

    def seconds(self, stage: str, kind: str) -> float:
        """How long the newest attempt of this kind took on the way to a stage."""
        return [took for of, _, _, took in self.stage(stage).attempts() if of == kind][-1]

    def _way(self, name: str) -> tuple[str | None, Sequence[Sequence[str]]]:
        return {
            "deployed": (None, [["up", "--database-only"]]),
            "released": (
                "deployed",
                [self.load_arguments("first"), ["build", "air"], ["gate", "air"], ["publish"]],
            ),
            "landed": ("released", [self.load_arguments("second")]),
            "built": ("landed", [["build", "air"]]),
            "gated": ("built", [["gate", "air"]]),
            "published": ("gated", [["publish"]]),
            "spoiled": ("released", []),
            "applied": ("spoiled", [["standards", "apply"], ["up", "--database-only"]]),
        }[name]


def _spoil(database: Database) -> None:
    """Three tables of standards as somebody's hand might leave them: rows gone, a row twice, a column too many."""
    with database.connection() as conn:
        conn.execute(
            "delete from vocabulary.property where ctid = (select min(ctid) from vocabulary.property)"
        )
        conn.execute("insert into standards.air_limits select * from standards.air_limits limit 1")
        conn.execute("alter table standards.evaluation_policy add column spoiled text")
