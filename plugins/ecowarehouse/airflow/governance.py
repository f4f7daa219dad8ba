"""DAGs that look after the house itself."""

from __future__ import annotations

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, CronTriggerTimetable

from ecowarehouse.airflow import texts
from ecowarehouse.airflow.common import START, dag_defaults, on_failure
from ecowarehouse.airflow.names import FRESHNESS_DAG
from ecowarehouse.airflow.steps import look_for_silence


def freshness_dag(*, owner: str, timezone: str) -> DAG:
    """The DAG `governance__freshness`: which feeds have been silent for longer than their contracts allow."""
    with DAG(
        dag_id=FRESHNESS_DAG,
        schedule=CronTriggerTimetable("1,16,31,46 * * * *", timezone=timezone),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args={"owner": owner},
        tags=["governance"],
        description="数据源时效巡查 · Watches for feeds that fell silent",
        doc_md=texts.freshness(),
        on_failure_callback=on_failure,
        **dag_defaults(),
    ) as dag:
        PythonOperator(task_id="look_for_silence", python_callable=look_for_silence, retries=0)
    return dag
