"""One build of one element: claim what changed, let dbt rebuild that scope, write down what came of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg

from ecowarehouse.checksum import identifier, literal, period_checksum_sql, relation_name
from ecowarehouse.datasets import Dataset, Text, has_dataset, load_datasets
from ecowarehouse.ledger import Attempt, code_version, step
from ecowarehouse.marts import dbt
from ecowarehouse.marts.dbt import ROLE, ModelRun
from ecowarehouse.marts.guard import guard
from ecowarehouse.postgres.catalog import column_names
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings

logger = logging.getLogger(__name__)

_PENDING = "select array_agg(change_id) from core.change where element = %s and (built_in is null or %s)"

_SCOPE = """
    insert into governance.build_scope (build_id, element, site_code, period_from, period_to)
    select %(build)s, %(element)s, merged.site_code, lower(ranges.period), upper(ranges.period)
    from (
        select site_code, range_agg(tstzrange(period_from, period_to)) as periods
        from core.change where change_id = any(%(changes)s) and period_from < period_to
        group by site_code
    ) as merged
    cross join lateral unnest(merged.periods) as ranges (period)
"""

_BATCHES = """
    insert into governance.build_batch (build_id, batch_id)
    select distinct %(build)s, batch_id from core.change
    where change_id = any(%(changes)s) and batch_id is not null
"""

_KNOWN_AT = """
    select max(batch.known_at) from landing.batch as batch
    where batch.core_step_id is not null
        and batch.feed in (select feed from core.channel where element = %(element)s
                           union select feed from core.change where change_id = any(%(changes)s))
"""

# The periods of a grain that the scope touches, by the city's clock.
_PERIODS = """
    select distinct g.period_start
    from (
        select unnest(range_agg(tstzrange(period_from, period_to))) as touched
        from governance.build_scope where build_id = {build}
    ) as merged
    cross join lateral generate_series(
        date_trunc({grain}, lower(merged.touched), {zone}), upper(merged.touched) - interval '1 microsecond',
        interval '1 {unit}', {zone}
    ) as g (period_start)
"""

# Hours are the moments that the candidate or the earlier release has, not those that a clock could have: years ago, the
# hours of a city did not begin where those of its sources did, and a scope of a century has few of them.
_HOURS = """
    select distinct held.period_start
    from (
        select unnest(range_agg(tstzrange(period_from, period_to))) as touched
        from governance.build_scope where build_id = {build}
    ) as merged
    cross join lateral (
        select candidate.{column} as period_start from {relation} as candidate
        where candidate.{column} > lower(merged.touched) - interval '1 hour'
            and candidate.{column} < upper(merged.touched)
        union all
        select state.period_start from governance.dataset_state as state
        where state.dataset = {dataset}
            and state.period_start > lower(merged.touched) - interval '1 hour'
            and state.period_start < upper(merged.touched)
    ) as held
"""

# A touched period without rows counts only if there is something that it takes away.
_CANDIDATES = """
    insert into governance.candidate_period (build_id, dataset, period_start, rows, checksum)
    select {build}, {dataset}, found.period_start, found.rows, found.checksum
    from ({checksums}) as found
    where found.rows > 0 or exists (
        select from governance.dataset_state as state
        where state.dataset = {dataset} and state.period_start = found.period_start
    )
"""


_NO_DATASET = Text(
    zh="尚无数据集：数值保留在 core，未构建任何内容；有了数据集之后的第一次构建会全部纳入",
    en="no dataset yet: its values stand in core, nothing was built; the first build with a dataset takes up all",
)


class BuildFailed(RuntimeError):
    """A model or a test failed: there is no build, and what had changed waits for the next one."""


@dataclass(frozen=True)
class BuildResult:
    """What became of one attempt to build; `build_id` is None when nothing had changed or there is no dataset."""

    element: str
    build_id: int | None
    outcome: Literal["built", "nothing_to_do", "no_dataset"]
    models: list[ModelRun] = field(default_factory=list)

    @classmethod
    def nothing(cls, element: str) -> BuildResult:
        """No change waited."""
        return cls(element, None, "nothing_to_do")

    @property
    def told(self) -> Text | None:
        """What people have to know of an attempt that built nothing though values may wait."""
        return _NO_DATASET if self.outcome == "no_dataset" else None


def build(
    conn: psycopg.Connection[Any],
    element: str,
    *,
    run_id: str | None = None,
    full: bool = False,
    settings: Settings | None = None,
) -> BuildResult:
    """Build the candidates of one element from everything that changed since its last successful build.

    Args:
        conn: a connection that may act as `eco_dbt`, outside a transaction of the caller's.
        element: such as `air`.
        run_id: the orchestrator's name of this run.
        full: everything that ever changed, as after new columns. After a change of standards that is done unasked.

    Raises:
        BuildFailed: dbt failed; its message names the model.
        LockNotObtained: another build, gate or release of the element took too long.
    """
    settings = settings or Settings.load()
    if not has_dataset(settings, element):
        return _without_dataset(conn, element, run_id)
    guard(conn, element, settings)
    with acting_as(conn, ROLE), step(conn, "build", element, run_id=run_id) as attempt:
        _close_dead_builds(conn, element)
        changes = _value(conn, _PENDING, [element, full or standards_changed(conn, element)])
        if not changes:
            attempt.outcome = "nothing_to_do"
            return BuildResult.nothing(element)
        build_id = _open(conn, attempt, element, changes)
        try:
            models = dbt.run(_command(element), build_id=build_id, settings=settings)
            _record(conn, build_id, models)
            periods = _candidates(conn, build_id, element, settings)
        except BaseException as error:
            _close_failed(conn, build_id, error)
            if isinstance(error, dbt.DbtFailed):
                raise BuildFailed(f"build {build_id} of {element}: {error}") from error
            raise
        _close_built(conn, build_id, element, changes)
        attempt.figures = {
            "build_id": build_id, "changes": len(changes), "periods": periods,
            "rows": sum(model.rows or 0 for model in models if model.kind == "model"),
        }  # fmt: skip
        return BuildResult(element, build_id, "built", models)


def _without_dataset(conn: psycopg.Connection[Any], element: str, run_id: str | None) -> BuildResult:
    """Nothing is built, and what changed waits for the element's first dataset."""
    with acting_as(conn, ROLE), step(conn, "build", element, run_id=run_id) as attempt:
        changes = _value(conn, _PENDING, [element, False]) or []
        attempt.outcome, attempt.figures = "no_dataset", {"changes": len(changes)}
    return BuildResult(element, None, "no_dataset")


