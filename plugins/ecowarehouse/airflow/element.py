"""An element's DAG: is there work → build → gate → release → files, one task a step, each in process."""

from __future__ import annotations

import zlib

from airflow.providers.standard.operators.python import (
    BranchPythonOperator,
    PythonOperator,
    ShortCircuitOperator,
)
from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, CronTriggerTimetable

from ecowarehouse.airflow import steps, texts
from ecowarehouse.airflow.common import START, dag_defaults, on_failure
from ecowarehouse.airflow.names import core_uri, element_dag_id


def element_dag(
    element: str, *, owner: str, feeds: tuple[str, ...], timezone: str, follows_all: bool = False
) -> DAG:
    """The DAG `element__<element>`: by asset when core changed, and by clock.

    One that follows all feeds goes by the clock alone: each delivery of each feed is work for it, and one run an hour
    takes up what all of them left.

    A blocked period holds back no other: `release` releases what the gate let through, `export` writes the files,
    and `report` fails the run with what was blocked for the first time.
    """
    minute = zlib.crc32(element.encode()) % 60  # elements spread over the hour, the same at every parse
    clock = CronTriggerTimetable(f"{minute} * * * *", timezone=timezone)
    asset = Asset(name=core_uri(element), uri=core_uri(element))
    with DAG(
        dag_id=element_dag_id(element),
        schedule=clock if follows_all else AssetOrTimeSchedule(timetable=clock, assets=[asset]),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args={"owner": owner, "retries": 0},
        tags=["element", element],
        description=f"{element}：构建、质量门、发布、导出 · build, gate, release, export",
        doc_md=texts.element(element, owner, feeds, minute, follows_all=follows_all),
        on_failure_callback=on_failure,
        **dag_defaults(),
    ) as dag:
        given = {"element": element}
        has_work = ShortCircuitOperator(task_id="has_work", python_callable=steps.has_work, op_kwargs=given)
        build = PythonOperator(task_id="build", python_callable=steps.build, op_kwargs=given)
        gate = PythonOperator(task_id="gate", python_callable=steps.gate, op_kwargs=given)
        release = BranchPythonOperator(task_id="release", python_callable=steps.release, op_kwargs=given)
        report = PythonOperator(task_id="report", python_callable=steps.report, op_kwargs=given)
        export = PythonOperator(task_id="export", python_callable=steps.export, op_kwargs=given)
        has_work >> build >> gate >> release >> [export, report]
    return dag
