"""What the page shows of each dataset: the newest rows by the data's own clock, near the city."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ecowarehouse.exports.page.rows import Row, Standing

_AIR: Final = ("so2", "no2", "co", "o3", "pm10", "pm2_5")
_JUDGED: Final = (
    "area_code", "area_name", "aqi", "primary_pollutant", "category", "standard", "standard_mark",
    "aqi_reason", "known_at", "synthetic",
)  # fmt: skip
HOUR: Final = ("station_code", "station_name", "period_start", "period_end", *_JUDGED, *_AIR, "suspect_count")
DAY: Final = (
    "station_code", "station_name", "day", *_JUDGED, "so2", "no2", "co", "o3_mda8", "pm10", "pm2_5",
)  # fmt: skip
AREA_DAY: Final = tuple(name for name in DAY if not name.startswith("station_"))
WATER_ITEMS: Final = ("ph", "dissolved_oxygen", "codmn", "ammonia_nitrogen", "total_phosphorus")
WATER: Final = (
    "section_code", "section_name", "province", "basin", "river", "city", "area_code", "sampled_on", "sampled_at",
    "known_at", "sample_kind", "station_state", "water_type", *WATER_ITEMS, "water_class", "water_class_cn",
    "deciding_items", "standard", "standard_mark", "class_reason", "review_stage", "version", "is_current",
    "synthetic",
)  # fmt: skip

_MISSING: Final = (
    "source_missing", "platform_missing", "marked_invalid", "invalidated_by_review", "not_required", "awaited", "late",
    "rejected", "unplaced", "revised",
)  # fmt: skip
FEED_DAY: Final = (
    "feed", "day", "department", "title_zh", "title_en", "expected_count", "received_count", "complete_share",
    "in_time_share", *(f"{kind}_count" for kind in _MISSING), "synthetic",
)  # fmt: skip

#: A station that has been silent for longer is not shown with a value of then.
_SILENT: Final = timedelta(hours=24)
#: Automatic sections report every four hours, manual ones once a month.
_SAMPLES: Final = timedelta(days=31)
#: A feed of which nothing was expected for longer is not told of; the clocks of feeds differ.
_FEEDS: Final = timedelta(days=400)

Near = Callable[[Row], bool]


def hours(one: Standing, near: Near) -> list[Row]:
    """The newest hour of each station, none older than a day by the data's clock."""
    since = one.period_to - _SILENT
    rows = one.rows(HOUR, since, one.period_to, lambda row: near(row) and _moment(row, "period_end") > since)
    return _newest(rows, "station_code", "period_start")


def today(one: Standing, zone: Any) -> datetime:
    """Midnight of the day in which the newest period lies, by the city's clock."""
    last = (one.period_to - timedelta(microseconds=1)).astimezone(zone)
    return last.replace(hour=0, minute=0, second=0, microsecond=0)


def day_before(midnight: datetime) -> datetime:
    """The local midnight before; with an own zone a day may have 23 hours, so it is not 24 hours ago."""
    # Arithmetic of an aware datetime is by its own wall clock.
    return midnight - timedelta(days=1)


def days(one: Standing, columns: Sequence[str], key: str, midnight: datetime, near: Near) -> list[Row]:
    """Rows of the day before a local midnight."""
    since = day_before(midnight)
    wanted = since.date().isoformat()
    rows = one.rows(columns, since, midnight, lambda row: near(row) and row["day"] == wanted)
    return _newest(rows, key, "day")


def samples(one: Standing, near: Near) -> tuple[list[Row], list[Row]]:
    """The newest sample of each section that holds now, and every version of the month's samples."""
    first = one.period_to - _SAMPLES
    rows = list(one.rows(WATER, first, one.period_to, near))
    current = [row for row in rows if row.get("is_current") == "true"]
    return _newest(current, "section_code", "sampled_at"), rows


def feeds(one: Standing, zone: Any) -> list[Row]:
    """The newest day of each feed that is over by the clock of the books and decided, so that nothing of it may still
    come; of a feed without one the newest of which something is decided.
    """
    midnight = today(one, zone)
    unfinished = midnight.date().isoformat()
    rows = one.rows(FEED_DAY, midnight - _FEEDS, midnight, lambda row: (row["day"] or "") < unfinished)
    begun = (row for row in rows if row["complete_share"])
    # The last of each feed stays.
    found = {
        row["feed"] or "": row
        for row in sorted(begun, key=lambda row: (row["awaited_count"] == "0", row["day"] or ""))
    }
    return [found[feed] for feed in sorted(found)]


def _moment(row: Row, column: str) -> datetime:
    return datetime.fromisoformat(row[column] or "")


def _newest(rows: Any, key: str, moment: str) -> list[Row]:
    """One row a key, the last by its moment; in order of keys."""
    found: dict[str, Row] = {}
    for row in rows:
        before = found.get(row[key])
        # Text of one zone is not in order of time in the hour that a clock is put back.
        if before is None or _moment(row, moment) >= _moment(before, moment):
            found[row[key]] = row
    return [found[name] for name in sorted(found)]
