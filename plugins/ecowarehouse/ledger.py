"""The ledger: one row an attempt, committed before the work; and the locks that keep two writers apart.

An attempt that was killed leaves its row at ``running``. Whoever gets the lock of the same subject next knows that the
owner is gone (the lock is the session's, and the session is dead) and closes the row as ``aborted``.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import psycopg

logger = logging.getLogger(__name__)

StepKind = Literal[
    "core", "build", "gate", "release", "standards", "recompute", "restore", "export", "decision"
]
Outcome = Literal["done", "nothing_to_do", "superseded", "blocked", "no_dataset"]

LOCK_WAIT: Final = "20min"
_LOCK_SPACE: Final[dict[str, str]] = {
    "land": "feed",
    "core": "feed",
    "build": "element",
    "gate": "element",
    "release": "element",
    "standards": "standards",
    "recompute": "recompute",
    "restore": "restore",
    "export": "export",
    "decision": "decision",
}


class LockNotObtained(RuntimeError):
    """Somebody else has worked on the same subject for longer than `LOCK_WAIT`."""


@dataclass
class Attempt:
    """One running step; its `figures` and `outcome` are written when the step ends."""

    step_id: int
    kind: StepKind
    subject: str
    figures: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = "done"


@cache
def code_version() -> str:
    """The package's version, with the commit when the package lies in a git checkout, or in an image that names it."""
    release = version("ecowarehouse")
    if built_from := os.environ.get("ECO_COMMIT"):
        return f"{release}+{built_from}"
    here = Path(__file__).parent
    with suppress(OSError, subprocess.SubprocessError):
        commit = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        ).stdout.strip()
        return f"{release}+{commit}"
    return release


@contextmanager
def lock(conn: psycopg.Connection[Any], kind: str, subject: str) -> Iterator[None]:
    """Hold the session lock of a subject; steps that share a lock space (build, gate, release) exclude each other.

    The lock is re-entrant within a session, so a cycle may hold it around its steps.
    Raises `LockNotObtained` naming the holder after `LOCK_WAIT`.
    """
    name = f"{_LOCK_SPACE[kind]}:{subject}"
    conn.commit()
    try:
        taken = conn.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
        if taken and not taken[0]:
            logger.info("waiting for %s, held by %s", name, _holder(conn, name))
            conn.execute(f"set local lock_timeout = '{LOCK_WAIT}'")
            conn.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [name])
    except psycopg.errors.LockNotAvailable as error:
        conn.rollback()
        raise LockNotObtained(
            f"{name} is held by {_holder(conn, name)}; end it or try again later"
        ) from error
    conn.commit()
    try:
        yield
    finally:
        with suppress(psycopg.OperationalError):
            conn.rollback()
            conn.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [name])
            conn.commit()


def _holder(conn: psycopg.Connection[Any], name: str) -> str:
    # As the login: a step's role may not see what other sessions of the login are called.
    with conn.transaction(force_rollback=True):
        conn.execute("set local role none")
        row = conn.execute(
            """
            select coalesce(a.application_name, 'another login') || ' (pid ' || l.pid
                || coalesce(', since ' || a.backend_start::timestamp(0), '') || ')'
            from pg_locks l left join pg_stat_activity a using (pid)
            where l.locktype = 'advisory' and l.granted
              and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(%s, 0)
            """,
            [name],
        ).fetchone()
    return str(row[0]) if row else "a session that has just ended"


@contextmanager
def step(
    conn: psycopg.Connection[Any],
    kind: StepKind,
    subject: str,
    *,
    build_id: int | None = None,
    run_id: str | None = None,
) -> Iterator[Attempt]:
    """Run one step under its lock with its ledger row.

    The row is committed before the body starts. The body's open transaction and the row's outcome are committed
    together; an exception rolls the body back, writes `failed` (`aborted` for an interrupt) and is raised again.
    """
    with lock(conn, kind, subject):
        close_aborted_steps(conn, kind, subject)
        row = conn.execute(
            "insert into governance.step (kind, subject, build_id, run_id, code_version)"
            " values (%s, %s, %s, %s, %s) returning step_id",
            [kind, subject, build_id, run_id, code_version()],
        ).fetchone()
        conn.commit()
        assert row is not None
        attempt = Attempt(int(row[0]), kind, subject)
        try:
            yield attempt
        except BaseException as error:
            _close_failed(conn, attempt, error)
            raise
        _close(conn, attempt, attempt.outcome, None)


def close_aborted_steps(conn: psycopg.Connection[Any], kind: str, subject: str) -> int:
    """Mark rows of dead attempts; the caller holds the lock, so every running row of the subject is dead."""
    kinds = [other for other, space in _LOCK_SPACE.items() if space == _LOCK_SPACE[kind]]
    closed = conn.execute(
        "update governance.step set outcome = 'aborted', ended_at = clock_timestamp(),"
        " error = 'the process or the server ended before the step did'"
        " where outcome = 'running' and subject = %s and kind = any(%s)",
        [subject, kinds],
    ).rowcount
    conn.commit()
    return closed


def _close(conn: psycopg.Connection[Any], attempt: Attempt, outcome: str, error: str | None) -> None:
    conn.execute(
        "update governance.step set outcome = %s, ended_at = clock_timestamp(), figures = %s::jsonb, error = %s"
        " where step_id = %s",
        [outcome, json.dumps(attempt.figures, default=str), error, attempt.step_id],
    )
    conn.commit()


def _close_failed(conn: psycopg.Connection[Any], attempt: Attempt, error: BaseException) -> None:
    outcome = "failed" if isinstance(error, Exception) else "aborted"
    # A dead server can't be told; the next holder of the lock closes the row.
    with suppress(psycopg.OperationalError):
        conn.rollback()
        _close(conn, attempt, outcome, f"{type(error).__name__}: {error}"[:4000])
