"""One kill: at which moment, what must hold after it, and what after the same command has been run again."""

from __future__ import annotations

import hashlib
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import psycopg

from ecowarehouse.landing import store
from ecowarehouse.postgres import cluster
from tests.faults.eco_process import EcoProcess
from tests.faults.house import FEED, Content, Database, House

_TRIES: Final = 12
_AUTOVACUUM: Final = 180.0
_TEMPORARY: Final = (
    "select relnamespace::regnamespace::text, relname from pg_class where relpersistence = 't'"
    " or relnamespace::regnamespace::text like 'pg_temp%%'"
)
_POLL: Final = 0.0005
_MOST: Final = 120.0

# Waits for its moment, kills there and says whether it was there; False when the process ended before.
Moment = Callable[["Scene"], bool]


class Missed(Exception):
    """The kill came before the step's row was committed, or after the step had ended."""


@dataclass(frozen=True)
class Point:
    """One place at which a step can be killed, on the way from one stage to the next."""

    name: str
    kind: str
    subject: str
    stage: str
    after: str
    command: Callable[[House], list[str]]
    moment: Moment
    server: bool = False
    weight: int = 10


# What a step writes in the transaction that also closes its row. dbt commits model by model: candidates are no promise.
_OF_ONE_TRANSACTION: Final = {
    "land": (f"landing.{FEED}",),
    "core": ("core.observation", "core.quality_flag", "core.change where element <> 'governance'"),
    "gate": ("governance.verdict", "governance.dataset_state where state = 'waiting'"),
    "release": (
        "published.air_station_hour", "published.air_station_day", "governance.release", "governance.release_period",
    ),
}  # fmt: skip


class Unseen:
    """Looks whether anything of a step shows before its row is closed: both are of one transaction."""

    def __init__(self, conn: psycopg.Connection[Any], kind: str) -> None:
        self._kind = kind
        counts = "".join(f", (select count(*) from {what})" for what in _OF_ONE_TRANSACTION.get(kind, ()))
        running = f"select count(*) from governance.attempt where kind = '{kind}' and outcome = 'running'"
        self._query = f"select ({running}){counts}"
        self._before = self._counts(conn)[1:]

    def look(self, conn: psycopg.Connection[Any]) -> None:
        """While the step runs, compare with the last moment before it ran; other steps may come first."""
        running, *now = self._counts(conn)
        if not running:
            self._before = tuple(now)
        assert tuple(now) == self._before, f"half a {self._kind} shows: {now}, before {self._before}"

    def _counts(self, conn: psycopg.Connection[Any]) -> tuple[Any, ...]:
        row = conn.execute(self._query.encode()).fetchone()
        assert row is not None
        return row


@dataclass
class Scene:
    """One process at work, and who watches it."""

    point: Point
    database: Database
    process: EcoProcess
    watcher: psycopg.Connection[Any]
    delay: float
    unseen: Unseen

    def kill(self) -> None:
        """End the working process, or the server under it, as an accident would."""
        if self.point.server:
            self.watcher.close()
            cluster.stop(self.database.settings, immediate=True)
        else:
            self.process.send(signal.SIGKILL)

    def wait_for(self, seen: Callable[[], bool]) -> bool:
        """Look until something is seen; False when the process ended before."""
        until = time.monotonic() + _MOST
        while not seen():
            if not self.process.runs():
                return False
            assert time.monotonic() < until, f"{self.point.name}: nothing seen for {_MOST} s"
            time.sleep(_POLL)
        return True

    def is_running(self) -> bool:
        """Whether the ledger says that the step is at work."""
        return _running(self.watcher) == [(self.point.kind, self.point.subject)]


def _running(conn: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select 'land', feed from landing.batch where outcome = 'running'"
        " union all select kind, subject from governance.step where outcome = 'running'"
    ).fetchall()


def within(scene: Scene) -> bool:
    """A random moment of the step, counted from the commit of its row."""
    if not scene.wait_for(scene.is_running):
        return False
    until = time.monotonic() + scene.delay
    while time.monotonic() < until:
        scene.unseen.look(scene.watcher)
        time.sleep(_POLL)
    scene.kill()
    return True


def in_copy(scene: Scene) -> bool:
    """While rows stream in: the process is stopped, seen to be in COPY, then killed."""

    def copies() -> bool:
        return bool(
            scene.watcher.execute(
                "select from pg_stat_activity where datname = current_database() and state = 'active'"
                " and query ilike 'copy \"landing\".%%' and pid <> pg_backend_pid()"
            ).fetchall()
        )

    if not scene.wait_for(copies):
        return False
    scene.process.send(signal.SIGSTOP)
    time.sleep(0.05)  # what the server had received already, it works off
    inside = copies()
    scene.process.send(signal.SIGKILL)
    return inside


def before_rename(scene: Scene) -> bool:
    """While received bytes are being written under a temporary name."""

    def incoming() -> bool:
        return any(_store(scene.database).glob(".incoming*"))

    if not scene.wait_for(incoming):
        return False
    scene.kill()
    scene.process.wait()
    return incoming()


