"""Rows of core for tests of water: sections, their samples, targets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

ZONE = ZoneInfo("Asia/Shanghai")
CLEAN: Mapping[str, Any] = {
    "ph": 8, "dissolved_oxygen": 8.0, "codmn": 1.5, "ammonia_nitrogen": "0.12", "total_phosphorus": "0.015",
}  # fmt: skip
_TEXTS = {"water_class", "station_state"}


def moment(text: str) -> datetime:
    """Local time: `2025-11-06 20:00`."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)


@dataclass
class WaterWorld:
    """Writes as a superuser what core would write."""

    conn: psycopg.Connection[Any]
    series: dict[tuple[str, str], int] = field(default_factory=dict)

    def section(
        self, code: str, *, river: str = "郁江", basin: str = "珠江流域", city: str = "贵港市"
    ) -> None:
        """A section that the feed has described."""
        said = json.dumps({"province": "广西壮族自治区", "basin": basin, "river": river})
        self.conn.execute(
            "insert into core.site (feed, site_code, known_at, element, site_name, area_name, attributes, site_type,"
            " takes_part, batch_id) values ('w', %s, '2020-01-01', 'water', %s, %s, %s, 'water_section', true, 0)",
            [code, code.rpartition(":")[2], city, said],
        )

    def target(self, code: str, year: int, target: int) -> None:
        """What is asked of a section."""
        self.conn.execute(
            "insert into core.entity values"
            " ('section_target', 't', %s, '-infinity', '2020-01-01', 'infinity', false, %s, 0)",
            [
                f"{code}:{year}:national",
                json.dumps(
                    {
                        "section_code": code,
                        "year": year,
                        "level": "national",
                        "target_class": target,
                        "document": "test",
                    }
                ),
            ],
        )

    def sample(self, code: str, at: str, known: str | None = None, **values: Any) -> None:
        """One delivery with the values of one sample; a name that ends in `_raw` is the reading behind."""
        start = moment(at)
        known_at = moment(known) if known else start + timedelta(hours=1)
        row = self.conn.execute(
            "insert into landing.batch (feed, source, known_at, core_step_id) values ('w', 't', %s, 1)"
            " returning batch_id",
            [known_at],
        ).fetchone()
        assert row is not None
        self.conn.execute(
            "select core.ensure_partitions('water', %s, %s, 'Asia/Shanghai')",
            [start, start + timedelta(hours=4)],
        )
        for channel, value in values.items():
            text = channel in _TEXTS
            below = isinstance(value, tuple)
            self.conn.execute(
                "insert into core.observation (element, series_id, period_start, known_at, batch_id, value, value_text,"
                " qualifier, detection_limit) values ('water', %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    self._series(code, channel), start, known_at, row[0],
                    None if text else value[1] if below else value, value if text else None,
                    "<" if below else "=", value[1] if below else None,
                ],
            )  # fmt: skip
        self.conn.execute(
            "insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)"
            " values ('water', 'w', %s, %s, %s, %s, 1)",
            [code, start, start + timedelta(hours=4), row[0]],
        )
        self.conn.commit()

    def _series(self, code: str, channel: str) -> int:
        if (code, channel) not in self.series:
            item = channel.removesuffix("_raw")
            procedure = "measured" if channel.endswith("_raw") else "reported"
            row = self.conn.execute(
                "insert into core.series (feed, site_code, channel, element, property, procedure, averaging_period,"
                " unit, original_unit, series_kind)"
                " values ('w', %s, %s, 'water', %s, %s, 'PT4H', 'x', 'x', 'real_time')"
                " returning series_id",
                [code, channel, item, procedure],
            ).fetchone()
            assert row is not None
            self.series[code, channel] = int(row[0])
        return self.series[code, channel]
