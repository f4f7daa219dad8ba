"""Acting in the role of one step within a session that outlives the step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql


@contextmanager
def acting_as(conn: psycopg.Connection[Any], role: str) -> Iterator[None]:
    """Do the body as `role`, then return to the role that the session had.

    SET ROLE is undone by a rollback, so both switches are committed by themselves.
    """
    conn.commit()
    before = conn.execute("select current_user").fetchone()
    conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    conn.commit()
    try:
        yield
    finally:
        with suppress(psycopg.OperationalError):
            conn.rollback()
            assert before is not None
            conn.execute(sql.SQL("set role {}").format(sql.Identifier(before[0])))
            conn.commit()
