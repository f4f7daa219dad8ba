"""All of it once, in one process: feeds into core, candidates, gate, release. What the DAGs do step by step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from ecowarehouse import gate, marts, release
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.gate import GateResult
from ecowarehouse.ledger import lock
from ecowarehouse.marts import BuildResult
from ecowarehouse.pipeline import FeedRun, run_feed
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.release import ReleaseResult
from ecowarehouse.settings import Settings


class UnknownElement(ValueError):
    """No contract of this city delivers for the element."""


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
    """What one cycle did, feed by feed and element by element."""

    feeds: list[FeedRun] = field(default_factory=list)
    elements: list[ElementRun] = field(default_factory=list)


def contracts_of(settings: Settings, elements: Sequence[str] = ()) -> list[Contract]:
    """The city's contracts, all or of some elements, in a fixed order. Raises `UnknownElement`."""
    contracts = load_contracts(settings.city).contracts
    known = {contract.element for contract in contracts.values()}
    if unknown := sorted(set(elements) - known):
        raise UnknownElement(
            f"no contract delivers for {', '.join(unknown)}; elements here: {', '.join(sorted(known))}"
        )
    return [
        contract for _, contract in sorted(contracts.items()) if not elements or contract.element in elements
    ]


def run(
    conn: psycopg.Connection[Any],
    settings: Settings,
    elements: Sequence[str] = (),
    *,
    fetch_feeds: bool = True,
) -> CycleRun:
    """Run every feed of the elements, then each element from build to release. One broken feed does not stop others.

    Raises what the first broken element raised, after the others ran.
    """
    result = CycleRun()
    contracts = contracts_of(settings, elements)
    if fetch_feeds:
        result.feeds = [run_feed(conn, settings, contract) for contract in contracts]
    problems: list[Exception] = []
    for element in sorted({contract.element for contract in contracts}):
        try:
            result.elements.append(run_element(conn, element))
        except Exception as problem:  # noqa: BLE001 - raised again when the other elements are done
            conn.rollback()
            problems.append(problem)
    if problems:
        raise problems[0]
    return result


def run_element(conn: psycopg.Connection[Any], element: str) -> ElementRun:
    """Build, gate and release one element under one lock from start to end."""
    with lock(conn, "build", element):
        outcome = ElementRun(element, BuildResult.nothing(element))
        with _timed(outcome.seconds, "build"):
            outcome.build = marts.build(conn, element)
        build_id = outcome.build.build_id or _newest_build(conn, element)
        if build_id is None:
            return outcome
        with _timed(outcome.seconds, "gate"):
            outcome.gate = gate.judge(conn, build_id)
        with _timed(outcome.seconds, "release"):
            outcome.release = release.release(conn, build_id)
        return outcome


def _newest_build(conn: psycopg.Connection[Any], element: str) -> int | None:
    with acting_as(conn, "eco_dbt"):
        return marts.newest_build(conn, element)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started
