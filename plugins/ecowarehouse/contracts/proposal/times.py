"""Which column says the period, in which form, and how far apart the periods of one site lie."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H", "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%Y年%m月%d日 %H时", "%Y年%m月%d日%H时", "%Y年%m月%d日",
    "%Y%m%d%H%M%S", "%Y%m%d%H", "%Y%m%d",
)  # fmt: skip
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")
_DAYS: Final = timedelta(days=1)
_WORDS: Final = ((86_400, "P{}D"), (3600, "PT{}H"), (60, "PT{}M"), (1, "PT{}S"))


def format_of(cells: Sequence[str]) -> str | None:
    """The one form in which all filled cells are times; None when there is none, or nothing is filled."""
    filled = {cell for cell in cells if cell}
    return next((form for form in ("iso8601", *FORMATS) if filled and _all(filled, form)), None)


def step_of(sites: Iterable[str], labels: Iterable[str], time_format: str) -> timedelta | None:
    """The commonest time between two labels of one site; None where no site has two."""
    moments: defaultdict[str, set[datetime]] = defaultdict(set)
    for site, label in zip(sites, labels, strict=True):
        if (moment := _moment(label, time_format)) is not None:
            moments[site].add(moment)
    gaps = Counter(
        later - earlier for found in moments.values() for earlier, later in pairwise(sorted(found))
    )
    return gaps.most_common(1)[0][0] if gaps else None


def usual_step(time_format: str) -> timedelta:
    """What a label of this form most likely spans, where nothing else tells."""
    hours = time_format == "iso8601" or "%H" in time_format
    return timedelta(hours=1) if hours else _DAYS


def duration(step: timedelta) -> str:
    """As ISO 8601: `PT1H`, `P1D`."""
    seconds = int(step.total_seconds())
    size, text = next((size, text) for size, text in _WORDS if seconds % size == 0)
    return text.format(seconds // size)


def is_moment_with_offset(text: str) -> bool:
    """Whether a text is one moment whatever the clock: `2026-03-01T00:20:00+08:00`."""
    try:
        return _ISO.match(text) is not None and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _all(cells: Iterable[str], time_format: str) -> bool:
    return all(_moment(cell, time_format) is not None for cell in cells)


def _moment(text: str, time_format: str) -> datetime | None:
    try:
        if time_format == "iso8601":
            return datetime.fromisoformat(text).replace(tzinfo=None) if _ISO.match(text) else None
        moment = datetime.strptime(text, time_format)  # noqa: DTZ007 (compared with its neighbours alone)
    except ValueError:
        return None
    return moment if moment.strftime(time_format) == text else None
