"""`eco fsck` finds what disagrees with the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse.fsck import check
from ecowarehouse.landing import store


@pytest.fixture
def kept(fresh_database: Any, tmp_path: Path) -> Any:
    from ecowarehouse.postgres import connect

    with connect(application="test fsck", admin=True) as conn:
        bytes_kept = store.keep(tmp_path, b"received", "a_feed")
        conn.execute(
            "insert into landing.batch (feed, source, sha256, bytes_address, outcome, ended_at)"
            " values ('a_feed', 'here', %s, %s, 'rejected', now())",
            [bytes_kept.sha256, bytes_kept.address],
        )
        yield conn, tmp_path, tmp_path / bytes_kept.address


def findings(conn: psycopg.Connection[Any], folder: Path) -> list[str]:
    return [fault.finding for fault in check(conn, folder, [])]


def test_agreement_is_no_fault(kept: Any) -> None:
    conn, folder, _ = kept
    assert findings(conn, folder) == []


def test_changed_bytes_are_found(kept: Any) -> None:
    conn, folder, path = kept
    path.chmod(0o600)
    path.write_bytes(b"something else")
    assert findings(conn, folder) == ["the received bytes are not those of the ledger's hash"]


def test_missing_bytes_are_found(kept: Any) -> None:
    conn, folder, path = kept
    path.unlink()
    assert findings(conn, folder) == ["the received bytes are missing"]


def test_a_file_of_a_killed_attempt_is_found(kept: Any) -> None:
    conn, folder, _ = kept
    (folder / ".incoming-x").write_bytes(b"half")
    assert findings(conn, folder) == ["no attempt of the ledger speaks of this file"]


def test_an_attempt_left_open_is_found(kept: Any) -> None:
    conn, folder, _ = kept
    conn.execute("insert into landing.batch (feed, source) values ('a_feed', 'here')")
    assert len(findings(conn, folder)) == 1
