"""All of it once, in one process: feeds into core, candidates, gate, release, files. What the DAGs do step by step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from ecowarehouse import exports, gate, marts, release
from ecowarehouse.decisions import corrections
from ecowarehouse.elements import choose
from ecowarehouse.exports import ExportResult
from ecowarehouse.gate import GateResult
from ecowarehouse.ledger import lock
from ecowarehouse.marts import BuildResult
from ecowarehouse.pipeline import FeedRun, run_feed
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.release import ReleaseResult
from ecowarehouse.settings import Settings


@dataclass
class ElementRun:
    """One element from build to release; `seconds` by step. A step that was not needed is None."""

    element: str
    build: BuildResult
    gate: GateResult | None = None
    release: ReleaseResult | None = None
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass
class CycleRun:
    """What one cycle did, feed by feed and element by element, and what it could not do."""

    feeds: list[FeedRun] = field(default_factory=list)
    elements: list[ElementRun] = field(default_factory=list)
    exports: list[ExportResult] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)


def run(
    conn: psycopg.Connection[Any],
    settings: Settings,
    elements: Sequence[str] = (),
    *,
    fetch_feeds: bool = True,
) -> CycleRun:
    """Run every feed, then each element from build to release, then export. One problem does not stop the rest.

    What a feed or an element raised, and contracts that are broken, stand in `problems`: a cycle with one has failed.
    """
    result = CycleRun()
    choice = choose(settings, elements)
    for contract in choice.contracts if fetch_feeds else ():
        with _kept(conn, result.problems):
            result.feeds.append(run_feed(conn, settings, contract))
    for element in choice.elements:
        with _kept(conn, result.problems):
            result.elements.append(run_element(conn, element, settings))
    with _kept(conn, result.problems):
        result.exports = exports.export_standing(conn, settings, choice.elements)
    with _kept(conn, result.problems):
        choice.raise_for_broken()
    return result


def run_element(conn: psycopg.Connection[Any], element: str, settings: Settings) -> ElementRun:
    """Build, gate and release one element under one lock from start to end."""
    setup = gate.Setup.load(settings)
    corrections.take_up_element(conn, settings.bytes_store, element)
    with lock(conn, "build", element):
        outcome = ElementRun(element, BuildResult.nothing(element))
        with _timed(outcome.seconds, "build"):
            outcome.build = marts.build(conn, element, settings=settings)
        if outcome.build.outcome == "no_dataset":
            return outcome
        build_id = outcome.build.build_id or _newest_build(conn, element)
        if build_id is None:
            return outcome
        with _timed(outcome.seconds, "gate"):
            outcome.gate = gate.judge(conn, build_id, setup=setup)
        with _timed(outcome.seconds, "release"):
            outcome.release = release.release(conn, build_id, setup=setup)
        return outcome


@contextmanager
def _kept(conn: psycopg.Connection[Any], problems: list[Exception]) -> Iterator[None]:
    """Go on after a problem, with the connection ready for the next."""
    try:
        yield
    except Exception as problem:  # noqa: BLE001 - it stands in the result, and whoever asked fails with it
        conn.rollback()
        problems.append(problem)


def _newest_build(conn: psycopg.Connection[Any], element: str) -> int | None:
    with acting_as(conn, "eco_dbt"):
        return marts.newest_build(conn, element)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started
