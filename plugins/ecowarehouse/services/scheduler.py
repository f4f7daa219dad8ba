"""Airflow's scheduler, with what the steps need already in it.

The executor forks its workers from the scheduler and each task from a worker, so that what is loaded and worked out
here once is shared by all of them: a build starts without importing dbt and without its first look at the project, a
gate without importing Great Expectations, a DAG file without reading every contract. A fork whose own code was edited
since then reads it anew, so an edit counts at once.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from ecowarehouse.edits import stamp

_PACKAGE: Final = "ecowarehouse"
_LIBRARIES: Final = (
    "psycopg",
    "pyarrow",
    "lxml.etree",
    "httpx",
    "pandas",
    "dbt.cli.main",
    "dbt.adapters.postgres",
    "dbt.task.build",
    "dbt.task.compile",
    "great_expectations",
    "airflow.sdk.execution_time.task_runner",
    "airflow.providers.standard.operators.python",
)
_OWN: Final = (
    "airflow.ingest",
    "airflow.element",
    "airflow.governance",
    "pipeline",
    "gate",
    "release",
    "exports",
)

logger = logging.getLogger(__name__)


def preload() -> None:
    """Load and work out what steps need; what is missing or broken is left to the step, which says so better."""
    for name in (*_LIBRARIES, *(f"{_PACKAGE}.{name}" for name in _OWN)):
        _try(name, partial(importlib.import_module, name))
    _try("the contracts", _read_contracts)
    _try("dbt's project", _read_project)
    _try("the gate's judge", _open_judge)


def _try(what: str, load: Callable[[], object]) -> None:
    try:
        load()
    except Exception:
        logger.warning("%s was not loaded ahead", what, exc_info=True)


def _read_contracts() -> None:
    from ecowarehouse.datasets import load_datasets

    load_datasets()  # and with them the contracts


def _read_project() -> None:
    from ecowarehouse.marts import dbt

    dbt.run(["compile", "--select", "path:models/marts"])


def _open_judge() -> None:
    from ecowarehouse.gate import judge_frame

    judge_frame.open_judge()


def read_own_code_anew_when_it_changed() -> None:
    """From now on each fork compares the package with what was loaded; where a file differs it forgets all."""
    root = Path(__file__).resolve().parents[1]
    loaded = stamp(root, "*.py")

    def compare() -> None:
        if stamp(root, "*.py") != loaded:
            for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
                del sys.modules[name]

    os.register_at_fork(after_in_child=compare)


def main() -> None:
    """Become `airflow scheduler`."""
    preload()
    read_own_code_anew_when_it_changed()
    from airflow.__main__ import main as airflow

    sys.argv = ["airflow", "scheduler", *sys.argv[1:]]
    airflow()


if __name__ == "__main__":
    main()
