"""Notices for people: a row in `governance.notice`, a line in the log, and a webhook where one is set.

The webhook's address is a secret: `ECO_WEBHOOK_URL`, or the secret `webhook.url`. It gets one JSON document a
notice. Telling people never stops the work: a notice that can't be delivered is a line in the log.
"""

from __future__ import annotations

import logging
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from ecowarehouse.connectors.problems import OUR_FAULTS
from ecowarehouse.heard import Heard, heard
from ecowarehouse.settings import Settings

logger = logging.getLogger(__name__)

Kind = Literal["failure", "freshness", "answers_again", "blocked", "new_site"]
_ROLE: Final = "eco_gate"
_TRIES: Final = 3
_TIMEOUT: Final = 5.0

_TOLD: Final = """
select distinct on (subject) subject, kind, noticed_at from governance.notice
where subject = any(%s) and kind in ('freshness', 'answers_again') order by subject, notice_id desc
"""
# A flood is told by its first hundred; the rest follows at the next look.
_UNDELIVERED = """
select notice_id, kind, subject, message from governance.notice
where delivered_to = '{}' order by notice_id limit 100
"""
_ERRORS = """
select kind, subject, outcome, coalesce(error, '') from governance.attempt
where run_id = %s and outcome in ('failed', 'rejected', 'aborted', 'blocked') order by started_at
"""


def send(kind: Kind, subject: str, message: str, *, settings: Settings | None = None) -> list[str]:
    """Log, deliver and record one notice; where it was delivered to. Never raises."""
    logger.warning("notice (%s) %s: %s", kind, subject, message)
    delivered = []
    try:
        settings = settings or Settings.load()
        delivered = ["log", *_to_webhook(kind, subject, message, settings)]
        _record(kind, subject, message, delivered, settings)
    except Exception:
        logger.exception("the notice of %s was not recorded", subject)
    return delivered


def failure(dag_id: str, run_id: str, reason: str) -> list[str]:
    """The notice of a failed run, with the errors that the ledger has of it. Never raises."""
    lines = [f"run {run_id}: {reason}"]
    try:
        lines += _errors(f"{dag_id}/{run_id}")
    except Exception:
        logger.exception("the ledger could not be asked about %s %s", dag_id, run_id)
    return send("failure", dag_id, "\n".join(lines)[:4000])


def look_for_silence(settings: Settings | None = None, *, now: datetime | None = None) -> list[str]:
    """One notice for each feed whose last delivery is older than its contract allows; the feeds.

    A silence is told once, with whose it is: the source's, which was asked and gave nothing, or this platform's, which
    has not asked. So is its end. A feed that was never asked is not in service and gets none.
    """
    from ecowarehouse.contracts import load_contracts
    from ecowarehouse.postgres import connect

    settings = settings or Settings.load()
    contracts = load_contracts(settings.city).contracts
    moment = now or datetime.now(UTC)
    with connect(_ROLE, application="freshness", settings=settings) as conn:
        found = heard(conn, list(contracts))
        told = {feed: (kind, at) for feed, kind, at in conn.execute(_TOLD, [list(found)])}
    silent = []
    for feed, one in found.items():
        allowed = contracts[feed].freshness
        kind, told_at = told.get(feed, ("", one.since))
        if one.silent(moment, allowed):
            if not (kind == "freshness" and told_at > one.since):
                send("freshness", feed, _silence(one, moment, allowed), settings=settings)
                silent.append(feed)
        elif kind == "freshness":
            message = f"answers again since {one.since:%Y-%m-%d %H:%M:%S%z}; what is missing: eco status"
            send("answers_again", feed, message, settings=settings)
    return silent


def _silence(one: Heard, moment: datetime, allowed: timedelta) -> str:
    """Since when, how long, and whose it is."""
    text = f"no usable delivery since {one.since:%Y-%m-%d %H:%M:%S%z}, {moment - one.since} ago; allowed: {allowed}"
    if moment - one.last_asked > allowed or one.outcome in ("running", "aborted"):
        whose = f"this platform: last asked {one.last_asked:%Y-%m-%d %H:%M:%S%z} ({one.outcome})"
    elif one.reason in OUR_FAULTS:
        whose = f"this platform: the last attempt {one.outcome}, {one.reason}"
    else:
        whose = f"the source: it was asked at {one.last_asked:%H:%M:%S%z}, {one.outcome} ({one.reason})"
    return f"{text}. Whose silence: {whose}. See docs/how-to/when-a-source-fails.md"


def deliver_waiting(settings: Settings | None = None) -> int:
    """Deliver notices that a step wrote with its own rows and nobody has told yet; how many were. Never raises."""
    from ecowarehouse.postgres import connect

    try:
        settings = settings or Settings.load()
        with connect(_ROLE, application="notices", settings=settings) as conn:
            waiting = conn.execute(_UNDELIVERED).fetchall()
            for notice_id, kind, subject, message in waiting:
                logger.warning("notice (%s) %s: %s", kind, subject, message)
                delivered = ["log", *_to_webhook(kind, subject, message, settings)]
                conn.execute(
                    "update governance.notice set delivered_to = %s where notice_id = %s",
                    [delivered, notice_id],
                )
                conn.commit()
    except Exception:
        logger.exception("waiting notices were not delivered")
        return 0
    return len(waiting)


def _errors(run_name: str) -> list[str]:
    from ecowarehouse.postgres import connect

    with connect(_ROLE, application="notices") as conn:
        rows = conn.execute(_ERRORS, [run_name]).fetchall()
    return [f"{kind} of {subject}: {outcome} {error}".rstrip() for kind, subject, outcome, error in rows]


def _record(kind: Kind, subject: str, message: str, delivered: list[str], settings: Settings) -> None:
    from ecowarehouse.postgres import connect

    with connect(_ROLE, application="notices", settings=settings) as conn:
        conn.execute(
            "insert into governance.notice (kind, subject, message, delivered_to) values (%s, %s, %s, %s)",
            [kind, subject, message, delivered],
        )


def _to_webhook(kind: Kind, subject: str, message: str, settings: Settings) -> list[str]:
    import httpx

    url = _webhook(settings)
    if url is None:
        return []
    body = {"kind": kind, "subject": subject, "message": message, "at": datetime.now(UTC).isoformat()}
    problem = ""
    for attempt in range(_TRIES):
        try:
            answer = httpx.post(url, json=body, timeout=_TIMEOUT, follow_redirects=False)
            if answer.is_success:
                return ["webhook"]
            problem = f"HTTP {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            problem = type(error).__name__  # its text may hold the address, which is a secret
        if attempt + 1 < _TRIES:
            time.sleep(0.5 * 2**attempt)
    logger.warning("the webhook did not take the notice of %s: %s", subject, problem)
    return []


def _webhook(settings: Settings) -> str | None:
    from ecowarehouse import secrets

    given: Any = os.environ.get("ECO_WEBHOOK_URL")
    if given:
        return str(given)
    try:
        return secrets.resolve("webhook.url", settings)
    except secrets.SecretError:
        return None
