"""One transaction that makes readable what the gate let through: what changed, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse import ledger
from ecowarehouse.checksum import (
    identifier,
    period_checksum_sql,
    period_expression,
    period_value,
    relation_name,
)
from ecowarehouse.decisions import covering
from ecowarehouse.gate import standards
from ecowarehouse.gate.setup import Setup
from ecowarehouse.gate.store import (
    Build,
    GateError,
    content_id,
    read_build,
    require_built,
    valid_waivers,
)
from ecowarehouse.gate.suites import DatasetSuite, SuiteError, suite_of
from ecowarehouse.marts import newest_build
from ecowarehouse.postgres.catalog import column_names
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.release import relations, withdrawing

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset

ROLE = "eco_release"
_ANALYZE_FROM = 10_000
_PERIODS = "select unnest(%(periods)s::timestamptz[]) as period_start"


@dataclass(frozen=True, slots=True)
class Refused:
    """One period that had a verdict and was not released all the same."""

    dataset: str
    period_start: datetime
    reason: str


@dataclass
class ReleaseResult:
    """What became of one build's release. `outcome`: done, nothing_to_do, superseded or blocked."""

    build_id: int
    element: str
    outcome: ledger.Outcome = "nothing_to_do"
    release_id: int | None = None
    periods: int = 0
    inserted: dict[str, int] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    withdrawn: dict[str, int] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """For the ledger and for --json."""
        return {
            "build_id": self.build_id,
            "element": self.element,
            "outcome": self.outcome,
            "release_id": self.release_id,
            "periods": self.periods,
            "inserted": self.inserted,
            "closed": self.closed,
            "withdrawn": self.withdrawn,
            "refused": len(self.refused),
            "reasons": sorted({r.reason for r in self.refused})[:20],
        }


@dataclass(frozen=True, slots=True)
class _Cleared:
    """A period with a positive verdict of this build that waits to be released."""

    period_start: datetime
    verdict: str
    period_state: str
    checksum: str
    suite_hash: str
    held_rows: float | None
    waivers: Sequence[int] = ()
    decided: str | None = None


@dataclass
class _Work:
    """One dataset on its way."""

    dataset: Dataset
    suite: DatasetSuite
    cleared: list[_Cleared]
    changes: dict[datetime, tuple[int, int]] = field(default_factory=dict)


def release(
    conn: psycopg.Connection[Any],
    build_id: int,
    *,
    run_id: str | None = None,
    datasets: Collection[str] = (),
    setup: Setup | None = None,
) -> ReleaseResult:
    """Release every period that this very build's gate let through and that is not published already.

    Everything happens in the one transaction that also closes the step: a kill leaves the old state or the
    new one, and running it again completes it or finds nothing to do.

    Args:
        conn: a connection whose login may act as `eco_release`, not in autocommit.
        build_id: the build; one that is no longer the newest of its element is `superseded`.
        run_id: the run that asks, for the ledger.
        datasets: only these; all of the element by default.
        setup: datasets and suites; those of the installation by default.

    Raises:
        GateError: there is no such build, or it was not built.
        RelationError: published columns would be lost or change their type; nothing is released.
        LockNotObtained: another step of the element has been running for too long.
    """
    setup = setup or Setup.load()
    with acting_as(conn, ROLE):
        build = read_build(conn, build_id)
        result = ReleaseResult(build_id, build.element)
        with ledger.step(conn, "release", build.element, build_id=build_id, run_id=run_id) as attempt:
            conn.execute("set transaction isolation level repeatable read")
            if require_built(conn, build):
                works = _works(conn, build, setup, datasets, result)
                withdrawn = [
                    dataset
                    for dataset in setup.of_element(build.element)
                    if withdrawing.is_due(conn, dataset, setup.zone)
                ]
                _release(conn, build, setup, works, withdrawn, attempt.step_id, result)
            else:
                result.outcome = "superseded"
            attempt.outcome, attempt.figures = result.outcome, result.summary()
    return result


