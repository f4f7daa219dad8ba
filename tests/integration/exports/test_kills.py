"""A kill at any moment leaves what was readable, and the same export run again makes what a clean one makes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import frictionless
import pytest

from ecowarehouse import exports
from ecowarehouse.exports import files
from ecowarehouse.postgres.connection import connect
from ecowarehouse.work import REASONS, pending
from tests.integration.exports.export_house import ExportHouse

ROOT = Path(__file__).resolve().parents[3]
# Names are given to CSV, Parquet, sums, manifest and latest.json of two datasets, then to the index.
PLACES = [("copy", 2), ("parquet", 1), *(("name", number) for number in (1, 2, 3, 4, 5, 6, 10, 11))]


@pytest.fixture(scope="module")
def revised(house: ExportHouse) -> ExportHouse:
    """A second release, of which the exported files know nothing yet; `clean` has what they should become."""
    shutil.copytree(house.out, house.out.with_name("first"))
    house.load(350, range(12, 13), so2=40)
    house.release()
    return house


@pytest.fixture
def out(revised: ExportHouse, tmp_path: Path) -> Path:
    """The files of the first release."""
    return Path(shutil.copytree(revised.out.with_name("first"), tmp_path / "out"))


@pytest.fixture(scope="module")
def clean(revised: ExportHouse) -> dict[str, str]:
    """Hashes after an export that nobody disturbed."""
    revised.export()
    return revised.hashes()


def hashes(house: ExportHouse, out: Path) -> dict[str, str]:
    return ExportHouse(house.feed, out).hashes()


def kill(out: Path, place: str, number: int) -> int:
    return subprocess.run(
        [sys.executable, "-m", "tests.integration.exports.killed", str(out), place, str(number)],
        cwd=ROOT, capture_output=True, timeout=120,
    ).returncode  # fmt: skip


@pytest.mark.parametrize(("place", "number"), PLACES)
def test_a_killed_export_leaves_the_last_version_readable_and_a_rerun_completes_it(
    revised: ExportHouse, clean: dict[str, str], out: Path, place: str, number: int
) -> None:
    assert kill(out, place, number) == -signal.SIGKILL
    index = json.loads((out / "open" / "index.json").read_text())
    exported = [entry for entry in index["datasets"] if entry["datapackage"]]
    assert exported
    for entry in exported:
        package = frictionless.Package(str(out / "open" / entry["datapackage"]))
        assert package.validate().valid
    for pointer in (out / "open").glob("*/latest.json"):
        said = json.loads(pointer.read_text())
        assert files.sha256_of((pointer.parent / said["datapackage"]).read_bytes()) == said["sha256"]
    assert exports.export(revised.feed.conn, revised.feed.settings, out=out).outcome == "done"
    assert hashes(revised, out) == clean
    assert exports.export(revised.feed.conn, revised.feed.settings, out=out).outcome == "nothing_to_do"


def test_what_a_kill_left_goes_although_a_release_came_between(
    revised: ExportHouse, clean: dict[str, str], out: Path
) -> None:
    kill(out, "name", 6)
    orphan = out / "open" / "air_station_hour" / "files" / "2019-07.0123456789abcdef.csv.gz"
    orphan.write_bytes(b"of a version that nobody finished")
    exports.export(revised.feed.conn, revised.feed.settings, out=out)
    assert hashes(revised, out) == clean


def test_a_kill_in_the_first_export_of_all_is_repaired(revised: ExportHouse, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert kill(out, "name", 8) == -signal.SIGKILL
    assert not (out / "open" / "index.json").exists()
    exports.export(revised.feed.conn, revised.feed.settings, out=out)
    exports.export(revised.feed.conn, revised.feed.settings, out=tmp_path / "other")
    assert hashes(revised, out) == hashes(revised, tmp_path / "other")


def test_the_ledger_knows_a_killed_export_and_the_next_one_closes_its_row(
    revised: ExportHouse, clean: dict[str, str], out: Path
) -> None:
    kill(out, "name", 2)
    exports.export(revised.feed.conn, revised.feed.settings, out=out)
    outcomes = revised.feed.all(
        "select outcome from governance.step where kind = 'export' and subject = %s order by step_id",
        f"open {out}",
    )
    assert outcomes == [("aborted",), ("done",)]


def test_a_release_without_its_files_is_work_for_the_next_run(revised: ExportHouse) -> None:
    behind = REASONS[5]
    assert "files" in behind
    # The home is that of all tests: what another warehouse exported there says nothing of this one.
    shutil.rmtree(revised.feed.settings.home / "export", ignore_errors=True)
    with connect("eco_engineer", application="tests") as conn:
        assert pending(conn, "air", ["cnemc_air_hourly"]) == behind
        [result] = exports.export_standing(revised.feed.conn, revised.feed.settings, ["air"])
        assert result.outcome == "done"
        conn.rollback()
        assert pending(conn, "air", ["cnemc_air_hourly"]) != behind