def standards_changed(conn: psycopg.Connection[Any], element: str) -> bool:
    """Whether the candidates as they stand were built by other standards than those applied now."""
    from ecowarehouse.standards import applied_hash

    built_by = _value(
        conn,
        "select standards_hash from governance.build where element = %s and outcome = 'built'"
        " order by build_id desc limit 1",
        [element],
    )
    return built_by is not None and built_by != applied_hash(conn)


def newest_build(conn: psycopg.Connection[Any], element: str) -> int | None:
    """The newest successful build of an element: the candidates as they stand."""
    found = _value(
        conn, "select max(build_id) from governance.build where element = %s and outcome = 'built'", [element]
    )
    return None if found is None else int(found)


def _command(element: str) -> list[str]:
    return ["build", "--select", f"path:models/marts/{element}", "--exclude-resource-type", "unit_test"]


def _open(conn: psycopg.Connection[Any], attempt: Attempt, element: str, changes: Sequence[int]) -> int:
    """The build's row and scope, committed, because dbt reads them in sessions of its own."""
    from ecowarehouse.standards import applied_hash

    known = {"element": element, "changes": changes}
    build_id = int(
        _value(
            conn,
            "insert into governance.build (element, step_id, code_version, standards_hash, known_at)"
            " values (%s, %s, %s, %s, %s) returning build_id",
            [element, attempt.step_id, code_version(), applied_hash(conn), _value(conn, _KNOWN_AT, known)],
        )
    )
    conn.execute("update governance.step set build_id = %s where step_id = %s", [build_id, attempt.step_id])
    conn.execute(_SCOPE, {**known, "build": build_id})
    conn.execute(_BATCHES, {**known, "build": build_id})
    conn.commit()
    conn.execute("analyze governance.build_scope")
    conn.commit()
    return build_id


def _record(conn: psycopg.Connection[Any], build_id: int, models: Sequence[ModelRun]) -> None:
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into governance.model_run (build_id, model, kind, status, rows, seconds, message)"
            " values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            [(build_id, m.model, m.kind, m.status, m.rows, m.seconds, m.message) for m in models],
        )
    for m in models:
        level = logging.ERROR if m.failed else logging.INFO
        logger.log(level, "%s %s: %s, %s rows, %.1f s", m.kind, m.model, m.status, m.rows, m.seconds)


def _candidates(conn: psycopg.Connection[Any], build_id: int, element: str, settings: Settings) -> int:
    written = 0
    for dataset in load_datasets(settings):
        if dataset.element == element:
            written += conn.execute(_candidates_sql(conn, build_id, dataset, settings.timezone)).rowcount
    return written


def _candidates_sql(conn: psycopg.Connection[Any], build_id: int, dataset: Dataset, zone: str) -> bytes:
    columns = column_names(conn, dataset.relation)
    periods = (_HOURS if dataset.grain == "hour" else _PERIODS).format(
        build=build_id, grain=literal(dataset.grain), unit=dataset.grain, zone=literal(zone),
        dataset=literal(dataset.dataset), relation=relation_name(dataset.relation),
        column=identifier(dataset.period_column),
    )  # fmt: skip
    checksums = period_checksum_sql(
        dataset.relation, columns, dataset.period_column, dataset.grain, zone, periods=periods
    )
    text = _CANDIDATES.format(build=build_id, dataset=literal(dataset.dataset), checksums=checksums)
    return text.encode()


def _close_built(conn: psycopg.Connection[Any], build_id: int, element: str, changes: Sequence[int]) -> None:
    conn.execute("update core.change set built_in = %s where change_id = any(%s)", [build_id, changes])
    conn.execute(
        "update governance.build set outcome = 'built', ended_at = clock_timestamp() where build_id = %s",
        [build_id],
    )
    logger.info("build %s of %s: %s changes taken up", build_id, element, len(changes))


def _close_failed(conn: psycopg.Connection[Any], build_id: int, error: BaseException) -> None:
    outcome = "failed" if isinstance(error, Exception) else "aborted"
    # A dead server can't be told; the next build closes the row.
    with suppress(psycopg.OperationalError):
        conn.rollback()
        if isinstance(error, dbt.DbtFailed):
            _record(conn, build_id, error.results)
        conn.execute(
            "update governance.build set outcome = %s, ended_at = clock_timestamp() where build_id = %s",
            [outcome, build_id],
        )
        conn.commit()


def _close_dead_builds(conn: psycopg.Connection[Any], element: str) -> None:
    """Builds whose process died: we hold the lock, so nobody works on them."""
    conn.execute(
        "update governance.build set outcome = 'aborted', ended_at = clock_timestamp()"
        " where element = %s and outcome = 'running'",
        [element],
    )
    conn.commit()


def _value(conn: psycopg.Connection[Any], query: Any, parameters: Any) -> Any:
    row = conn.execute(query, parameters).fetchone()
    return None if row is None else row[0]
