"""Whether the standards still are what a build was made by, and what people approved: asked by gate and release."""

from __future__ import annotations

from typing import Any

import psycopg

from ecowarehouse.gate.setup import Setup
from ecowarehouse.gate.store import Build


def fault(conn: psycopg.Connection[Any], build: Build, setup: Setup) -> str | None:
    """Why nothing of the build may be let through, with the mend; None if the standards stand. Cannot be waived."""
    try:
        with conn.transaction():
            changed, applied = setup.unapproved(conn), setup.applied(conn)
    except Exception as error:  # noqa: BLE001 - whatever a check raises blocks, and is told
        return f"approval of the standards could not be checked ({type(error).__name__}: {error})"
    if changed:
        mend = "Mend: eco standards diff, then approve or restore, and rebuild"
        return f"standards not approved: {', '.join(changed)}. {mend}"
    if build.standards_hash not in (None, applied):
        return f"the candidate was made by other standards than those applied now. Mend: eco build {build.element}"
    return None
