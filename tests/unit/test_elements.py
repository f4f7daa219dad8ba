"""What a run of some elements takes up, and that nothing it left out ends green."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from ecowarehouse import cycle
from ecowarehouse.contracts import Contract
from ecowarehouse.core.channels import ChannelChanged
from ecowarehouse.elements import ContractsBroken, UnknownElement, choose
from ecowarehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A city of one's own to break."""
    return replace(Settings.load({}), city=Path(shutil.copytree(ROOT / "city", tmp_path / "city")))


def break_weather(settings: Settings) -> None:
    path = settings.city / "sources" / "meteorology" / "weather_hourly.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("series_kind:", "serieskind:"), encoding="utf-8")


def test_all_or_some_elements_in_a_fixed_order(settings: Settings) -> None:
    everything = choose(settings)
    files = sorted(path.stem for path in (settings.city / "sources").rglob("*.yml"))
    assert [contract.feed for contract in everything.contracts] == files
    assert {*everything.elements} == {contract.element for contract in everything.contracts}
    assert everything.elements[-1] == "governance", "what follows all feeds comes last"
    everything.raise_for_broken()
    assert [contract.feed for contract in choose(settings, ["weather"]).contracts] == ["weather_hourly"]
    with pytest.raises(UnknownElement, match=r"smoke; elements here: air, .*water, weather, governance"):
        choose(settings, ["air", "smoke"])


def test_an_element_whose_contracts_are_all_broken_is_still_one(settings: Settings) -> None:
    break_weather(settings)
    choice = choose(settings, ["weather"])
    assert (choice.contracts, choice.elements) == ((), ("weather",))
    with pytest.raises(ContractsBroken, match="serieskind"):
        choice.raise_for_broken()


class _Connection:
    """Counts how often it was made ready again."""

    rollbacks = 0

    def rollback(self) -> None:
        self.rollbacks += 1


def test_one_problem_stops_nothing_else_and_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.city / "sources" / "cnemc" / "broken.yml").write_text("feed: broken\n", encoding="utf-8")
    ran = []

    def run_feed(_: object, given: Settings, contract: Contract) -> str:
        assert given is settings
        if contract.feed == "cnemc_air_hourly":
            raise ChannelChanged("so2 means something else")
        ran.append(contract.feed)
        return contract.feed

    def run_element(_: object, element: str, given: Settings) -> str:
        assert given is settings
        ran.append(element)
        return element

    monkeypatch.setattr(cycle, "run_feed", run_feed)
    monkeypatch.setattr(cycle, "run_element", run_element)
    monkeypatch.setattr(cycle.exports, "export_standing", lambda *_: ran.append("exports"))
    conn = _Connection()
    done = cycle.run(cast("psycopg.Connection[Any]", conn), settings)
    choice = choose(settings)
    feeds = [one.feed for one in choice.contracts if one.feed != "cnemc_air_hourly"]
    assert "cnemc_water_station" in feeds
    assert ran == [*feeds, *choice.elements, "exports"]
    assert [type(problem) for problem in done.problems] == [ChannelChanged, ContractsBroken]
    assert conn.rollbacks == 2
