"""One airflow dag a feed, made from its contract; a broken contract gets a dag that says what to mend."""

from __future__ import annotations

from ecowarehouse.airflow.ingest import broken_dag, ingest_dag
from ecowarehouse.contracts import load_contracts
from ecowarehouse.settings import Settings

settings = Settings.load()
found = load_contracts(settings.city)
dags = [ingest_dag(contract, timezone=settings.timezone) for contract in found.contracts.values()]
dags += [broken_dag(broken, timezone=settings.timezone) for broken in found.broken.values()]
globals().update({dag.dag_id: dag for dag in dags})
