"""What the ledger knows of the last delivery, so that the next request asks only for what is new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ecowarehouse.contracts.transport import Watched

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
    """End of the newest period that came, the validators of the last content, and the files that were received.

    `seen` says of each file, by its source and its mark of size and time, whether it could be used.
    """

    period_to: datetime | None = None
    validators: Validators = Validators()
    seen: Mapping[tuple[str, str], bool] = field(default_factory=dict)


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
    seen = _seen(conn, contract.feed) if isinstance(contract.connector, Watched) else {}
    return Cursor(newest[0] if newest else None, validators, seen)


def _seen(conn: psycopg.Connection[Any], feed: str) -> dict[tuple[str, str], bool]:
    # An upload is answered by its receipt, whatever became of it; other files are known by their mark as well.
    rows = conn.execute(
        "select source, coalesce(etag, ''), bool_or(outcome in ('loaded', 'partial', 'unchanged'))"
        " from landing.batch where feed = %s and outcome not in ('running', 'aborted')"
        " and reason is distinct from 'not_modified' and (etag is not null or source like 'upload:%%')"
        " group by 1, 2",
        [feed],
    ).fetchall()
    return {(source, mark): usable for source, mark, usable in rows}
