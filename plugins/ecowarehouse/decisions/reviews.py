"""A person looked at values: how far the review went, and whether they are valid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ecowarehouse.decisions.problems import DecisionRefused
from ecowarehouse.decisions.record import ROLE, Decision, channels_of, record
from ecowarehouse.postgres.session import acting_as

if TYPE_CHECKING:
    from ecowarehouse.contracts import ObservationContract

STAGES: Final = ("raw", "auto_checked", "first_review", "second_review", "final")
VALIDITIES: Final = ("valid", "invalid", "not_judged")


def review(
    conn: psycopg.Connection[Any],
    contract: ObservationContract,
    *,
    site: str,
    periods: tuple[datetime, datetime],
    stage: str,
    validity: str,
    reason: str,
    by: str,
    document: str | None = None,
    channel: str | None = None,
    prop: str | None = None,
) -> list[int]:
    """Record a review of a site's values in [from, to); of one channel, of a property's, or of all. Returns ids.

    `reason` of `invalid` begins with a word of `vocabulary.invalid_reason`; what follows a colon is for people.

    Raises:
        DecisionRefused: unknown site, channel, stage or validity, or a reason that is none.
    """
    _known("stage", stage, STAGES)
    _known("validity", validity, VALIDITIES)
    word = _word(conn, reason) if validity == "invalid" else None
    meant = channels_of(conn, contract.feed, site, channel=channel, prop=prop)
    named: list[str | None] = [*meant] if channel or prop else [None]
    return record(
        conn,
        *(
            Decision(
                kind="review", element=contract.element, feed=contract.feed, site_code=site, channel=name,
                period_from=periods[0], period_to=periods[1], review_stage=stage, validity=validity,
                invalid_reason=word, reason=reason.strip(), decided_by=by.strip(), document=document,
            )
            for name in named
        ),
    )  # fmt: skip


def _known(what: str, given: str, allowed: Sequence[str]) -> None:
    if given not in allowed:
        raise DecisionRefused(f"--{what} {given!r}: expected one of {', '.join(allowed)}")


def _word(conn: psycopg.Connection[Any], reason: str) -> str:
    with acting_as(conn, ROLE):
        found = conn.execute("select invalid_reason from vocabulary.invalid_reason order by 1").fetchall()
    words = [row[0] for row in found]
    word = reason.partition(":")[0].strip()
    if word not in words:
        raise DecisionRefused(
            f"--reason {word!r}: a value is invalid for one of {', '.join(words)} (vocabulary.invalid_reason);"
            " more may follow after a colon. An outlier or PM2.5 above PM10 is none: a datum is deleted for a reason"
        )
    return word
