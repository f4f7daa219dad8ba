"""What tasks run. Imports stand in the functions: a scheduler's parse needs none of them.

Each opens its own connection and calls what the command line calls. Return values go to XCom.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from ecowarehouse.airflow.names import changes_of, core_uri

logger = logging.getLogger(__name__)

LOST = "lost"


class SourceFailed(AirflowException):  # type: ignore[misc]  # Airflow is not followed, see pyproject
    """The source gave nothing; worth asking again."""


def load_feed(feed: str, *, dag_run: Any, ti: Any, outlet_events: Any, **_: Any) -> str | None:
    """Land one feed and take it up; emit the element's asset if core changed; the next task."""
    from ecowarehouse.contracts import load_contracts
    from ecowarehouse.pipeline import run_feed
    from ecowarehouse.postgres import connect
    from ecowarehouse.settings import Settings

    settings = Settings.load()
    contract = load_contracts(settings.city)[feed]
    with connect("eco_landing", application=f"load {feed}") as conn:
        try:
            run = run_feed(conn, settings, contract, run_id=_run_name(dag_run))
        except Exception as problem:
            # This side is broken, not the source: a retry would hide it for minutes.
            raise AirflowFailException(f"{type(problem).__name__}: {problem}") from problem
        logger.info("%s: %s", feed, run.core)
        if _is_announced(run.changed, dag_run):
            extra = _extra(conn, feed, [batch.batch_id for batch in run.batches])
            outlet_events[_alias(feed)].add(_asset(contract.element), extra=extra)
    return _after_load(run, ti)


def _is_announced(changed: bool, dag_run: Any) -> bool:
    if changed and _is_backfill(dag_run):
        logger.warning(
            "a backfill announces nothing; the next scheduled run of the element takes the changes up"
        )
    return changed and not _is_backfill(dag_run)


def _after_load(run: Any, ti: Any) -> str | None:
    """Green, `lost`, another try, or failed: by what became of the deliveries."""
    lost = [batch for batch in run.batches if not batch.usable]
    if not lost:
        return None
    lines = [f"batch {b.batch_id} {b.outcome} ({b.reason}: {b.error}) from {b.source}" for b in lost]
    if len(lost) < len(run.batches) or run.changed:
        ti.xcom_push(key="lost", value=lines)
        return LOST
    message = "; ".join(lines)
    if all(batch.outcome == "failed" for batch in lost):
        raise SourceFailed(message)
    raise AirflowFailException(message)


def tell_what_was_lost(*, ti: Any, **_: Any) -> None:
    """Fail the run that lost a delivery; what was usable has been taken up and announced."""
    raise AirflowFailException(
        "; ".join(ti.xcom_pull(task_ids="load", key="lost") or ["a delivery was lost"])
    )


def fail_with(message: str, **_: Any) -> None:
    """Fail with what is to be mended."""
    raise AirflowFailException(message)


def has_work(element: str, *, dag_run: Any, **_: Any) -> bool:
    """Whether there is anything to build, judge or release; a backfill never has."""
    from ecowarehouse.contracts import load_contracts
    from ecowarehouse.datasets import has_dataset
    from ecowarehouse.postgres import connect
    from ecowarehouse.settings import Settings
    from ecowarehouse.work import pending

    if _is_backfill(dag_run):
        logger.warning(
            "a backfill never publishes. To compare with a full recompute: eco recompute %s --check", element
        )
        return False
    if not has_dataset(Settings.load(), element):
        logger.info("%s: no dataset yet, its values stand in core · 尚无数据集，数值保留在 core", element)
        return False
    feeds = [contract.feed for contract in load_contracts(Settings.load().city).of_element(element)]
    with connect("eco_engineer", application=f"has_work {element}") as conn:
        reason = pending(conn, element, feeds)
    logger.info("%s: %s", element, reason or "nothing to do")
    return reason is not None


def build(element: str, *, dag_run: Any, **_: Any) -> int:
    """Build the candidates; the build to judge, which is an older one when nothing had to be built."""
    from ecowarehouse import marts
    from ecowarehouse.decisions import corrections
    from ecowarehouse.postgres import connect
    from ecowarehouse.settings import Settings

    with connect("eco_dbt", application=f"build {element}") as conn:
        corrections.take_up_element(conn, Settings.load().bytes_store, element)
        result = marts.build(conn, element, run_id=_run_name(dag_run))
        for model in result.models:
            logger.info("%s", model)
        build_id = result.build_id or marts.newest_build(conn, element)
    if build_id is None:
        raise AirflowSkipException(f"{element} has never been built, and there is nothing to build")
    logger.info("%s: %s, build %s", element, result.outcome, build_id)
    return int(build_id)


