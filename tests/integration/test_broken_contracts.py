"""A command that had to leave a feed out does the rest, says what to mend, and does not end green."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from ecowarehouse.cli import data
from ecowarehouse.elements import ContractsBroken
from ecowarehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def house(deployed: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A deployed warehouse in whose city one contract was broken afterwards."""
    city = Path(shutil.copytree(ROOT / "city", tmp_path / "city"))
    (city / "sources" / "cnemc" / "cnemc_noise.yml").write_text("feed: cnemc_noise\n", encoding="utf-8")
    monkeypatch.setenv("ECO_CITY", str(city))
    return Settings.load()


COMMANDS = {
    "build": (lambda: data.build([]), "element air"),
    "recompute": (lambda: data.recompute([], check=True), ""),
    "fsck": (data.fsck, ""),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_was_left_out_is_told_after_the_rest(
    house: Settings, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    command: Callable[[], None]
    command, said = COMMANDS[name]
    with pytest.raises(ContractsBroken, match=r"cnemc_noise\.yml: "):
        command()
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("feed", "told"),
    [
        ("cnemc_noise", "is broken: "),
        ("nothing", "no feed 'nothing'; there are: "),
        ("wether_hourly", "no feed 'wether_hourly', did you mean weather_hourly; there are: "),
    ],
)
def test_a_feed_by_name_is_told_why_it_cannot_be_loaded(house: Settings, feed: str, told: str) -> None:
    with pytest.raises(typer.BadParameter, match=told):
        data.load(feed)


def test_a_cycle_names_every_problem(house: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ExceptionGroup) as failed:
        data.cycle(["air", "weather"])
    assert failed.group_contains(ContractsBroken, match="cnemc_noise")
    printed = capsys.readouterr().out
    assert "air  build - nothing_to_do" in printed
    assert "weather  build - nothing_to_do" in printed
