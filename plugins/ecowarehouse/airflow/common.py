"""What all DAGs share. Fixed values only: a DAG must serialise the same at every parse."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

logger = logging.getLogger(__name__)

START: Final = datetime(2024, 1, 1, tzinfo=UTC)


def dag_defaults() -> dict[str, Any]:
    """A run that hangs ends and is seen; a DAG waits for a person (or the demo) to switch it on."""
    return {"dagrun_timeout": timedelta(hours=2), "is_paused_upon_creation": True}


def on_failure(context: dict[str, Any]) -> None:
    """One notice for a failed run, with what the ledger knows of it. Never raises."""
    from ecowarehouse import notices  # heavy parts only when something failed

    try:
        dag_id, run_id = context["dag"].dag_id, str(context.get("run_id"))
        notices.failure(dag_id, run_id, str(context.get("reason") or "failed"))
    except Exception:
        logger.exception("the notice of a failed run was not written")
