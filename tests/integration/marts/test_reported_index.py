"""What a source reports as index is its affair: no value of it stops a build, and none is rounded into another."""

from __future__ import annotations

from typing import Any

from ecowarehouse import marts
from tests.integration.feed_house import FeedHouse, row

SIX: dict[str, Any] = {
    "so2": 10,
    "no2": 20,
    "co": "0.5",
    "o3_24h": 80,
    "pm10": 40,
    "pm2_5": 20,
    "quality": "优",
}


def test_a_reported_index_that_is_none_disagrees_and_the_build_goes_on(house: FeedHouse) -> None:
    said = {"S1": "40", "S2": "99999999999", "S3": "40.4", "S4": "-1", "S5": "—"}
    house.load("12:10", [row(code, **SIX, aqi=aqi) for code, aqi in said.items()])
    assert marts.build(house.conn, "air", settings=house.settings).outcome == "built"
    assert house.all(
        "select station_code, aqi, aqi_reported, aqi_reported_reason, aqi_agrees from air.station_hour order by 1"
    ) == [
        ("S1", 40, 40, None, True),
        ("S2", 40, None, "no_index:99999999999", False),
        ("S3", 40, None, "no_index:40.4", False),
        ("S4", 40, None, "no_index:-1", False),
        ("S5", 40, None, None, None),
    ]
    assert house.one("select data_type from information_schema.columns where table_schema = 'air'"
                     " and table_name = 'station_hour' and column_name = 'aqi_reported'") == "integer"  # fmt: skip
