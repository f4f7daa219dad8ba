"""Files of versions that were replaced long ago go, in any order of kills, and what stands stays valid."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import frictionless
import pytest

from ecowarehouse import exports
from ecowarehouse.exports import files, purging
from tests.integration.exports.export_house import ExportHouse


class _Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def three(house: ExportHouse) -> ExportHouse:
    """Three versions, each with another July."""
    house.export()
    for known, so2 in ((400, 40), (401, 50)):
        house.load(known, range(12, 13), so2=so2)
        house.release()
        house.export()
    assert _versions(house.folder()) == ["v000001", "v000002", "v000003"]
    return house


@pytest.fixture
def out(three: ExportHouse, tmp_path: Path) -> ExportHouse:
    """A copy of their files."""
    shutil.copytree(three.out, tmp_path / "out")
    return ExportHouse(three.feed, tmp_path / "out")


def _versions(folder: Path) -> list[str]:
    return [path.name.partition(".")[0] for path in sorted(folder.glob("*.datapackage.json"))]


def _between(house: ExportHouse) -> timedelta:
    """An age that only the first version is above: it was replaced when the second came."""
    second, third = (
        datetime.fromisoformat(
            json.loads((house.folder() / f"v00000{n}.datapackage.json").read_text())["created"]
        )
        for n in (2, 3)
    )
    return (third - second) / 2


def _is_sound(house: ExportHouse) -> None:
    """Every manifest that stands validates with all its files, and no other file lies about."""
    named = set()
    for path in house.folder().glob("*.datapackage.json"):
        assert frictionless.Package(str(path)).validate().valid
        named |= {one["path"] for one in json.loads(path.read_text())["resources"]}
    assert {f"files/{path.name}" for path in house.folder().glob("files/*")} == named


def test_a_version_goes_once_it_was_replaced_longer_ago_than_files_are_kept(out: ExportHouse) -> None:
    assert out.export().outcome == "nothing_to_do", "as long as the city says, nothing goes"
    assert out.export(keep=_between(out)).outcome == "done"
    assert _versions(out.folder()) == ["v000002", "v000003"]
    note = json.loads((out.folder() / "v000001.removed.json").read_text())
    assert "longer ago than files are kept" in note["removed_because"]["en"]
    _is_sound(out)
    before = out.hashes()
    assert out.export(keep=_between(out)).outcome == "nothing_to_do"
    assert out.hashes() == before


def test_the_newest_version_stays_however_old(out: ExportHouse) -> None:
    out.export(keep=timedelta(0))
    assert _versions(out.folder())[-1] == "v000003"
    _is_sound(out)


def _after(original: Callable[..., Any], calls: int) -> Callable[..., Any]:
    left = calls

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        found = original(*arguments, **named)
        left -= 1
        if left == 0:
            raise _Killed
        return found

    return deadly


@pytest.mark.parametrize(
    ("owner", "name", "calls"),
    [
        (files, "begin", 1),
        (files, "write", 1),
        (purging, "_take_back", 1),
        (purging, "tidy", 1),
        (Path, "unlink", 3),
    ],
)
def test_a_kill_while_files_are_removed_is_ended_by_the_next_export(
    out: ExportHouse, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, calls: int
) -> None:
    keep = _between(out)
    latest = (out.folder() / "latest.json").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, _after(getattr(owner, name), calls))
        with pytest.raises(_Killed):
            out.export("air.station_hour", keep=keep)
    assert (out.folder() / "latest.json").read_bytes() == latest
    assert frictionless.Package(str(out.folder() / "v000003.datapackage.json")).validate().valid
    out.export(keep=keep)
    assert _versions(out.folder()) == ["v000002", "v000003"]
    _is_sound(out)
    assert not (out.folder() / files.UNFINISHED).exists()


def test_a_city_may_keep_everything(out: ExportHouse, tmp_path: Path) -> None:
    import dataclasses

    city = Path(shutil.copytree(out.feed.settings.city, tmp_path / "city"))
    text = (city / "city.yml").read_text(encoding="utf-8").partition("exports:")[0]
    (city / "city.yml").write_text(text, encoding="utf-8")
    given = dataclasses.replace(out.feed.settings, city=city)
    assert exports.export(out.feed.conn, given, out=out.out).outcome == "nothing_to_do"
