"""One airflow dag an element: build, gate, release."""

from __future__ import annotations

from ecowarehouse.airflow.element import element_dag
from ecowarehouse.contracts import load_contracts
from ecowarehouse.duties import owner_of
from ecowarehouse.elements import elements_of, following_all
from ecowarehouse.settings import Settings

settings = Settings.load()
found = load_contracts(settings.city)
followers = following_all(settings)
for element in elements_of(found, settings):
    feeds = tuple(contract.feed for contract in found.of_element(element))
    follows = element in followers
    owner = settings.department if follows else owner_of(settings, element)
    dag = element_dag(element, owner=owner, feeds=feeds, timezone=settings.timezone, follows_all=follows)
    globals()[dag.dag_id] = dag
