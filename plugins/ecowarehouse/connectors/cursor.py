"""What the ledger knows of the last delivery, so that the next request asks only for what is new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg

    from ecowarehouse.contracts import Contract


# Batches that are an answer of the feed's own system: a file by hand has no validators, so none of its content is what
# "not modified" speaks of.
ANSWERED: Final = "outcome in ('loaded', 'partial', 'unchanged') and source not like 'file:%%'"


@dataclass(frozen=True, slots=True)
class Validators:
    """What a conditional request sends."""

    etag: str | None = None
    last_modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """End of the newest period that came, and the validators of the last content."""

    period_to: datetime | None = None
    validators: Validators = Validators()


def cursor_of(conn: psycopg.Connection[Any], contract: Contract) -> Cursor:
    """The cursor of a feed from the ledger.

    Validators are those of the newest usable content.
    """
    newest = conn.execute(
        "select max(period_to) from landing.batch"
        " where feed = %s and outcome in ('loaded', 'partial', 'unchanged')",
        [contract.feed],
    ).fetchone()
    last = conn.execute(
        "select etag, case when known_at_from = 'header' then known_at end from landing.batch"
        f" where feed = %s and {ANSWERED}"
        " order by batch_id desc limit 1",
        [contract.feed],
    ).fetchone()
    validators = Validators(*last) if last else Validators()
    return Cursor(newest[0] if newest else None, validators)
