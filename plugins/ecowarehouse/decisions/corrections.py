"""A corrected value: a decision, then a small delivery through landing into the series of reviewed values.

What came in real time stays as it is and goes on coming; the reviewed series stands beside it and is taken first. So
the source may say its old value again: the correction holds until it is revoked. The end of one is a delivery too.

The decision is committed before its delivery. Whoever runs the feed next delivers what a killed process left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ecowarehouse import ledger
from ecowarehouse.core.recompute import Difference
from ecowarehouse.decisions import ownership
from ecowarehouse.decisions.problems import DecisionRefused
from ecowarehouse.decisions.record import Decision, channels_of, record
from ecowarehouse.landing import store
from ecowarehouse.landing.load import close_aborted
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings

if TYPE_CHECKING:
    from ecowarehouse.contracts import ObservationContract

REVOKED: Final = "revoked"
FORM: Final = "correction"


@dataclass(frozen=True, slots=True)
class Said:
    """One delivery to be made: what holds of one cell since a decision or its end. `source` names that row."""

    source: str
    decision_id: int
    at: datetime
    site_code: str
    channel: str
    period_start: datetime
    value: Decimal | None
    value_text: str | None
    mark: str | None


def companion(feed: str) -> str:
    """The feed under which corrections of a feed are landed."""
    return f"{feed}__reviewed"


def correct(
    conn: psycopg.Connection[Any],
    settings: Settings,
    contract: ObservationContract,
    *,
    site: str,
    channel: str,
    period: tuple[datetime, datetime],
    value: str,
    reason: str,
    by: str,
    document: str | None = None,
) -> int:
    """Record that another value holds for one cell, and deliver it into core; returns the decision's id.

    Raises:
        DecisionRefused: not the city's own feed, an unknown site or channel, no single period, or no number.
    """
    ownership.require_own(settings, contract)
    channels_of(conn, contract.feed, site, channel=channel, prop=None)
    averaging = contract.channels[channel].averaging
    if period[1] - period[0] != averaging:
        raise DecisionRefused(
            f"--at names a span of {period[1] - period[0]}, and a value of {channel} is of {averaging}"
            " (an hour is written 2019-07-18T08)"
        )
    number, text = _value(value, contract.channels[channel].kind)
    [written] = record(
        conn,
        Decision(
            kind="correction", element=contract.element, feed=contract.feed, site_code=site, channel=channel,
            period_from=period[0], period_to=period[1], value=number, value_text=text,
            reason=reason.strip(), decided_by=by.strip(), document=document,
        ),
    )  # fmt: skip
    take_up(conn, settings.bytes_store, contract.feed)
    return written


def take_up(conn: psycopg.Connection[Any], byte_store: Path, feed: str) -> int:
    """Deliver what decisions about a feed's values ask for and nobody has delivered; returns how many that were."""
    with acting_as(conn, "eco_landing"):
        waiting = _undelivered(conn, feed)
        conn.commit()
        if waiting:
            with ledger.lock(conn, "land", companion(feed)):
                close_aborted(conn, companion(feed))
                store.remove_leftovers(byte_store, companion(feed))
                for said in _undelivered(conn, feed):
                    _land(conn, byte_store, feed, said)
    if waiting or _waits_for_core(conn, feed):
        _into_core(conn, feed)
    return len(waiting)


def take_up_element(conn: psycopg.Connection[Any], byte_store: Path, element: str) -> int:
    """`take_up` for every feed of an element that has corrections."""
    with acting_as(conn, "eco_landing"):
        feeds = conn.execute(
            "select distinct feed from decision.decision where kind = 'correction' and element = %s order by 1",
            [element],
        ).fetchall()
        conn.commit()
    return sum(take_up(conn, byte_store, feed) for (feed,) in feeds)


