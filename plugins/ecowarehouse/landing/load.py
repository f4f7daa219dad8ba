"""From deliveries to landed batches: a ledger row before the first byte, bytes kept, rows checked and landed.

Every attempt ends with an outcome. `loaded` and `partial` have landed rows, `unchanged` is a new sighting of bytes that
are landed already, `rejected` is a content that can't be used (its bytes are kept), `failed` got no content at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pyarrow as pa
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from ecowarehouse.connectors import Delivery, known_at
from ecowarehouse.connectors.cursor import ANSWERED
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.contracts import EntityContract, ObservationContract
from ecowarehouse.formats import FormatProblem, Rejected
from ecowarehouse.formats.model import Places, visible
from ecowarehouse.landing import parts, shaping, store, table
from ecowarehouse.landing.check import Checked, check
from ecowarehouse.landing.check_entities import check as check_entities
from ecowarehouse.ledger import code_version, lock
from ecowarehouse.postgres.session import acting_as

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract

logger = logging.getLogger(__name__)

ABORTED: Final = "the process or the server ended before the attempt did"


@dataclass(frozen=True)
class BatchOutcome:
    """How one attempt ended, as its ledger row says."""

    batch_id: int
    feed: str
    source: str
    outcome: str
    reason: str | None = None
    error: str | None = None
    known_at: datetime | None = None
    rows: int = 0
    rejects: int = 0
    known_at_from: str | None = None

    @property
    def usable(self) -> bool:
        """Whether the attempt is a sighting that core takes up."""
        return self.outcome in ("loaded", "partial", "unchanged")


def load(
    conn: psycopg.Connection[Any],
    contract: Contract,
    deliveries: Iterable[Delivery],
    *,
    byte_store: Path,
    known_at_option: datetime | None = None,
    run_id: str | None = None,
    announced: str | None = None,
) -> list[BatchOutcome]:
    """Land every delivery, one ledger row each, under the lock of the feed.

    `announced` names the source of a first delivery that is sure to come: its row is open while the source is asked.

    A problem of a delivery is an outcome, never an exception; an exception means that this side is broken
    (no database, no disk) and leaves the row for the next holder of the lock to close as `aborted`.
    """
    with acting_as(conn, "eco_landing"), lock(conn, "land", contract.feed):
        close_aborted(conn, contract.feed)
        store.remove_leftovers(byte_store, contract.feed)
        table.ensure(conn, contract)
        conn.commit()
        batch_id = _open_row(conn, contract.feed, announced, run_id) if announced else None
        ended = []
        for delivery in deliveries:
            if batch_id is None:
                batch_id = _open_row(conn, contract.feed, delivery.source, run_id)
            else:
                _write(conn, batch_id, source=delivery.source)
                conn.commit()
            for part in parts.of(contract, delivery, known_at_option):
                batch_id = batch_id or _open_row(conn, contract.feed, delivery.source, run_id)
                ended.append(_attempt(conn, contract, part, byte_store, known_at_option, batch_id))
                batch_id = None
        return ended


def close_aborted(conn: psycopg.Connection[Any], feed: str) -> int:
    """Close the rows of dead attempts; the caller holds the feed's lock."""
    closed = conn.execute(
        "update landing.batch set outcome = 'aborted', ended_at = clock_timestamp(), error = %s"
        " where outcome = 'running' and feed = %s",
        [ABORTED, feed],
    ).rowcount
    conn.commit()
    return closed


def _attempt(
    conn: psycopg.Connection[Any],
    contract: Contract,
    delivery: Delivery,
    byte_store: Path,
    known_at_option: datetime | None,
    batch_id: int,
) -> BatchOutcome:
    try:
        _land(conn, contract, delivery, byte_store, known_at_option, batch_id)
    except (FetchProblem, FormatProblem) as problem:
        conn.rollback()
        outcome = "failed" if isinstance(problem, FetchProblem) else "rejected"
        _write(conn, batch_id, outcome=outcome, reason=problem.reason, error=problem.detail)
    except (UnicodeError, pa.ArrowException, psycopg.DataError) as error:
        # Text that a reader let through and nothing can hold, such as half a character in JSON: the content's fault.
        conn.rollback()
        _write(conn, batch_id, outcome="rejected", reason="not_text", error=visible(str(error)))
    conn.commit()
    ended = _outcome(conn, batch_id)
    level = logging.INFO if ended.usable else logging.WARNING
    logger.log(
        level,
        "%s: batch %d %s%s, %d rows, %d rejects from %s",
        contract.feed,
        batch_id,
        ended.outcome,
        f" ({ended.reason}: {ended.error})" if ended.reason else "",
        ended.rows,
        ended.rejects,
        ended.source,
    )
    return ended