def gate(element: str, *, dag_run: Any, ti: Any, **_: Any) -> None:
    """Judge the build. Blocked periods don't end the run here: the others are to be released."""
    from ecowarehouse import gate as gates
    from ecowarehouse.postgres import connect

    with connect("eco_gate", application=f"gate {element}") as conn:
        result = gates.judge(conn, _build_id(ti), run_id=_run_name(dag_run))
    logger.info("%s: %s", element, result.summary())
    for period in result.blocked:
        logger.warning("blocked: %s %s: %s", period.dataset, period.period_start, period.reason)
    _skip_if_superseded(result)


def release(element: str, *, dag_run: Any, ti: Any, **_: Any) -> list[str]:
    """Release what the gate let through. `export` follows, and `report` if something was newly held back."""
    from ecowarehouse import release as releases
    from ecowarehouse.postgres import connect

    if _is_backfill(dag_run):
        raise AirflowSkipException("a backfill never publishes")
    build_id = _build_id(ti)
    with connect("eco_release", application=f"release {element}") as conn:
        result = releases.release(conn, build_id, run_id=_run_name(dag_run))
        logger.info("%s: %s", element, result.summary())
        _skip_if_superseded(result)
        with _reading(conn):
            lines = _newly_blocked(conn, build_id, _run_name(dag_run))
    lines += [f"refused: {r.dataset} {r.period_start}: {r.reason}" for r in result.refused]
    if not lines:
        return ["export"]
    ti.xcom_push(key="held_back", value=lines[:200])
    return ["export", "report"]


def export(element: str, *, dag_run: Any, **_: Any) -> None:
    """Bring the files up to what is released; without effect when they are."""
    from ecowarehouse import exports
    from ecowarehouse.postgres import connect
    from ecowarehouse.settings import Settings

    with connect("eco_release", application=f"export {element}") as conn:
        for result in exports.export_standing(conn, Settings.load(), [element], run_id=_run_name(dag_run)):
            logger.info("%s: %s", element, result.summary())


def report(element: str, *, ti: Any, **_: Any) -> None:
    """Fail the run with what was held back: everything else is released, but nobody shall overlook this."""
    lines = ti.xcom_pull(task_ids="release", key="held_back") or []
    raise AirflowFailException(
        f"{element}: {len(lines)} held back, the rest is released\n" + "\n".join(lines)
    )


def look_for_silence(**_: Any) -> list[str]:
    """Write a notice for each feed that has been silent for too long; the feeds."""
    from ecowarehouse import notices

    notices.deliver_waiting()
    return notices.look_for_silence()


def _newly_blocked(conn: Any, build_id: int, run_name: str) -> list[str]:
    """Blocked in this run, and not blocked by the judgement before."""
    rows = conn.execute(
        """
        select v.dataset, v.period_start, v.reason
        from governance.verdict v join governance.step s on s.step_id = v.step_id
        where v.build_id = %s and s.run_id = %s and v.verdict = 'blocked'
          and (select before.verdict from governance.verdict before
               where before.dataset = v.dataset and before.period_start = v.period_start
                 and before.step_id < v.step_id
               order by before.decided_at desc, before.step_id desc limit 1) is distinct from 'blocked'
        order by 1, 2
        """,
        [build_id, run_name],
    ).fetchall()
    return [f"blocked: {dataset} {period}: {reason}" for dataset, period, reason in rows]


def _reading(conn: Any) -> Any:
    from ecowarehouse.postgres.session import acting_as

    return acting_as(conn, "eco_engineer")


def _extra(conn: Any, feed: str, batches: list[int]) -> dict[str, Any]:
    """What the event carries: an asset-triggered run has no data interval."""
    with _reading(conn):
        row = conn.execute(
            "select min(period_from), max(period_to) from landing.batch where batch_id = any(%s)", [batches]
        ).fetchone()
    periods = [moment.isoformat() if moment else None for moment in row or ()]
    return {"feed": feed, "batches": batches, "periods": periods}


def _build_id(ti: Any) -> int:
    return int(ti.xcom_pull(task_ids="build"))


def _skip_if_superseded(result: Any) -> None:
    if result.outcome == "superseded":
        raise AirflowSkipException(
            f"build {result.build_id} was overtaken by a newer one, which has its own run"
        )


def _is_backfill(dag_run: Any) -> bool:
    return str(getattr(dag_run.run_type, "value", dag_run.run_type)) == "backfill"


def _run_name(dag_run: Any) -> str:
    """How the ledger names the run: Airflow's run ids are unique in a DAG only."""
    return f"{dag_run.dag_id}/{dag_run.run_id}"


def _alias(feed: str) -> Any:
    from airflow.sdk import AssetAlias

    return AssetAlias(changes_of(feed))


def _asset(element: str) -> Any:
    from airflow.sdk import Asset

    return Asset(name=core_uri(element), uri=core_uri(element))