def check(conn: psycopg.Connection[Any], feed: str) -> list[Difference]:
    """Compare the reviewed series of a feed's corrections with its landed corrections, and these with the decisions."""
    with acting_as(conn, "eco_core"):
        known = {"feed": feed, "companion": companion(feed)}
        versions = conn.execute(_sql("recompute.sql"), known).fetchone()
        undelivered = len(_undelivered(conn, feed))
        conn.rollback()
    assert versions is not None
    found = [
        Difference("core.observation (corrections)", *versions),
        Difference("landing.correction", undelivered, 0),
    ]
    return [difference for difference in found if difference.missing or difference.superfluous]


def _value(value: str, kind: str) -> tuple[Decimal | None, str | None]:
    if kind == "text":
        return None, value.strip()
    try:
        number = Decimal(value.strip())
    except InvalidOperation as error:
        raise DecisionRefused(f"--value {value!r} is no number") from error
    if not number.is_finite():
        raise DecisionRefused(f"--value {value!r} is no number")
    return number, None


def _undelivered(conn: psycopg.Connection[Any], feed: str) -> list[Said]:
    rows = conn.execute(_sql("undelivered.sql"), {"feed": feed, "companion": companion(feed)}).fetchall()
    return [Said(*row) for row in rows]


def _land(conn: psycopg.Connection[Any], byte_store: Path, feed: str, said: Said) -> None:
    """A ledger row, then the bytes by hash, then the row: as every delivery."""
    row = conn.execute(
        "insert into landing.batch (feed, source, code_version) values (%s, %s, %s) returning batch_id",
        [companion(feed), said.source, ledger.code_version()],
    ).fetchone()
    conn.commit()
    assert row is not None
    kept = store.keep(byte_store, _payload(feed, said), companion(feed))
    known = {
        "batch": row[0], "feed": feed, "form": FORM, "sha256": kept.sha256, "size": kept.size,
        "address": kept.address, "source": said.source, "decision": said.decision_id, "at": said.at,
        "site": said.site_code, "channel": said.channel, "period": said.period_start,
        "value": said.value, "text": said.value_text, "mark": said.mark,
    }  # fmt: skip
    conn.execute(
        "insert into landing.correction (batch_id, row_number, decision_id, feed, site_code, channel, period_start,"
        " value, value_text, mark) values (%(batch)s, 1, %(decision)s, %(feed)s, %(site)s, %(channel)s,"
        " %(period)s::text, %(value)s::text, %(text)s, %(mark)s)",
        known,
    )
    conn.execute(_sql("landed.sql"), known)
    conn.commit()


def _payload(feed: str, said: Said) -> bytes:
    content = {
        "source": said.source, "decision": said.decision_id, "said_at": said.at.isoformat(), "feed": feed,
        "site": said.site_code, "channel": said.channel, "period_start": said.period_start.isoformat(),
        "value": None if said.value is None else f"{said.value:f}", "text": said.value_text, "mark": said.mark,
    }  # fmt: skip
    return (json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def _waits_for_core(conn: psycopg.Connection[Any], feed: str) -> bool:
    with acting_as(conn, "eco_core"):
        row = conn.execute(
            "select exists (select from landing.batch where feed = %s and outcome = 'loaded' and core_step_id is null)",
            [companion(feed)],
        ).fetchone()
    return bool(row and row[0])


def _into_core(conn: psycopg.Connection[Any], feed: str) -> None:
    known: dict[str, Any] = {"feed": feed, "companion": companion(feed), "zone": Settings.load().timezone}
    with acting_as(conn, "eco_core"), ledger.step(conn, "core", companion(feed)) as attempt:
        known["step"] = attempt.step_id
        conn.execute(_sql("series.sql"), known)
        conn.execute(_sql("partitions.sql"), known)
        written = conn.execute(_sql("versions.sql"), known).rowcount
        conn.execute(_sql("changes.sql"), known)
        conn.execute(
            "update landing.batch set core_step_id = %(step)s"
            " where feed = %(companion)s and core_step_id is null and outcome = 'loaded'",
            known,
        )
        attempt.figures = {"versions": written}


def _sql(name: str) -> bytes:
    return files(__package__).joinpath("sql", name).read_bytes()