def _open_row(conn: psycopg.Connection[Any], feed: str, source: str, run_id: str | None) -> int:
    row = conn.execute(
        "insert into landing.batch (feed, source, run_id, code_version) values (%s, %s, %s, %s) returning batch_id",
        [feed, source, run_id, code_version()],
    ).fetchone()
    conn.commit()
    assert row is not None
    return int(row[0])


def _land(
    conn: psycopg.Connection[Any],
    contract: Contract,
    delivery: Delivery,
    byte_store: Path,
    known_at_option: datetime | None,
    batch_id: int,
) -> None:
    if delivery.problem is not None:
        # What came instead of data (a page for people) is kept: it tells what is wrong at the source.
        if delivery.payload:
            _keep(conn, contract, delivery, byte_store, batch_id)
        raise delivery.problem
    if delivery.unchanged:
        _not_modified(conn, contract, batch_id)
        return
    kept = _keep(conn, contract, delivery, byte_store, batch_id)
    known, known_from = known_at(contract, delivery, known_at_option)
    _write(
        conn,
        batch_id,
        known_at=known,
        known_at_from=known_from,
        etag=delivery.etag,
        synthetic=delivery.synthetic,
    )
    conn.commit()
    first = _same_content(conn, contract, kept.sha256, delivery.part, known)
    if first is None:
        _land_content(conn, contract, delivery, byte_store / kept.address, known, batch_id)
    else:
        _see_again(conn, batch_id, first)


def _keep(
    conn: psycopg.Connection[Any], contract: Contract, delivery: Delivery, byte_store: Path, batch_id: int
) -> store.KeptBytes:
    kept = store.keep(byte_store, delivery.payload, contract.feed)
    _write(
        conn,
        batch_id,
        sha256=kept.sha256,
        bytes=kept.size,
        bytes_address=kept.address,
        part=delivery.part,
    )
    conn.commit()
    return kept


def _not_modified(conn: psycopg.Connection[Any], contract: Contract, batch_id: int) -> None:
    """The source answered that nothing changed: the same sighting as before, and no work for core."""
    found = conn.execute(
        f"""
        update landing.batch as this
        set outcome = 'unchanged', ended_at = clock_timestamp(), reason = 'not_modified', known_at = last.known_at,
            known_at_from = last.known_at_from, sha256 = last.sha256, content_batch_id = last.content_batch_id,
            period_from = last.period_from, period_to = last.period_to, etag = last.etag, rows = last.rows,
            part = last.part,
            synthetic = last.synthetic, core_step_id = 0
        from (select * from landing.batch
              where feed = %s and {ANSWERED}
              order by batch_id desc limit 1) as last
        where this.batch_id = %s
        """,
        [contract.feed, batch_id],
    ).rowcount
    if not found:
        raise FetchProblem(
            "not_modified", "the source says that nothing changed, but nothing was ever loaded from it"
        )


def _same_content(
    conn: psycopg.Connection[Any], contract: Contract, sha256: str, part: str, known: datetime
) -> int | None:
    """The first batch that landed of these bytes what this sighting would land, None when there is none.

    How far ahead a period may lie depends on known_at: so a sighting to which other rows are plausible than to the
    first one has a content of its own, or the order of arrival would decide which rows there are.
    """
    latest = known + contract.ahead
    row = conn.execute(
        """
        select batch_id from landing.batch as first
        where feed = %(feed)s and sha256 = %(sha256)s and part = %(part)s and outcome in ('loaded', 'partial')
            and (known_at = %(known)s or period_to is null or period_to <= %(latest)s)
            and (known_at >= %(known)s or not exists (
                select from landing.reject as cut
                where cut.batch_id = first.batch_id and cut.reason = 'period_implausible'
                    and cut.detail like 'ends more%%'))
        order by batch_id limit 1
        """,
        {"feed": contract.feed, "sha256": sha256, "part": part, "known": known, "latest": latest},
    ).fetchone()
    return int(row[0]) if row else None


def _see_again(conn: psycopg.Connection[Any], batch_id: int, first: int) -> None:
    """The same bytes with another known_at are a new sighting; with the same one they are nothing new for core."""
    conn.execute(
        """
        update landing.batch as this
        set outcome = 'unchanged', ended_at = clock_timestamp(), reason = 'same_bytes',
            content_batch_id = first.batch_id, period_from = first.period_from, period_to = first.period_to,
            rows = first.rows, form = first.form,
            core_step_id = (select max(core_step_id) from landing.batch as same
                            where same.feed = this.feed and same.sha256 = this.sha256 and same.part = this.part
                            and same.known_at = this.known_at and same.core_step_id is not null)
        from landing.batch as first
        where this.batch_id = %s and first.batch_id = %s
        """,
        [batch_id, first],
    )


