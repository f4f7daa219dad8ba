"""Names of DAGs and assets, one place for factories, steps and whoever asks Airflow's API."""

from __future__ import annotations

import re

FRESHNESS_DAG = "governance__freshness"


def ingest_dag_id(feed: str) -> str:
    """The DAG of a feed."""
    return f"ingest__{feed}"


def broken_dag_id(guess: str) -> str:
    """The DAG of a broken contract: Airflow takes letters, digits and a few marks only."""
    return ingest_dag_id(re.sub(r"[^A-Za-z0-9_.-]+", "_", guess)[:100] or "unnamed")


def element_dag_id(element: str) -> str:
    """The DAG of an element."""
    return f"element__{element}"


def core_uri(element: str) -> str:
    """The asset "core of this element has something new"."""
    return f"eco://core/{element}"


def changes_of(feed: str) -> str:
    """The alias under which a feed's DAG emits the asset of its element, or nothing."""
    return f"changes-of-{feed}"
