"""Views that stand between builds: staging, editions of standards, and the marts as of any moment."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Any

import psycopg

from ecowarehouse.ledger import lock
from ecowarehouse.marts import dbt
from ecowarehouse.marts.dbt import ROLE
from ecowarehouse.postgres import connect
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings

logger = logging.getLogger(__name__)

_STANDING = ("models/standards", "models/as_of")
_MARK = "deployed "


def deploy(
    feeds: Sequence[str] = (),
    *,
    conn: psycopg.Connection[Any] | None = None,
    settings: Settings | None = None,
) -> bool:
    """Create or replace staging views of these feeds and all standing views, if their SQL has changed.

    What was deployed is written on the schema `as_of`, so a new database is never taken for an old one.
    Seeds must have been applied, and the landing tables of the feeds must exist. Returns whether dbt ran.

    Raises:
        DbtFailed: a view cannot be made.
    """
    settings = settings or Settings.load()
    if conn is None:
        with connect(ROLE, application="deploy views", settings=settings) as own:
            return deploy(feeds, conn=own, settings=settings)
    with acting_as(conn, ROLE), lock(conn, "standards", "views"):
        wanted = _MARK + _fingerprint(settings, feeds)
        row = conn.execute("select obj_description(to_regnamespace('as_of'), 'pg_namespace')").fetchone()
        conn.commit()
        if row is not None and row[0] == wanted:
            return False
        staging = [
            f"path:models/staging/{f}"
            for f in feeds
            if (settings.dbt_project / "models/staging" / f).is_dir()
        ]
        selection = [*staging, *(f"path:{folder}" for folder in _STANDING)]
        for done in dbt.run(["run", "--select", *selection], settings=settings):
            logger.info("view %s: %s", done.model, done.status)
        conn.execute(f"comment on schema as_of is '{wanted}'")  # a hexadecimal digest: nothing to quote
        conn.commit()
        return True


def forget(conn: psycopg.Connection[Any]) -> None:
    """Have the next deployment make all views again: something that they read was dropped."""
    conn.execute(
        "do $$ begin if to_regnamespace('as_of') is not null then"
        " comment on schema as_of is null; end if; end $$"
    )


def _fingerprint(settings: Settings, feeds: Sequence[str]) -> str:
    project = settings.dbt_project
    folders = ["macros", *_STANDING, *(f"models/staging/{feed}" for feed in sorted(feeds))]
    files = [project / "dbt_project.yml", project / "models/marts/_sources.yml"]
    files += sorted(path for folder in folders for path in (project / folder).rglob("*") if path.is_file())
    digest = hashlib.sha256(settings.timezone.encode())  # views cut days by it
    for path in files:
        digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