def _works(
    conn: psycopg.Connection[Any], build: Build, setup: Setup, wanted: Collection[str], result: ReleaseResult
) -> list[_Work]:
    works = []
    # Asked before anything is published: a decision that ends in between is noticed by the next gate.
    decided = covering.decided(conn, build.element)
    changed: str | None = None
    for dataset in setup.of_element(build.element):
        if wanted and dataset.dataset not in wanted:
            continue
        cleared = _cleared(conn, build, dataset.dataset)
        if not cleared:
            continue
        try:
            suite = suite_of(setup.expectations, dataset.element, dataset.dataset)
        except SuiteError as error:
            result.refused += [Refused(dataset.dataset, c.period_start, str(error)) for c in cleared]
            continue
        changed = changed or standards.fault(conn, build, setup)
        standing = _still_standing(conn, dataset, suite, cleared, setup.zone, changed, result)
        standing = [
            replace(period, decided=decided.get((dataset.dataset, period.period_start)))
            for period in standing
        ]
        if standing:
            works.append(_Work(dataset, suite, standing))
    return works


def _cleared(conn: psycopg.Connection[Any], build: Build, dataset: str) -> list[_Cleared]:
    """Waiting periods whose newest verdict is of exactly this build, and positive."""
    rows = conn.execute(
        """
        select s.period_start, v.verdict, v.period_state, v.checksum, v.suite_hash,
               (v.figures ->> 'held_rows')::float,
               array(select (f ->> 'waiver_id')::bigint from jsonb_array_elements(v.failed) f where f ? 'waiver_id')
        from governance.dataset_state s
        cross join lateral (
            select * from governance.verdict v
            where v.dataset = s.dataset and v.period_start = s.period_start and v.build_id = %(build)s
            order by v.verdict_id desc limit 1
        ) v
        where s.element = %(element)s and s.state = 'waiting' and s.dataset = %(dataset)s
          and s.judged_build = %(build)s and v.verdict <> 'blocked'
        order by s.period_start
        """,
        {"element": build.element, "dataset": dataset, "build": build.build_id},
    ).fetchall()
    return [_Cleared(*row) for row in rows]


def _still_standing(
    conn: psycopg.Connection[Any],
    dataset: Dataset,
    suite: DatasetSuite,
    cleared: Sequence[_Cleared],
    zone: str,
    changed: str | None,
    result: ReleaseResult,
) -> list[_Cleared]:
    """Those whose candidate, suite, standards and waivers are still what the gate saw; the others are refused.

    `changed` says what became of the standards since, if anything did.
    """
    columns = column_names(conn, dataset.relation)
    now: Mapping[datetime, str] = {}
    if columns:
        statement = period_checksum_sql(
            dataset.relation, columns, dataset.period_column, dataset.grain, zone, periods=_PERIODS
        )
        found = conn.execute(statement.encode(), {"periods": [c.period_start for c in cleared]}).fetchall()
        now = {period: checksum for period, _, checksum in found}
    waived = {waiver.waiver_id for waiver in valid_waivers(conn, dataset.dataset)}
    standing = []
    for period in cleared:
        if changed is not None:
            reason = changed
        elif now.get(period.period_start) != period.checksum:
            mend = f"Mend: eco build {dataset.element}, then eco gate"
            reason = f"{dataset.relation} changed after the verdict. {mend}"
        elif period.suite_hash != suite.hash:
            reason = f"expectations/{dataset.element}.yml changed after the verdict. Mend: eco gate"
        elif ended := sorted(set(period.waivers) - waived):
            mend = "Mend: correct and rebuild, or decide again with eco gate waive; then eco gate"
            reason = f"waiver {', '.join(map(str, ended))} ended after the verdict. {mend}"
        else:
            standing.append(period)
            continue
        result.refused.append(Refused(dataset.dataset, period.period_start, reason))
    return standing


def _release(
    conn: psycopg.Connection[Any],
    build: Build,
    setup: Setup,
    works: Sequence[_Work],
    withdrawn: Sequence[Dataset],
    step_id: int,
    result: ReleaseResult,
) -> None:
    columns = {work.dataset.dataset: relations.ensure(conn, work.dataset) for work in works}
    if works or withdrawn:
        with conn.transaction() as savepoint:
            release_id = _insert_release(conn, build, works, step_id)
            for work in works:
                _publish(conn, work, columns[work.dataset.dataset], release_id, setup.zone)
                _count(work, result)
            if not any(work.changes for work in works) and not withdrawn:
                raise psycopg.Rollback(savepoint)
            _insert_periods(conn, works, release_id)
            for dataset in withdrawn:
                result.withdrawn[dataset.dataset] = withdrawing.apply(conn, dataset, release_id, setup.zone)
            result.release_id, result.outcome = release_id, "done"
    for work in works:
        result.periods += len(work.cleared)
        _settle(conn, build, work)
    _refuse(conn, result)
    if result.refused:
        result.outcome = "blocked"


