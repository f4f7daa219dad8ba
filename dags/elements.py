"""One airflow dag an element: build, gate, release."""

from __future__ import annotations

from ecowarehouse.airflow.element import element_dag
from ecowarehouse.contracts import load_contracts
from ecowarehouse.duties import owner_of
from ecowarehouse.elements import elements_of
from ecowarehouse.settings import Settings

settings = Settings.load()
found = load_contracts(settings.city)
for element in elements_of(found, settings):
    feeds = tuple(contract.feed for contract in found.of_element(element))
    dag = element_dag(element, owner=owner_of(settings, element), feeds=feeds, timezone=settings.timezone)
    globals()[dag.dag_id] = dag
