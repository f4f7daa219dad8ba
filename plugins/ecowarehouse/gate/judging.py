"""The gate: a verdict for every touched or unresolved period of every dataset of one build."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse import ledger
from ecowarehouse.decisions import covering
from ecowarehouse.gate import clock, standards, store
from ecowarehouse.gate.judge_frame import Judgement, judge_frame
from ecowarehouse.gate.measure import Measured, MeasureError, measure
from ecowarehouse.gate.setup import Setup
from ecowarehouse.gate.store import Build
from ecowarehouse.gate.suites import DatasetSuite, PeriodState, SuiteError, suite_of
from ecowarehouse.gate.verdicts import Verdict, blocked, decide
from ecowarehouse.marts import newest_build
from ecowarehouse.postgres.catalog import column_names
from ecowarehouse.postgres.session import acting_as

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset

logger = logging.getLogger(__name__)

ROLE = "eco_gate"


@dataclass(frozen=True, slots=True)
class Blocked:
    """One period that is not published, and why."""

    dataset: str
    period_start: datetime
    reason: str


@dataclass
class GateResult:
    """What became of one build in the gate. `outcome`: done, blocked, nothing_to_do or superseded."""

    build_id: int
    element: str
    outcome: ledger.Outcome = "done"
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    blocked: list[Blocked] = field(default_factory=list)
    new_verdicts: int = 0

    @property
    def judged(self) -> int:
        """How many periods were judged."""
        return sum(sum(counts.values()) for counts in self.counts.values())

    def summary(self) -> dict[str, Any]:
        """For the ledger and for --json."""
        return {
            "build_id": self.build_id,
            "element": self.element,
            "outcome": self.outcome,
            "verdicts": self.counts,
            "new_verdicts": self.new_verdicts,
            "blocked": len(self.blocked),
            "reasons": sorted({b.reason for b in self.blocked})[:20],
        }


@dataclass
class _Case:
    """One dataset before the gate."""

    dataset: Dataset
    touched: set[datetime]
    periods: list[datetime]
    suite: DatasetSuite | None = None
    fault: str | None = None
    columns: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    judgements: dict[str, Judgement] = field(default_factory=dict)


def judge(
    conn: psycopg.Connection[Any], build_id: int, *, run_id: str | None = None, setup: Setup | None = None
) -> GateResult:
    """Judge every period that this build touched, or that still waits, is open or is blocked.

    Verdicts, states and notices are committed together with the step, or not at all.

    Args:
        conn: a connection whose login may act as `eco_gate`, not in autocommit.
        build_id: the build; a build that is no longer the newest of its element is `superseded`, not judged.
        run_id: the run that asks, for the ledger.
        setup: datasets, suites and contracts; those of the installation by default.

    Raises:
        GateError: there is no such build, or it was not built.
        LockNotObtained: another step of the element has been running for too long.
    """
    setup = setup or Setup.load()
    with acting_as(conn, ROLE):
        build = store.read_build(conn, build_id)
        result = GateResult(build_id, build.element)
        with ledger.step(conn, "gate", build.element, build_id=build_id, run_id=run_id) as attempt:
            if not store.require_built(conn, build):
                result.outcome = attempt.outcome = "superseded"
                attempt.figures = result.summary()
                return result
            cases = _cases(conn, build, setup)
            _judge_cases(conn, build, setup, cases)
            _write(conn, build, attempt.step_id, cases, result)
            attempt.outcome, attempt.figures = result.outcome, result.summary()
    _report(setup, build, cases)
    return result


def judge_elements(
    conn: psycopg.Connection[Any],
    elements: Iterable[str] = (),
    *,
    run_id: str | None = None,
    setup: Setup | None = None,
) -> list[GateResult]:
    """Judge the newest build of each element in one process (Great Expectations is imported once).

    Without elements, all that have datasets. An element that was never built is left out.

    Raises:
        GateError: an element without datasets.
    """
    setup = setup or Setup.load()
    known = sorted({dataset.element for dataset in setup.datasets})
    wanted = sorted(set(elements)) or known
    if unknown := [element for element in wanted if element not in known]:
        raise store.GateError(f"no datasets of element {', '.join(unknown)}; known: {', '.join(known)}")
    with acting_as(conn, ROLE):
        builds = [newest_build(conn, element) for element in wanted]
    return [judge(conn, build, run_id=run_id, setup=setup) for build in builds if build is not None]


def _cases(conn: psycopg.Connection[Any], build: Build, setup: Setup) -> list[_Case]:
    touched = store.touched_periods(conn, build)
    unresolved = store.unresolved_periods(conn, build.element)
    for name, period in covering.settled_otherwise(conn, build.element):
        unresolved.setdefault(name, set()).add(period)
    cases = []
    for dataset in setup.of_element(build.element):
        columns = column_names(conn, dataset.relation)
        mine = touched.get(dataset.dataset, set())
        if not columns:
            mine = mine | store.scope_periods(conn, build.build_id, dataset.grain, setup.zone)
        periods = sorted(mine | unresolved.get(dataset.dataset, set()))
        if periods:
            cases.append(_Case(dataset, mine, periods, columns=columns))
    return cases


def _judge_cases(conn: psycopg.Connection[Any], build: Build, setup: Setup, cases: Sequence[_Case]) -> None:
    standing = standards.fault(conn, build, setup) if cases else None
    for case in cases:
        case.fault = standing or _place_fault(case, setup)
        if case.fault is None:
            try:
                _judge_case(conn, build, setup, case)
            except MeasureError as error:
                case.fault = f"measures not computed: {error}. Mend: expectations/{build.element}.yml"
        if case.fault is not None:
            case.verdicts = [blocked(case.dataset.dataset, p, "closed", case.fault) for p in case.periods]


def _place_fault(case: _Case, setup: Setup) -> str | None:
    dataset = case.dataset
    if not case.columns:
        return f"missing candidate: {dataset.relation} does not exist. Mend: eco build {dataset.element}"
    try:
        case.suite = suite_of(setup.expectations, dataset.element, dataset.dataset)
    except SuiteError as error:
        return str(error)
    return None


def _judge_case(conn: psycopg.Connection[Any], build: Build, setup: Setup, case: _Case) -> None:
    assert case.suite is not None
    name = case.dataset.dataset
    measured = _measure_with_retry(conn, setup, case)
    recorded = store.recorded_checksums(conn, name, case.periods, build.build_id)
    limit = clock.closed_before(conn, case.dataset.feeds, setup.lateness)
    waivers = store.valid_waivers(conn, name)
    by_state: dict[PeriodState, list[Measured]] = {"open": [], "closed": []}
    for period in measured:
        state = _state(case.dataset, period, limit)
        fault = _candidate_fault(case.dataset, period, recorded)
        if fault is None:
            by_state[state].append(period)
        else:
            case.verdicts.append(blocked(name, period.period_start, state, fault, period.checksum))
    for state, periods in by_state.items():
        judgement = judge_frame(f"{name} {state}", case.suite.applicable(state), periods)
        case.judgements[f"{name} {state}"] = judgement
        case.verdicts += [
            decide(name, case.suite, state, period, row, judgement, waivers)
            for row, period in enumerate(periods)
        ]
    case.verdicts.sort(key=lambda verdict: verdict.period_start)


def _measure_with_retry(conn: psycopg.Connection[Any], setup: Setup, case: _Case) -> list[Measured]:
    """A check that errors is retried once; one that fails never is."""
    assert case.suite is not None
    lateness = clock.longest_lateness(case.dataset.feeds, setup.lateness)
    for last in (False, True):
        try:
            return measure(
                conn, case.dataset, case.suite, case.periods,
                columns=case.columns, zone=setup.zone, lateness=lateness,
            )  # fmt: skip
        except MeasureError:
            if last:
                raise
    raise AssertionError


def _state(dataset: Dataset, period: Measured, limit: datetime | None) -> PeriodState:
    """Only an hour can be complete before its lateness is over: a day has hours to come."""
    share = period.values.get("stations_share") if dataset.grain == "hour" else None
    return "closed" if clock.is_closed(period.period_end, limit, share) else "open"


def _candidate_fault(dataset: Dataset, period: Measured, recorded: Mapping[datetime, str]) -> str | None:
    rebuild = f"Mend: eco build {dataset.element}"
    if period.rows == 0:
        return f"empty candidate: {dataset.relation} has no row of this period. {rebuild}"
    known = recorded.get(period.period_start)
    if known is None:
        return f"no build recorded this period of {dataset.relation}. {rebuild}"
    if known != period.checksum:
        return f"{dataset.relation} is not what its build left: the period's checksum differs. {rebuild}"
    return None


def _write(
    conn: psycopg.Connection[Any], build: Build, step_id: int, cases: Sequence[_Case], result: GateResult
) -> None:
    verdicts = [verdict for case in cases for verdict in case.verdicts]
    if not verdicts:
        result.outcome = "nothing_to_do"
        return
    decided = covering.decided(conn, build.element)
    contents = {
        (v.dataset, v.period_start): store.content_id(
            v.checksum, v.figures.get("held_rows"), case.suite, decided.get((v.dataset, v.period_start))
        )
        for case in cases
        for v in case.verdicts
    }
    result.new_verdicts = store.write_verdicts(conn, build, step_id, verdicts)
    store.write_notices(conn, store.write_states(conn, build, verdicts, contents))
    for verdict in verdicts:
        counts = result.counts.setdefault(verdict.dataset, {})
        counts[verdict.verdict] = counts.get(verdict.verdict, 0) + 1
    result.blocked = [
        Blocked(v.dataset, v.period_start, v.reason or "") for v in verdicts if v.verdict == "blocked"
    ]
    result.outcome = "blocked" if result.blocked else "done"


def _report(setup: Setup, build: Build, cases: Sequence[_Case]) -> None:
    """Pages for people; the verdict stands already, so a page that fails is only a warning."""
    if setup.reports is None:
        return
    from ecowarehouse.gate import docs
    from ecowarehouse.gate.judge_frame import page

    try:
        data_docs = {title: page(judged) for case in cases for title, judged in case.judgements.items()}
        written = {title: text for title, text in data_docs.items() if text is not None}
        docs.write(setup.reports, build, setup.zone, [v for c in cases for v in c.verdicts], written)
    except Exception:
        logger.warning("the gate's report of build %s was not written", build.build_id, exc_info=True)