def before_ledger(scene: Scene) -> bool:
    """When the bytes have their final name and the ledger does not know it."""
    address = _address(scene.database.house.file("second"))
    if not scene.wait_for((_store(scene.database) / address).exists):
        return False
    scene.kill()
    scene.process.wait()
    scene.database.wait_until_left()
    return (
        scene.database.rows("select from landing.batch where outcome = 'running' and bytes_address is null")
        != []
    )


def in_dbt(scene: Scene) -> bool:
    """While dbt's own session writes a mart."""

    def writes() -> bool:
        return bool(
            scene.watcher.execute(
                "select from pg_stat_activity where datname = current_database() and application_name = 'eco dbt'"
                " and state = 'active' and (query ilike '%%insert into%%' or query ilike '%%delete from%%')"
            ).fetchall()
        )

    if not scene.wait_for(writes):
        return False
    scene.kill()
    return True


def without_views(scene: Scene) -> bool:
    """When a table of standards was dropped with the views on it, and nothing is made again."""
    count = "select count(*) from pg_views where schemaname in ('staging', 'as_of', 'standards')"
    before = scene.watcher.execute(count).fetchone()
    if not scene.wait_for(lambda: scene.watcher.execute(count).fetchone() != before):
        return False
    scene.kill()
    return True


def _store(database: Database) -> Path:
    return database.settings.bytes_store


def _address(file: Path) -> str:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{digest[:2]}/{digest}"


def _load(house: House) -> list[str]:
    return house.load_arguments("second")


POINTS: Final = (
    Point("land", "land", FEED, "released", "landed", _load, within, weight=20),
    Point("land, before the bytes have their name", "land", FEED, "released", "landed", _load, before_rename),
    Point("land, bytes kept, ledger not told", "land", FEED, "released", "landed", _load, before_ledger, weight=20),
    Point("land, in COPY", "land", FEED, "released", "landed", _load, in_copy, weight=30),
    Point("core", "core", FEED, "released", "landed", _load, within, weight=30),
    Point("core, server stopped", "core", FEED, "released", "landed", _load, within, server=True),
    Point("mart", "build", "air", "landed", "built", lambda _: ["build", "air"], within, weight=20),
    Point("mart, dbt writing", "build", "air", "landed", "built", lambda _: ["build", "air"], in_dbt, weight=15),
    Point("mart, server stopped", "build", "air", "landed", "built", lambda _: ["build", "air"], within,
          server=True, weight=5),
    Point("gate", "gate", "air", "built", "gated", lambda _: ["gate", "air"], within, weight=20),
    Point("release", "release", "air", "gated", "published", lambda _: ["publish"], within, weight=30),
    Point("release, server stopped", "release", "air", "gated", "published", lambda _: ["publish"], within,
          server=True),
    Point("standards", "standards", "seeds", "spoiled", "applied", lambda _: ["standards", "apply"], within),
    Point("standards, views dropped", "standards", "seeds", "spoiled", "applied", lambda _: ["standards", "apply"],
          without_views, weight=5),
)  # fmt: skip


