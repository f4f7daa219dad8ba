"""What a station has no instrument for is nobody's loss; a station that is out of order still owes all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from ecowarehouse.contracts import load_contracts
from ecowarehouse.settings import Settings
from simulation.air import CHINA
from simulation.surface_water import feed_csv, synthetic_rows
from tests.integration.completeness.books import Books, books

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


def test_working_everything_out_again_finds_no_difference(kept: Books) -> None:
    assert kept.sound()


def _codes(kept: Books) -> list[str]:
    """The working one first."""
    found = kept.house.all(
        "select site_code, bool_or(o.value_text = '正常') from core.observation as o"
        " inner join core.series as s using (series_id) where s.channel = 'status' group by 1 order by 2 desc"
    )
    return [code for code, _ in found]
