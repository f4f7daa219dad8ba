"""Files are cut by local calendar: hours and days by month, months and years by year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from ecowarehouse.checksum import Grain

CUT: Final[dict[str, str]] = {"hour": "month", "day": "month", "month": "year", "year": "year"}


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One file's worth of periods: those that start in [start, end), both local starts with offset.

    `name` is `2019-07` or `2019`; `release_id` the newest release that changed a row of it.
    """

    name: str
    start: datetime
    end: datetime
    release_id: int


def make(grain: Grain, first: datetime, release_id: int, zone: str) -> Part:
    """The part that begins at a local moment without offset, as `date_trunc` gives it."""
    here = ZoneInfo(zone)
    if CUT[grain] == "year":
        following = first.replace(year=first.year + 1)
        name = f"{first.year:04d}"
    else:
        following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        name = f"{first.year:04d}-{first.month:02d}"
    return Part(name, first.replace(tzinfo=here), following.replace(tzinfo=here), release_id)
