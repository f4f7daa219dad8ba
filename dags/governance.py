"""The airflow dag that watches for silent feeds."""

from __future__ import annotations

from ecowarehouse.airflow.governance import freshness_dag
from ecowarehouse.settings import Settings

dag = freshness_dag(owner="ecology_environment", timezone=Settings.load().timezone)
