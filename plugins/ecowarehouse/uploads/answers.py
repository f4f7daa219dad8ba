"""The answer to an upload, from the ledger: what became of it, and each row or cell that was not taken."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from ecowarehouse.uploads.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Refusal:
    """One received row, or one cell of it when a column is named; `row` counts from 1 without the header."""

    row: int | None
    column: str | None
    reason: str
    detail: str | None
    received: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """`outcome` is the ledger's word, or `waiting`; `rows` were loaded."""

    receipt: Receipt
    outcome: str
    reason: str | None
    error: str | None
    rows: int
    refusals: list[Refusal]

    @property
    def final(self) -> bool:
        """Whether nothing more will come."""
        return self.outcome not in ("waiting", "running", "aborted")

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"final": self.final}

    def as_csv(self) -> str:
        """A line for each refusal, with a header."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["row", "column", "reason", "detail", "received"])
        writer.writerows([r.row, r.column, r.reason, r.detail, r.received] for r in self.refusals)
        return text.getvalue()


def answer(conn: psycopg.Connection[Any], receipt: Receipt) -> Answer:
    """What the ledger says of a receipt now; the same bytes as before are answered as they were then."""
    row = conn.execute(
        "select batch_id, outcome, reason, error, rows, coalesce(content_batch_id, batch_id) from landing.batch"
        " where feed = %s and source = %s order by batch_id desc limit 1",
        [receipt.feed, receipt.source],
    ).fetchone()
    if row is None:
        return Answer(receipt, "waiting", None, None, 0, [])
    _, outcome, reason, error, rows, content = row
    found = conn.execute(
        "select row_number, column_name, reason, detail, received from landing.reject"
        " where batch_id = %s order by row_number nulls first, column_name nulls first",
        [content],
    ).fetchall()
    return Answer(receipt, outcome, reason, error, rows, [Refusal(*one) for one in found])
