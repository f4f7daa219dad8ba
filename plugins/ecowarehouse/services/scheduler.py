"""Airflow's scheduler, with the heavy libraries of the steps already in it.

The executor forks its workers from the scheduler and each task from a worker, so that what is imported here once is
shared by all of them: a build then starts without importing dbt, a gate without importing Great Expectations.
Only libraries: the house's own code is read anew by every task.
"""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Final

_HEAVY: Final = (
    "psycopg",
    "pyarrow",
    "lxml.etree",
    "httpx",
    "pandas",
    "dbt.cli.main",
    "dbt.adapters.postgres",
    "great_expectations",
)


def preload() -> list[str]:
    """Import what steps need; what is missing or broken is left to the step, which says so better."""
    loaded = []
    for name in _HEAVY:
        try:
            importlib.import_module(name)
            loaded.append(name)
        except Exception:
            logging.getLogger(__name__).warning("%s was not loaded ahead", name, exc_info=True)
    return loaded


def main() -> None:
    """Become `airflow scheduler`."""
    preload()
    from airflow.__main__ import main as airflow

    sys.argv = ["airflow", "scheduler", *sys.argv[1:]]
    airflow()


if __name__ == "__main__":
    main()
