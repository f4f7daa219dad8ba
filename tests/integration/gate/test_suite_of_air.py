"""The real suite of air before real candidates: each hour has a fault of its own, and only faulty hours are blocked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecowarehouse import gate, marts
from ecowarehouse.settings import Settings
from tests.integration.feed_house import DAY, FeedHouse, Row, feed_house, row

GOOD: dict[str, Any] = {
    "so2": 10, "no2": 20, "co": "0.5", "o3_24h": 80, "pm10": 120, "pm2_5": 20,
    "aqi": 85, "quality": "良", "primarypollutant": "颗粒物(PM10)",
}  # fmt: skip
SITES = [f"S{n}" for n in range(10)]
#: Label of the hour, and what half of the sites, or one of them, says otherwise.
SILENT, AQI, PRIMARY, CATEGORY = 4, 6, 7, 8


def pull() -> list[Row]:
    """Eight hours of ten stations; in one of them half of the stations send only marks."""
    rows = []
    for hour in range(1, 9):
        wrong = {
            AQI: {"aqi": 86},
            PRIMARY: {"primarypollutant": "二氧化硫"},
            CATEGORY: {"quality": "优"},
        }.get(hour, {})
        for code in SITES:
            if hour == SILENT and code >= "S5":
                rows.append(row(code, hour))
            else:
                rows.append(row(code, hour, **GOOD | (wrong if code == "S3" else {})))
    return rows


@pytest.fixture(scope="module")
def judged(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedHouse]:
    """One pull, built and judged."""
    with feed_house(module_deployed, Path(tmp_path_factory.mktemp("pull"))) as house:
        house.load(datetime.fromisoformat("2019-08-30T00:00+08:00"), pull())
        marts.build(house.conn, "air", settings=house.settings)
        gate.judge(house.conn, int(house.one("select max(build_id) from governance.build")))
        yield house


def verdict(house: FeedHouse, hour: int) -> tuple[str, str]:
    found: tuple[str, str] = house.one(
        "select verdict, coalesce(reason, '') from governance.verdict_current"
        " where dataset = 'air.station_hour' and period_start = %s", DAY + timedelta(hours=hour - 1),
    )  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("hour", "reason"),
    [
        (SILENT, "sites_are_there: stations_share is 0.5"),
        (AQI, "aqi_agrees_with_reported: aqi_disagreement_share is 0.1"),
        (PRIMARY, "primary_agrees_with_reported: primary_disagreement_share is 0.1"),
        (CATEGORY, "category_agrees_with_reported: category_disagreement_share is 0.1"),
    ],
)
def test_an_hour_with_a_fault_is_blocked_for_it(judged: FeedHouse, hour: int, reason: str) -> None:
    word, told = verdict(judged, hour)
    assert word == "blocked"
    assert told.startswith(reason)


@pytest.mark.parametrize("hour", [1, 2, 3, 5])
def test_the_hours_around_it_are_published(judged: FeedHouse, hour: int) -> None:
    assert verdict(judged, hour) == ("publish", "")
