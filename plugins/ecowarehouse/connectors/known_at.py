"""When the source said it: the first rule of the contract that applies."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ecowarehouse.connectors.delivery import Delivery
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.known_at import (
    FromColumn,
    FromContent,
    FromFileName,
    FromHeader,
    FromOption,
    KnownAtRule,
)
from ecowarehouse.formats import FormatProblem
from ecowarehouse.formats.json_items import parse, pointed
from ecowarehouse.formats.sniff import opened


def known_at(contract: Contract, delivery: Delivery, option: datetime | None = None) -> tuple[datetime, str]:
    """The moment, and the rule that gave it (`option`, `header`, `file_name`, `content`, `column`, `receipt`).

    A source whose clock runs behind is believed (a replay of 2019 says 2019); one that is further ahead of
    the receipt than the contract's `ahead` is not.

    Raises:
        FetchProblem: known_at_unreadable or known_at_implausible; damage of the payload is its reader's.
    """
    for rule in contract.known_at:
        moment = _apply(rule, delivery, option)
        if moment is None:
            continue
        ahead = moment - delivery.received_at
        if ahead > max(contract.ahead, timedelta(minutes=5)):
            raise FetchProblem(
                "known_at_implausible",
                f"{rule.source} says {moment.isoformat()}, {ahead} after the receipt: compare the clocks",
            )
        return moment.astimezone(UTC), rule.source
    raise FetchProblem(
        "known_at_unreadable", "no rule of known_at applies; end the list with `- {from: receipt}`"
    )


def _apply(rule: KnownAtRule, delivery: Delivery, option: datetime | None) -> datetime | None:
    if isinstance(rule, FromOption):
        if option is not None and option.tzinfo is None:
            raise FetchProblem(
                "known_at_unreadable", "--known-at needs an offset, such as 2019-07-18T12:00+08:00"
            )
        return option
    if isinstance(rule, FromHeader):
        return _from_header(rule, delivery)
    if isinstance(rule, FromFileName):
        return _from_file_name(rule, delivery)
    if isinstance(rule, FromContent):
        return _from_content(rule, delivery)
    if isinstance(rule, FromColumn):
        return _from_column(rule, delivery)
    return delivery.received_at


def _from_header(rule: FromHeader, delivery: Delivery) -> datetime | None:
    text = delivery.headers.get(rule.header.lower())
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError as error:
        raise FetchProblem(
            "known_at_unreadable", f"header {rule.header} is no HTTP date: {text[:60]!r}"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _from_file_name(rule: FromFileName, delivery: Delivery) -> datetime | None:
    match = re.search(rule.pattern, delivery.file_name)
    if match is None:
        return None
    stamp = "".join(group or "" for group in match.groups())
    try:
        moment = datetime.strptime(stamp, rule.format)  # noqa: DTZ007 (the zone is the contract's)
    except ValueError as error:
        raise FetchProblem(
            "known_at_unreadable", f"{stamp!r} of the file's name is no {rule.format}"
        ) from error
    return _placed(moment, rule.timezone)


def _from_column(rule: FromColumn, delivery: Delivery) -> datetime | None:
    if not delivery.part:
        return None
    try:
        moment = datetime.strptime(delivery.part, rule.format)  # noqa: DTZ007 (the zone is the contract's)
    except ValueError as error:
        raise FetchProblem(
            "known_at_unreadable",
            f"column {rule.column} says {delivery.part[:60]!r}, which is no {rule.format}",
        ) from error
    return _placed(moment, rule.timezone)


def _placed(moment: datetime, zone: str) -> datetime:
    if zone[0] in "+-":
        return datetime.fromisoformat(moment.isoformat() + zone)
    return moment.replace(tzinfo=ZoneInfo(zone))


def _from_content(rule: FromContent, delivery: Delivery) -> datetime | None:
    try:
        text = pointed(parse(_content(delivery.payload)), rule.pointer)
    except FormatProblem:
        return None  # the reader says it better
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise FetchProblem(
            "known_at_unreadable", f"{rule.pointer} is no ISO time: {str(text)[:60]!r}"
        ) from error
    if moment.tzinfo is None:
        raise FetchProblem("known_at_unreadable", f"{rule.pointer} has no offset: {text}")
    return moment


def _content(payload: bytes | Path) -> bytes:
    with opened(payload) as source:
        return source.read()
