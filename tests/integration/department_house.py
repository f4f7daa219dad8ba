"""The hourly weather feed as another department might deliver it: by another transport, as delimited text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.load import validate
from ecowarehouse.landing.load import BatchOutcome
from ecowarehouse.pipeline import run_feed
from ecowarehouse.settings import Settings
from tests.integration.feed_house import FeedHouse, feed_house

CITY = Path(__file__).resolve().parents[2] / "city"
HEADER = (
    "station_id,station_name,township,lon,lat,time,temperature,humidity,pressure,wind_speed,wind_direction,"
    "precipitation"
)
NEVER_SHOWN = "pa55-that-must-not-show"


def weather_by(connector: Mapping[str, Any], **changes: Any) -> Contract:
    """The contract of the weather feed with another connector."""
    path = CITY / "sources" / "meteorology" / "weather_hourly.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return validate(
        {
            **content,
            "connector": {"timeout_seconds": 2, "total_seconds": 20, "retries": 0, **connector},
            "known_at": [{"from": "option"}, {"from": "receipt"}],
            "forms": {"csv": {"suffixes": [".csv"], "line_ends_in_cells": True}},
            **changes,
        }
    )


def line(code: str, hour: int, temperature: str) -> str:
    """One row of delimited text: a station's hour of 2026-03-01."""
    return f"{code},站,镇,110.1,23.4,2026-03-01T{hour:02}:00:00+08:00,{temperature},80,1001.2,2.1,90,0.0\n"


def content(*rows: tuple[str, int, str]) -> bytes:
    """A delivery of such rows."""
    return (HEADER + "\n" + "".join(line(*row) for row in rows)).encode()


@contextmanager
def department(settings: Settings, folder: Path, contract: Contract) -> Iterator[FeedHouse]:
    """A house that runs this contract."""
    with feed_house(settings, folder) as made:
        made.contract = contract
        yield made


def pull(house: FeedHouse) -> list[BatchOutcome]:
    """One run of the feed."""
    return run_feed(house.conn, house.settings, house.contract).batches


def ends(house: FeedHouse) -> list[tuple[str, str | None, int]]:
    """How the deliveries of one run ended."""
    return [(batch.outcome, batch.reason, batch.rows) for batch in pull(house)]


def temperatures(house: FeedHouse) -> list[tuple[str, int, str]]:
    """Current temperatures in core, by station and label hour."""
    return house.all(
        "select distinct on (site_code, period_start) site_code,"
        " extract(hour from period_start at time zone 'Asia/Shanghai')::integer + 1, value::text"
        " from core.observation inner join core.series using (series_id) where channel = 'temperature'"
        " order by site_code, period_start, known_at desc"
    )


def assert_no_secret(house: FeedHouse, logged: str, *secrets: str) -> None:
    """Neither ledger nor log tells one."""
    ledger = house.one("select coalesce(string_agg(b::text, ' '), '') from landing.batch b")
    rejects = house.one("select coalesce(string_agg(r::text, ' '), '') from landing.reject r")
    for secret in secrets:
        assert secret not in ledger + rejects
        assert secret not in logged