def _count(work: _Work, result: ReleaseResult) -> None:
    name = work.dataset.dataset
    result.inserted[name] = sum(inserted for inserted, _ in work.changes.values())
    result.closed[name] = sum(closed for _, closed in work.changes.values())


def _insert_release(conn: psycopg.Connection[Any], build: Build, works: Sequence[_Work], step_id: int) -> int:
    """The manifest: which batches came in since the element's last release, by which code, judged how.

    `known_at` never goes back: a release contains what those before it knew, and what people have decided.
    """
    previous = conn.execute(
        "select build_id, known_at from governance.release where element = %s"
        " order by release_id desc limit 1",
        [build.element],
    ).fetchone()
    last_build, last_known = previous or (0, None)
    batches = conn.execute(
        "select bb.batch_id, l.sha256 from governance.build b join governance.build_batch bb using (build_id)"
        " join landing.batch l using (batch_id)"
        " where b.element = %s and b.build_id > %s and b.build_id <= %s order by bb.batch_id",
        [build.element, last_build, build.build_id],
    ).fetchall()
    inputs = {
        "batches": [[batch_id, sha256] for batch_id, sha256 in batches],
        "build_code_version": build.code_version,
        "dbt_invocation": build.dbt_invocation,
        "verdicts": {work.dataset.dataset: _verdict_counts(work) for work in works},
        "suites": {work.dataset.dataset: work.suite.hash for work in works},
    }
    decided = conn.execute(
        "select max(at) from decision.event where element = %s and at <= statement_timestamp()",
        [build.element],
    ).fetchone()
    moments = (build.known_at, last_known, decided[0] if decided else None)
    known = max((moment for moment in moments if moment is not None), default=None)
    row = conn.execute(
        "insert into governance.release (element, build_id, step_id, known_at, code_version, inputs)"
        " values (%s, %s, %s, %s, %s, %s::jsonb) returning release_id",
        [build.element, build.build_id, step_id, known, ledger.code_version(), json.dumps(inputs)],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _verdict_counts(work: _Work) -> dict[str, int]:
    counts: dict[str, int] = {}
    for period in work.cleared:
        counts[period.verdict] = counts.get(period.verdict, 0) + 1
    return counts


def _publish(
    conn: psycopg.Connection[Any], work: _Work, columns: Sequence[str], release_id: int, zone: str
) -> None:
    """Close what changed or vanished, insert what changed or is new; rows held back stay as they stand."""
    parameters = {"periods": [c.period_start for c in work.cleared], "release": release_id}
    decided = any(period.decided for period in work.cleared)
    statements = _statements(work.dataset, work.suite, columns, zone, decided=decided)
    for position, statement in enumerate(statements):
        for period, rows in conn.execute(statement.encode(), parameters).fetchall():
            inserted, closed = work.changes.get(period, (0, 0))
            work.changes[period] = (inserted + rows, closed) if position else (inserted, closed + rows)
    if sum(inserted for inserted, _ in work.changes.values()) >= _ANALYZE_FROM:
        conn.execute(f"analyze {relations.published_name(work.dataset)}".encode())


def _statements(
    dataset: Dataset, suite: DatasetSuite, columns: Sequence[str], zone: str, *, decided: bool
) -> tuple[str, str]:
    """Two statements, each answering (period, rows): close, then insert. `decided`: some period is."""
    history, column = relations.published_name(dataset), identifier(dataset.period_column)
    period = period_expression(f"p.{column}", dataset.grain, zone)
    value = period_value("a.period_start", dataset.grain, zone)
    key = " and ".join(f"c.{identifier(name)} = p.{identifier(name)}" for name in dataset.key)
    names = ", ".join(identifier(name) for name in columns)
    same = f"row({_of('c', columns)}) is not distinct from row({_of('p', columns)})"
    asked = (
        f"with asked as materialized ({_PERIODS}), candidate as materialized ("
        f"select {names}, {_held(dataset, suite, zone, decided)} as gate_held"
        f" from {relation_name(dataset.relation)} r where r.{column} in (select {value} from asked a)"
        f" and not {covering.covered(dataset, 'r', zone, kind='withdrawal') if decided else 'false'})"
    )
    close = (
        f"{asked}, closed as (update {history} p set release_to = %(release)s"
        f" where p.release_to is null and p.{column} in (select {value} from asked a)"
        f" and not exists (select from candidate c where {key} and (c.gate_held or {same}))"
        f" returning {period} as period_start)"
        " select period_start, count(*) from closed group by 1"
    )
    insert = (
        f"{asked}, inserted as (insert into {history} as p ({names}, release_from)"
        f" select {names}, %(release)s from candidate c where not c.gate_held and not exists ("
        f"select from {history} p where p.release_to is null and {key})"
        f" returning {period} as period_start)"
        " select period_start, count(*) from inserted group by 1"
    )
    return close, insert


def _held(dataset: Dataset, suite: DatasetSuite, zone: str, decided: bool) -> str:
    """SQL: the row stays unpublished, because the suite holds it back or somebody put it under an embargo."""
    held = "false"
    if suite.hold_rows:
        when = covering.explained(suite.hold_rows.when.replace("%", "%%"), dataset, "r", zone)
        held = f"coalesce(({when}), false)"
    return f"({held} or {covering.covered(dataset, 'r', zone, kind='embargo')})" if decided else held


def _of(alias: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{alias}.{identifier(name)}" for name in columns)


def _insert_periods(conn: psycopg.Connection[Any], works: Sequence[_Work], release_id: int) -> None:
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "copy governance.release_period (release_id, dataset, period_start, verdict, inserted, closed)"
            " from stdin"
        ) as copy,
    ):
        for work in works:
            for period in work.cleared:
                inserted, closed = work.changes.get(period.period_start, (0, 0))
                copy.write_row(
                    (release_id, work.dataset.dataset, period.period_start, period.verdict, inserted, closed)
                )


