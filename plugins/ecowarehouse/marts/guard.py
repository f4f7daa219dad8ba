"""Candidates and people who read everything: what is retracted is hidden in the candidate too while it is."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from ecowarehouse.checksum import relation_name
from ecowarehouse.datasets import Dataset, load_datasets
from ecowarehouse.decisions import covering
from ecowarehouse.ledger import lock
from ecowarehouse.marts.dbt import ROLE
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings

_POLICY: Final = "retracted"
_MACHINES: Final = "current_user in ('eco_dbt', 'eco_gate', 'eco_release')"
_AUDITOR: Final = "pg_has_role(current_user, 'eco_auditor', 'usage')"

_STATE = """
select c.relrowsecurity, exists (select from decision.retraction where dataset = %s)
from pg_class c where c.oid = to_regclass(%s)
"""


def guard(conn: psycopg.Connection[Any], element: str, settings: Settings) -> None:
    """Switch row security of an element's marts on where a retraction holds, and off where none does.

    Off, it costs nothing. The steps between core and release go on seeing whole candidates.
    """
    with acting_as(conn, ROLE), lock(conn, "build", element):
        for dataset in load_datasets(settings):
            if dataset.element == element:
                _guard(conn, dataset, settings.timezone)
        conn.commit()


def _guard(conn: psycopg.Connection[Any], dataset: Dataset, zone: str) -> None:
    relation = relation_name(dataset.relation)
    state = conn.execute(_STATE, [dataset.dataset, relation]).fetchone()
    if state is None or state[0] == state[1]:
        return
    if not state[1]:
        _run(conn, f"drop policy if exists {_POLICY} on {relation}")
        _run(conn, f"alter table {relation} disable row level security")
        return
    table = relation.rpartition(".")[2]
    visible = f"{_MACHINES} or {_AUDITOR} or not {covering.retracted(dataset, table, zone)}"
    _run(conn, f"create policy {_POLICY} on {relation} for select using ({visible})")
    _run(conn, f"alter table {relation} enable row level security")


def _run(conn: psycopg.Connection[Any], statement: str) -> None:
    conn.execute(statement.encode())
