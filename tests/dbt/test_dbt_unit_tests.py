"""dbt's own unit tests: each rule beside its model, with numbers."""

from __future__ import annotations

from typing import Any

import psycopg

from ecowarehouse import marts
from ecowarehouse.marts import dbt
from tests.dbt.test_air_hour import GOOD
from tests.dbt.world import World, hour


def test_every_dbt_unit_test_passes(warehouse: psycopg.Connection[Any]) -> None:
    World(warehouse).told("U1", "贵港市", {hour("2024-03-01 00"): GOOD})
    marts.build(warehouse, "air")  # dbt reads the types of its inputs from the tables
    results = dbt.run(["test", "--select", "test_type:unit"])
    assert [result.model for result in results if result.status != "pass"] == []
    assert len(results) >= 2