def _settle(conn: psycopg.Connection[Any], build: Build, work: _Work) -> None:
    """Closed periods are done; open ones are published as real-time data and judged again."""
    conn.execute(
        """
        update governance.dataset_state s
        set state = case n.period_state when 'open' then 'open' else 'released' end,
            released_build = %(build)s, released_checksum = n.content
        from unnest(%(periods)s::timestamptz[], %(states)s::text[], %(contents)s::text[])
            as n(period_start, period_state, content)
        where s.dataset = %(dataset)s and s.period_start = n.period_start
        """,
        {
            "build": build.build_id,
            "dataset": work.dataset.dataset,
            "periods": [c.period_start for c in work.cleared],
            "states": [c.period_state for c in work.cleared],
            "contents": [content_id(c.checksum, c.held_rows, work.suite, c.decided) for c in work.cleared],
        },
    )


def _refuse(conn: psycopg.Connection[Any], result: ReleaseResult) -> None:
    """A refused period is blocked until the next gate, and people are told."""
    for refused in result.refused:
        conn.execute(
            "update governance.dataset_state set state = 'blocked', refused = %s"
            " where dataset = %s and period_start = %s",
            [refused.reason, refused.dataset, refused.period_start],
        )
        conn.execute(
            "insert into governance.notice (kind, subject, message) values ('blocked', %s, %s)",
            [f"{refused.dataset} {refused.period_start.isoformat()}", refused.reason],
        )


def release_datasets(
    conn: psycopg.Connection[Any],
    datasets: Collection[str] = (),
    *,
    run_id: str | None = None,
    setup: Setup | None = None,
) -> list[ReleaseResult]:
    """Release these datasets, or all, from the newest build of each element that has one.

    Raises:
        GateError: an unknown dataset.
        RelationError, LockNotObtained: as `release`.
    """
    setup = setup or Setup.load()
    known = {dataset.dataset: dataset.element for dataset in setup.datasets}
    if unknown := sorted(set(datasets) - set(known)):
        raise GateError(f"unknown dataset {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    elements = sorted({known[name] for name in datasets or known})
    with acting_as(conn, ROLE):
        builds = [newest_build(conn, element) for element in elements]
    return [
        release(conn, build, run_id=run_id, datasets=datasets, setup=setup)
        for build in builds
        if build is not None
    ]


def withdraw(
    conn: psycopg.Connection[Any], element: str, *, setup: Setup | None = None
) -> ReleaseResult | None:
    """Make withdrawals of an element so at once, in a release of their own; None before its first build.

    The next release would: but what was retracted shall not be readable for as long as that takes.
    """
    setup = setup or Setup.load()
    with acting_as(conn, ROLE):
        build = newest_build(conn, element)
    return None if build is None else release(conn, build, setup=setup)