@dataclass
class Tally:
    """What was done; `lines` is for people."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)  # type: ignore[type-arg]
    longest: float = 0.0
    left_after: float = 0.0

    def lines(self) -> list[str]:
        """A table."""
        head = f"seed {self.seed}: {self.kills.total()} kills, {self.missed.total()} missed and done again"
        each = [
            f"  {name:40} {self.kills[name]:4} kills {self.missed[name]:4} missed"
            f" {self.seconds[name] / max(1, self.kills[name]):6.1f} s each"
            for name in sorted(self.kills | self.missed)
        ]
        slowest = f"  longest kill and rerun {self.longest:.1f} s; sessions gone after {self.left_after:.1f} s at most"
        return [head, *each, slowest]


def kill_at(house: House, point: Point, rng: Random, tally: Tally) -> None:
    """Kill at a point until a kill has hit; then check what stands, run again and check again."""
    for _ in range(_TRIES):
        house.content(point.after)  # the measure, and how long the step takes
        began = time.monotonic()
        database = house.clone(point.stage)
        try:
            tally.left_after = max(tally.left_after, _kill(house, point, database, rng))
            _rerun(house, point, database)
        except Missed:
            tally.missed[point.name] += 1
            continue
        finally:
            database.drop()
            # Other databases' ledgers name these bytes.
            store.keep(house.settings.bytes_store, house.file("second"), FEED)
        took = time.monotonic() - began
        tally.kills[point.name] += 1
        tally.seconds[point.name] += took
        tally.longest = max(tally.longest, took)
        return
    raise AssertionError(f"{point.name}: missed {_TRIES} times in a row")


def _kill(house: House, point: Point, database: Database, rng: Random) -> float:
    if point.server:
        # A copied sequence believes that the log has its next 32 numbers, which the log has for the template only.
        with database.connection() as conn:
            conn.execute("checkpoint")
    if point.stage == "released":  # its ledger does not know these bytes yet
        (_store(database) / _address(house.file("second"))).unlink(missing_ok=True)
    delay = rng.uniform(0, 0.9 * house.seconds(point.after, point.kind))
    with database.connection() as watcher:
        unseen = Unseen(watcher, point.kind)
        process = database.start(*point.command(house))
        scene = Scene(point, database, process, watcher, delay, unseen)
        try:
            hit = point.moment(scene)
        finally:
            if not point.server:
                process.send(signal.SIGKILL)
        code = process.wait()
    left_after = database.wait_until_left()
    if not hit or code == 0:
        raise Missed
    if point.server:
        assert code > 0, f"{point.name}: eco ended with {code} when its server went away\n{process.said()}"
    _check_standing(house, point, database)
    return left_after


def _check_standing(house: House, point: Point, database: Database) -> None:
    """What must hold while nobody works, before anything is mended."""
    with database.connection() as conn:
        running = _running(conn)
    if not running:
        raise Missed
    if running != [(point.kind, point.subject)]:
        assert len(running) == 1, f"{point.name}: several steps are said to run: {running}"
        raise Missed  # the step before or after it
    _nothing_held(point, database)
    _bytes_are_kept(point, database)
    _same(
        f"{point.name}: half a release is readable", database.readable(), house.stage(point.stage).readable()
    )


def _rerun(house: House, point: Point, database: Database) -> None:
    before = Counter(outcome for _, _, outcome, _ in database.attempts())
    with database.connection() as watcher:
        unseen = Unseen(watcher, point.kind)
        again = database.start(*point.command(house))
        while again.runs():
            unseen.look(watcher)
            time.sleep(_POLL)
    code = again.wait()
    assert code == 0, f"{point.name}: the rerun ended with {code}:\n{again.said()}"
    if point.kind == "standards":
        database.run("up", "--database-only")
        gone = house.stage("released").views() - database.views()
        assert not gone, f"{point.name}: views are gone for good: {sorted(gone)}"
    _nothing_held(point, database)
    _bytes_are_kept(point, database)
    _ledger_is_closed(point, database, before)
    _same(f"{point.name}: not what an undisturbed run leaves", database.content(), house.content(point.after))
    leftovers = list(_store(database).glob(".incoming*"))
    assert not leftovers, f"{point.name}: {leftovers}"


def _ledger_is_closed(point: Point, database: Database, before: Counter[str]) -> None:
    attempts = database.attempts()
    outcomes = Counter(outcome for _, _, outcome, _ in attempts)
    aborted = [(kind, subject) for kind, subject, outcome, _ in attempts if outcome == "aborted"]
    assert aborted == [(point.kind, point.subject)], f"{point.name}: aborted in the ledger: {aborted}"
    assert outcomes["running"] == 0, f"{point.name}: still running in the ledger: {attempts}"
    assert outcomes["failed"] == before["failed"], f"{point.name}: the rerun failed: {attempts}"
    builds = Counter(outcome for (outcome,) in database.rows("select outcome from governance.build"))
    assert builds["running"] == 0, f"{point.name}: builds {dict(builds)}"
    assert builds["aborted"] <= (point.kind == "build"), f"{point.name}: builds {dict(builds)}"


def _nothing_held(point: Point, database: Database) -> None:
    database.wait_until_left()
    held = database.rows(
        "select locktype, mode, objid from pg_locks"
        " where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"
    )
    assert not held, f"{point.name}: locks of nobody: {held}"
    # dbt drops its temporary tables after its commit. If the server stops in between, nobody is left to do it:
    # autovacuum finds them within its nap, a minute for all databases.
    until = time.monotonic() + (_AUTOVACUUM if point.server else 0)
    while temporary := database.rows(_TEMPORARY):
        assert time.monotonic() < until, f"{point.name}: temporary relations: {temporary}"
        time.sleep(0.5)


def _bytes_are_kept(point: Point, database: Database) -> None:
    """Whatever the ledger says was received is there, and is what it says."""
    for address, sha256 in database.rows(
        "select bytes_address, sha256 from landing.batch where bytes_address is not null"
    ):
        kept = _store(database) / address
        assert kept.exists(), f"{point.name}: the ledger names {address}, which is not kept"
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == sha256, f"{point.name}: {address} is damaged"


def _same(message: str, found: Content, wanted: Content) -> None:
    names = sorted(set(found) | set(wanted))
    different = {
        name: (found.get(name), wanted.get(name)) for name in names if found.get(name) != wanted.get(name)
    }
    assert not different, f"{message}: {different}"


def chosen(points: Sequence[Point], count: int, rng: Random) -> list[Point]:
    """`count` points: each of them once, the rest drawn by weight."""
    some = list(points)[:count]
    return some + rng.choices(points, [point.weight for point in points], k=count - len(some))