def _land_content(
    conn: psycopg.Connection[Any],
    contract: Contract,
    delivery: Delivery,
    kept: Path,
    known: datetime,
    batch_id: int,
) -> None:
    form = delivery.form or contract.form_of(delivery.source, delivery.media)
    received = _read(contract, form, kept, delivery.part)
    rows = parts.only(contract, received.rows, delivery.part)
    checked = _checked(conn, contract, rows, known, lost=bool(received.rejects))
    rejects = [*received.rejects, *shaping.as_received(contract, checked.rejects, received.places)]
    _write_rejects(conn, batch_id, rejects)
    if len(checked.table) == 0 and (rejects or not contract.may_be_empty):
        _write(conn, batch_id, form=form, rejects=len(rejects))
        conn.commit()
        raise FormatProblem(
            "no_rows", f"none of {len(rejects)} received rows can be used: see landing.reject"
        )
    table.copy_rows(conn, contract, batch_id, checked.table)
    _write(
        conn,
        batch_id,
        outcome="partial" if checked.partial else "loaded",
        form=form,
        content_batch_id=batch_id,
        period_from=checked.period_from,
        period_to=checked.period_to,
        periods=TimestamptzMultirange(TimestamptzRange(*one) for one in checked.periods)
        if checked.periods
        else None,
        rows=len(checked.table),
        rejects=len(rejects),
        reason=checked.partial_reason or delivery.note,
    )


@dataclass(frozen=True, slots=True)
class _Received:
    """All of one content, as it would land."""

    rows: pa.Table
    rejects: list[Rejected]
    places: list[Places]


def _read(contract: Contract, form: str, kept: Path, part: str) -> _Received:
    try:
        found = list(shaping.read(contract, form, kept, part))
    except FormatProblem as problem:
        if problem.reason != "no_rows" or not contract.may_be_empty:
            raise
        found = []
    if not found and not contract.may_be_empty:
        raise FormatProblem("no_rows", "the content has a header and no rows")
    if left_out := sum(one.left_out for one in found):
        logger.info("%s: %d lines are no rows, as the contract says", contract.feed, left_out)
    return _Received(
        pa.concat_tables(one.table for one in found) if found else _no_rows(contract),
        [reject for one in found for reject in one.rejects],
        [one.places for one in found if one.places is not None],
    )


def _no_rows(contract: Contract) -> pa.Table:
    columns = [("row_number", pa.int64()), *((name, pa.string()) for name in contract.landed)]
    return pa.schema(columns).empty_table()


def _checked(
    conn: psycopg.Connection[Any], contract: Contract, rows: pa.Table, known: datetime, *, lost: bool
) -> Checked:
    if isinstance(contract, EntityContract):
        return check_entities(contract, rows, lost=lost)
    assert isinstance(contract, ObservationContract)
    return check(contract, rows, known_sites=_known_sites(conn, contract), known_at=known)


def _known_sites(conn: psycopg.Connection[Any], contract: ObservationContract) -> set[str] | None:
    if contract.sites == "discover":
        return None
    rows = conn.execute("select distinct site_code from core.site where element = %s", [contract.element])
    return {row[0] for row in rows}


def _write_rejects(conn: psycopg.Connection[Any], batch_id: int, rejects: list[Rejected]) -> None:
    statement = (
        "copy landing.reject (batch_id, row_number, column_name, reason, detail, received, site_code, channel,"
        " period_start) from stdin"
    )
    if not rejects:
        return
    with conn.cursor().copy(statement) as copy:
        for one in rejects:
            texts = (_storable(text) for text in (one.detail, one.received))
            place = (one.site, one.channel, one.period_start)
            copy.write_row((batch_id, one.row_number, one.column, one.reason, *texts, *place))


def _storable(text: str | None) -> str | None:
    """A text of PostgreSQL can't hold NUL; U+2400 is its picture."""
    return None if text is None else text.replace("\0", "\u2400")


def _write(conn: psycopg.Connection[Any], batch_id: int, **columns: Any) -> None:
    """Write columns of the ledger row; an outcome also ends it."""
    names = ", ".join(f"{name} = %({name})s" for name in columns)
    ended = ", ended_at = clock_timestamp()" if "outcome" in columns else ""
    conn.execute(
        f"update landing.batch set {names}{ended} where batch_id = %(batch_id)s",  # names are this module's own
        {**columns, "batch_id": batch_id},
    )


def _outcome(conn: psycopg.Connection[Any], batch_id: int) -> BatchOutcome:
    row = conn.execute(
        "select batch_id, feed, source, outcome, reason, error, known_at, rows, rejects, known_at_from"
        " from landing.batch where batch_id = %s",
        [batch_id],
    ).fetchone()
    conn.commit()
    assert row is not None
    return BatchOutcome(*row)
