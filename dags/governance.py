"""The airflow dag that watches for silent feeds."""

from __future__ import annotations

from ecowarehouse.airflow.governance import freshness_dag
from ecowarehouse.settings import Settings

settings = Settings.load()
dag = freshness_dag(owner=settings.department, timezone=settings.timezone)
