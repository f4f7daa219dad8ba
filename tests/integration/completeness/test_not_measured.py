"""What a station has no instrument for is nobody's loss; a station that is out of order still owes all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from ecowarehouse.contracts import load_contracts
from ecowarehouse.contracts.staging import cells_sql
from ecowarehouse.contracts.values import NotMeasured
from ecowarehouse.settings import Settings
from simulation.air import CHINA
from simulation.surface_water import feed_csv, synthetic_rows
from tests.conftest import own_database
from tests.integration.completeness.books import WEATHER, Books, books, item

WATER = load_contracts(Settings.load().city)["cnemc_water_station"]
MIDNIGHT = datetime(2026, 3, 2, tzinfo=CHINA)
EVERY = timedelta(hours=4)


def _sample(number: int) -> bytes:
    """Two stations as the feed shows them at a sample: one works, one is in maintenance."""
    sampled = MIDNIGHT + number * EVERY
    works, stands_still = synthetic_rows(sampled + timedelta(hours=1), 7)[:2]
    assert datetime.strptime(works["time"], "%Y-%m-%d %H:%M").replace(tzinfo=CHINA) == sampled
    readings = [name for name in works if name.endswith("_raw") and name != "time_raw"]
    off = dict.fromkeys(readings, "") | {name.removesuffix("_raw"): "*" for name in readings}
    return feed_csv([works, {**stands_still, **off, "official_class": "", "status": "维护"}])


@pytest.fixture(scope="module")
def kept(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    with books(module_deployed, tmp_path_factory.mktemp("water")) as made:
        made.house.contract = WATER
        for number in range(10):
            made.house.load(MIDNIGHT + number * EVERY + timedelta(hours=1), _sample(number))
        made.keep()
        yield made


@pytest.mark.parametrize("channel", ["algae_density", "algae_density_raw"])
def test_what_a_working_station_marks_or_leaves_empty_is_not_required(kept: Books, channel: str) -> None:
    works, _ = _codes(kept)
    assert kept.of(works, MIDNIGHT.date(), channel) == {"expected": 6, "not_required": 6}
    assert kept.of(works, MIDNIGHT.date(), "codmn") == {
        "expected": 6, "received": 6, "valid": 6,
    }  # fmt: skip


@pytest.mark.parametrize("channel", ["algae_density", "codmn"])
def test_the_same_mark_of_a_station_out_of_order_is_missing(kept: Books, channel: str) -> None:
    _, off = _codes(kept)
    assert kept.of(off, MIDNIGHT.date(), channel) == {
        "expected": 6, "source_missing": 6, "sentinel": 6,
    }  # fmt: skip


def test_a_mark_of_something_else_is_missing_at_a_working_station_too(
    deployed_template: str, tmp_path: Path
) -> None:
    """Of another element; and only the channels that the contract names."""
    rule = NotMeasured(marks=["-9999"], channels=["humidity"])
    weather = WEATHER.model_copy(update={"not_measured": rule})
    view = (
        f"create or replace view {weather.staging_relation} as {cells_sql(weather, weather.landing_relation)}"
    )
    with own_database(deployed_template) as settings, books(settings, tmp_path) as house:
        house.house.contract = weather
        house.house.admin.execute(view.encode())
        for label in range(-3, 28):
            house.bring(label + 0.1, [{**item("W1", label, "-9999"), "humidity": "-9999"}])
        house.keep()
        day = date(2019, 7, 18)
        assert house.of("W1", day, "humidity") == {"expected": 24, "not_required": 24}
        assert house.of("W1", day)["sentinel"] == 24


def test_working_everything_out_again_finds_no_difference(kept: Books) -> None:
    assert kept.sound()


def _codes(kept: Books) -> list[str]:
    """The working one first."""
    found = kept.house.all(
        "select site_code, bool_or(o.value_text = '正常') from core.observation as o"
        " inner join core.series as s using (series_id) where s.channel = 'status' group by 1 order by 2 desc"
    )
    return [code for code, _ in found]
