"""Rows of core for tests of marts: a station, its series, and one version of each value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

ZONE = ZoneInfo("Asia/Shanghai")
SIX = ("so2", "no2", "co", "o3", "pm10", "pm2_5")
_CHANNEL = {
    **{item: (item, "measured", "PT1H") for item in SIX},
    "o3_8h": ("o3", "running_mean", "PT8H"),
    "aqi": ("aqi", "reported", "PT1H"),
    "primary_pollutant": ("primary_pollutant", "reported", "PT1H"),
    "category": ("aqi_category", "reported", "PT1H"),
}


def hour(text: str) -> datetime:
    """Local start of an hour: `2024-05-01 07`."""
    return datetime.strptime(text, "%Y-%m-%d %H").replace(tzinfo=ZONE)


@dataclass
class World:
    """Writes as a superuser what core would write."""

    conn: psycopg.Connection[Any]
    feed: str = "test_air"
    series: dict[tuple[str, str], int] = field(default_factory=dict)

    def batch(self, known_at: datetime, *, synthetic: bool = False) -> int:
        """One delivery that core has taken up."""
        row = self.conn.execute(
            "insert into landing.batch (feed, source, known_at, synthetic, core_step_id)"
            " values (%s, 'test', %s, %s, 1) returning batch_id",
            [self.feed, known_at, synthetic],
        ).fetchone()
        assert row is not None
        return int(row[0])

    def station(
        self,
        code: str,
        area: str,
        known_at: datetime,
        batch: int,
        items: Iterable[str] = SIX,
        *,
        takes_part: bool = True,
    ) -> None:
        """A site with one series for each item."""
        self.conn.execute(
            "insert into core.site (feed, site_code, known_at, element, site_name, area_name,"
            " site_type, takes_part, batch_id) values (%s, %s, %s, 'air', %s, %s, 'assessment', %s, %s)"
            " on conflict do nothing",
            [self.feed, code, known_at, code, area, takes_part, batch],
        )
        for item in items:
            row = self.conn.execute(
                "insert into core.series (feed, site_code, channel, element, property, procedure,"
                " averaging_period, unit, original_unit, series_kind)"
                " values (%s, %s, %s, 'air', %s, %s, %s, 'x', 'x', 'real_time') returning series_id",
                [self.feed, code, item, *_CHANNEL[item]],
            ).fetchone()
            assert row is not None
            self.series[code, item] = int(row[0])

    def observe(
        self, code: str, hours: Mapping[datetime, Mapping[str, Any]], known_at: datetime, batch: int
    ) -> None:
        """One version of each value, and the change that core reports."""
        first, last = min(hours), max(hours) + timedelta(hours=1)
        self.conn.execute("select core.ensure_partitions('air', %s, %s, %s)", [first, last, "Asia/Shanghai"])
        rows = [
            (
                self.series[code, item], start, known_at, batch,
                None if isinstance(value, str) else value, value if isinstance(value, str) else None,
            )
            for start, values in hours.items()
            for item, value in values.items()
        ]  # fmt: skip
        with self.conn.cursor() as cursor:
            cursor.executemany(
                "insert into core.observation (element, series_id, period_start, known_at, batch_id,"
                " value, value_text) values ('air', %s, %s, %s, %s, %s, %s)",
                rows,
            )
        self.conn.execute(
            "insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)"
            " values ('air', %s, %s, %s, %s, %s, 1)",
            [self.feed, code, first, last, batch],
        )

    def told(
        self, code: str, area: str, hours: Mapping[datetime, Mapping[str, Any]], items: Iterable[str] = SIX
    ) -> None:
        """A station and its values from one delivery, known when the last hour was over."""
        known_at = max(hours) + timedelta(hours=1)
        batch = self.batch(known_at)
        self.station(code, area, known_at, batch, items)
        self.observe(code, hours, known_at, batch)
        self.conn.commit()
