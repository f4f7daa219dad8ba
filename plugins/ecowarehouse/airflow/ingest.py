"""A feed's DAG: ask the source, land, take up into core, tell the element if something changed."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.python import BranchPythonOperator, PythonOperator
from airflow.sdk import DAG, AssetAlias, CronTriggerTimetable

from ecowarehouse.airflow import texts
from ecowarehouse.airflow.common import START, dag_defaults, on_failure
from ecowarehouse.airflow.names import broken_dag_id, changes_of, ingest_dag_id
from ecowarehouse.airflow.steps import fail_with, load_feed, tell_what_was_lost
from ecowarehouse.contracts import BrokenContract, Contract

RETRIES = 2
RETRY_DELAY = timedelta(minutes=1)


def ingest_dag(contract: Contract, *, timezone: str) -> DAG:
    """The DAG `ingest__<feed>`.

    `load` lands and takes up in one process. It emits the element's asset only when core changed, and fails
    when nothing usable came. When one delivery of several was lost, what was usable has been taken up and
    announced, and `lost` fails the run with the list.
    """
    minutes = ",".join(str(minute) for minute in sorted(contract.schedule.minutes))
    with DAG(
        dag_id=ingest_dag_id(contract.feed),
        schedule=CronTriggerTimetable(f"{minutes} * * * *", timezone=timezone),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args={"owner": contract.department},
        tags=["ingest", contract.element, contract.department],
        description=f"{contract.title.zh} · {contract.title.en}",
        doc_md=texts.ingest(contract, minutes),
        on_failure_callback=on_failure,
        **dag_defaults(),
    ) as dag:
        load = BranchPythonOperator(
            task_id="load",
            python_callable=load_feed,
            op_kwargs={"feed": contract.feed},
            outlets=[AssetAlias(changes_of(contract.feed))],
            retries=RETRIES,
            retry_delay=RETRY_DELAY,
        )
        lost = PythonOperator(task_id="lost", python_callable=tell_what_was_lost, retries=0)
        load >> lost
    return dag


def broken_dag(broken: BrokenContract, *, timezone: str) -> DAG:
    """The DAG of a file that is no valid contract: every hour it fails with what is to be mended."""
    with DAG(
        dag_id=broken_dag_id(broken.feed_guess),
        schedule=CronTriggerTimetable("0 * * * *", timezone=timezone),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        default_args={"owner": broken.path.parent.name},
        tags=["broken", "ingest"],
        description="合同文件有误 · The contract of this feed is broken",
        doc_md=texts.broken(broken),
        on_failure_callback=on_failure,
        **dag_defaults(),
    ) as dag:
        PythonOperator(
            task_id="contract_is_broken",
            python_callable=fail_with,
            op_kwargs={"message": broken.message},
            retries=0,
        )
    return dag
