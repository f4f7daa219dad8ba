"""Does what the ledger says stand on disk and in the tables: bytes by hash, rows by number, no attempt left open."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from ecowarehouse.contracts import Contract

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Fault:
    """One thing that doesn't agree with the ledger, and the mend."""

    subject: str
    finding: str
    mend: str


def check(conn: psycopg.Connection[Any], store: Path, contracts: Sequence[Contract]) -> list[Fault]:
    """Every fault found; changes nothing. Reads all kept bytes once. `conn` may read landing and governance."""
    return [
        *_bytes(conn, store),
        *_strays(conn, store),
        *(fault for contract in contracts for fault in _rows(conn, contract)),
        *_open_attempts(conn),
        *_waiting(conn),
    ]


def _bytes(conn: psycopg.Connection[Any], store: Path) -> Iterator[Fault]:
    rows = conn.execute(
        "select distinct on (bytes_address) bytes_address, sha256, feed, batch_id from landing.batch"
        " where bytes_address is not null order by bytes_address, batch_id"
    ).fetchall()
    for address, sha256, feed, batch_id in rows:
        path = store / address
        subject = f"{feed}, batch {batch_id}, {address}"
        if not path.is_file():
            yield Fault(subject, "the received bytes are missing", "bring them back: eco restore")
        elif _sha256(path) != sha256:
            yield Fault(subject, "the received bytes are not those of the ledger's hash", "eco restore")


def _strays(conn: psycopg.Connection[Any], store: Path) -> Iterator[Fault]:
    known = {
        row[0]
        for row in conn.execute("select bytes_address from landing.batch where bytes_address is not null")
    }
    for path in sorted(store.rglob("*")) if store.is_dir() else []:
        address = str(path.relative_to(store))
        if path.is_file() and address not in known:
            yield Fault(
                address, "no attempt of the ledger speaks of this file",
                "left by a killed attempt: it may be removed while nothing is loading",
            )  # fmt: skip


def _rows(conn: psycopg.Connection[Any], contract: Contract) -> Iterator[Fault]:
    found = conn.execute(
        sql.SQL(
            """
            select batch.batch_id, batch.rows, count(landed.batch_id)
            from landing.batch as batch
            left join {} as landed on landed.batch_id = batch.batch_id
            where batch.feed = %s and batch.outcome in ('loaded', 'partial')
            group by batch.batch_id, batch.rows
            having batch.rows <> count(landed.batch_id)
            order by batch.batch_id
            """
        ).format(sql.Identifier("landing", contract.feed)),
        [contract.feed],
    )
    for batch_id, said, stand in found:
        finding = f"the ledger says {said} rows, {stand} stand in {contract.landing_relation}"
        yield Fault(f"{contract.feed}, batch {batch_id}", finding, "eco restore; the bytes are kept")


def _open_attempts(conn: psycopg.Connection[Any]) -> Iterator[Fault]:
    rows = conn.execute(
        "select kind, subject, attempt_id, started_at from governance.attempt where outcome = 'running' order by 4"
    ).fetchall()
    for kind, subject, attempt_id, started_at in rows:
        yield Fault(
            f"{kind} {subject}, attempt {attempt_id}", f"has been running since {started_at:%Y-%m-%d %H:%M:%S}",
            "if nothing works on it, the next run of the subject closes it as aborted",
        )  # fmt: skip


def _waiting(conn: psycopg.Connection[Any]) -> Iterator[Fault]:
    rows = conn.execute(
        "select feed, count(*) from landing.batch where core_step_id is null"
        " and outcome in ('loaded', 'partial', 'unchanged') group by feed order by feed"
    ).fetchall()
    for feed, number in rows:
        yield Fault(feed, f"{number} landed batches wait for core", f"eco build core {feed}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
