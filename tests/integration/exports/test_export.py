"""An export writes what is released, once, and again only what changed. The tests build on each other, in order."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecowarehouse import exports
from ecowarehouse.contracts import load_contracts
from ecowarehouse.exports import ExportError
from ecowarehouse.postgres.connection import connect
from tests.integration.exports.export_house import ExportHouse
from tests.integration.feed_house import DAY, row


def paths(house: ExportHouse, dataset: str = "air.station_hour") -> dict[str, str]:
    """Path of each resource of the newest version."""
    return {one["name"]: one["path"] for one in house.package(dataset)["resources"]}


def scratch(house: ExportHouse, folder: Path, **more: Any) -> ExportHouse:
    """The same released data exported into an empty folder."""
    other = ExportHouse(house.feed, folder)
    other.export(**more)
    return other


def test_a_version_is_a_manifest_with_files_by_month(house: ExportHouse) -> None:
    package = house.package()
    assert package["version"] == "v000001"
    assert [one["name"] for one in package["resources"]] == [
        "2019-07", "2019-07.parquet", "2019-08", "2019-08.parquet", "dictionary-en", "dictionary-zh", "schema",
    ]  # fmt: skip
    assert [one["rows"] for one in package["resources"] if "rows" in one] == [72, 6]


def test_exporting_twice_changes_no_byte(house: ExportHouse, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in house.out.rglob("*") if path.is_file()}
    content = house.hashes()
    assert house.export().outcome == "nothing_to_do"
    assert house.hashes() == content
    assert {path: path.stat().st_mtime_ns for path in before if path.suffix != ".lock"} == {
        path: moment for path, moment in before.items() if path.suffix != ".lock"
    }, "not even written again"
    assert scratch(house, tmp_path / "other").hashes() == content, "nor elsewhere"


def test_the_order_in_which_rows_lie_in_the_table_changes_no_byte(house: ExportHouse, tmp_path: Path) -> None:
    house.feed.admin.execute(
        "update published.air_station_hour set so2 = so2"
        " where station_code = 'S1' and period_start < '2019-07-18 08:00+08'"
    )
    house.feed.conn.execute(
        "set enable_indexscan = off; set enable_bitmapscan = off; set enable_indexonlyscan = off"
    )
    house.feed.conn.commit()
    try:
        assert scratch(house, tmp_path).hashes() == house.hashes()
    finally:
        house.feed.conn.execute("reset all")
        house.feed.conn.commit()


def test_no_file_carries_the_time_or_the_name_under_which_it_was_written(house: ExportHouse) -> None:
    for path in house.out.rglob("*.csv.gz"):
        head = path.read_bytes()[:10]
        assert head[3] == 0, "no name"
        assert head[4:8] == bytes(4), "no time"


def test_a_lost_file_comes_back(house: ExportHouse) -> None:
    before = house.hashes()
    (house.folder() / paths(house)["2019-07"]).unlink()
    (house.folder("air.station_day") / "latest.json").unlink()
    assert house.export().outcome == "done"
    assert house.hashes() == before


def test_an_internal_dataset_is_nowhere_on_the_open_face(house: ExportHouse) -> None:
    house.export(face="shared")
    internal = {"air.area_day", "air.area_month", "air.area_year"}
    shared = {one["dataset"] for one in house.json("index.json", "shared")["datasets"]}
    governance = {
        f"governance.{name}" for name in ("completeness_day", "operator_response", "site_plan_coverage")
    }
    public = {one["dataset"] for one in house.json("index.json")["datasets"]}
    assert shared - public == {*internal, *governance, "weather.station_hour"}
    assert house.folder("air.area_day", "shared").is_dir()
    assert {path.name for path in (house.out / "open").iterdir()} == {
        "air_station_day",
        "air_station_hour",
        "codelists",
        "index.json",
        "portal",
    }
    page = house.json("portal/data/page.json")
    assert not set(page["made_from"]) & internal, "the page names them, and has no row of them"
    assert page["air_area_yesterday"] is None
    with pytest.raises(ExportError, match=r"the face open has no dataset air\.area_day"):
        house.export("air.area_day")


def test_months_and_years_are_cut_by_year(house: ExportHouse) -> None:
    house.export(face="shared")
    assert "2019.parquet" in {one["name"] for one in house.package("air.area_month", "shared")["resources"]}
    assert "2019.parquet" in {one["name"] for one in house.package("air.area_year", "shared")["resources"]}


def test_a_column_that_nobody_opened_is_in_no_open_file(house: ExportHouse, tmp_path: Path) -> None:
    house.feed.admin.execute(
        "alter table published.air_station_hour add column planted text default 'not for all'"
    )
    try:
        other = scratch(house, tmp_path)
        other.export(face="shared")
        assert "planted" in columns(other, "shared")
        assert columns(other, "open").isdisjoint({"planted", "area_zh"})
        assert columns(other, "open") == columns(house, "open")
        for path in (tmp_path / "open").rglob("*.*"):
            assert b"not for all" not in plain(path), path
            assert b"planted" not in plain(path), path
    finally:
        house.feed.admin.execute("alter table published.air_station_hour drop column planted")


def columns(house: ExportHouse, face: Any) -> set[str]:
    import pyarrow.parquet as pq

    found: set[str] = set()
    for path in house.folder(face=face).glob("files/*.parquet"):
        found |= set(pq.read_schema(path).names)
    return found


def plain(path: Path) -> bytes:
    import gzip

    import pyarrow.parquet as pq

    if path.is_dir():
        return b""
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pydict()).encode()
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_without_a_valid_ground_nothing_is_offered_and_the_reason_is_told(
    house: ExportHouse, tmp_path: Path
) -> None:
    other = scratch(house, tmp_path)
    before = other.hashes()
    result = other.export(today=date(2012, 12, 31))
    assert result.withheld["air.station_hour"] == "the ground for publishing holds from 2013-01-01 on"
    assert {name for name in other.hashes() if not name.startswith(("codelists/", "portal/"))} == {
        "index.json"
    }
    page = other.json("portal/data/page.json")
    assert (page["air_hour"], page["air_yesterday"], page["corrections"]) == (None, None, {})
    entry = other.json("index.json")["datasets"][1]
    assert (entry["open"], entry["latest"], entry["rows"]) == (False, None, 0)
    assert entry["withheld"]["zh"] == "发布依据自 2013-01-01 起生效"
    other.export(face="shared", today=date(2012, 12, 31))
    assert other.folder(face="shared").is_dir(), "departments do not depend on it"
    other.export()
    assert other.hashes() == before


def test_two_exports_at_once_take_turns(house: ExportHouse, tmp_path: Path) -> None:
    results: list[str] = []

    def run() -> None:
        with connect(application="tests") as conn:
            results.append(exports.export(conn, house.feed.settings, out=tmp_path).outcome)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["done", "nothing_to_do"]
    assert ExportHouse(house.feed, tmp_path).hashes() == house.hashes()


def test_one_broken_dataset_stops_no_other(house: ExportHouse, tmp_path: Path) -> None:
    house.feed.admin.execute("alter table published.air_station_day add column odd point")
    try:
        with pytest.raises(ExportError, match=r"air\.station_day: column odd: type point is not exported"):
            scratch(house, tmp_path, face="shared")
    finally:
        house.feed.admin.execute("alter table published.air_station_day drop column odd")
    index = ExportHouse(house.feed, tmp_path).json("index.json", "shared")
    versions = {one["dataset"]: one["latest_version"] for one in index["datasets"]}
    assert versions["air.station_day"] is None
    assert versions["air.station_hour"] == "v000001"


def test_a_proposed_contract_that_nobody_has_finished_is_no_source(
    house: ExportHouse, tmp_path: Path
) -> None:
    settings = house.feed.settings
    city = Path(shutil.copytree(settings.city, tmp_path / "city"))
    contract = city / "sources" / "ecology_environment" / "station_air_hourly.yml"
    proposed = contract.read_text(encoding="utf-8").replace("feed: station_air_hourly", "feed: proposed_air")
    contract.with_name("proposed_air.yml").write_text(proposed + "# TODO unit: of what?\n", encoding="utf-8")
    assert "proposed_air.yml" in str(list(load_contracts(city).broken))
    out = tmp_path / "out"
    exports.export(house.feed.conn, replace(settings, city=city), (), face="open", out=out)
    assert (out / "open" / "air_station_hour" / "latest.json").exists()


def test_a_revised_row_makes_a_version_that_touches_one_month(house: ExportHouse, tmp_path: Path) -> None:
    first, old = paths(house), house.hashes()
    house.load(350, range(12, 13), so2=40)
    house.release()
    result = house.export()
    assert (result.written["air.station_hour"].parts, result.written["air.station_hour"].of) == (1, 2)
    second = paths(house)
    assert house.package()["rows"] == 78, "the old value is not beside the new one"
    assert (
        plain(house.folder() / second["2019-07"]).count(
            b"2019-07-18T11:00:00+08:00,2019-07-18T12:00:00+08:00"
        )
        == 3
    )
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"2019-07", "2019-07.parquet"}
    now = house.hashes()
    kept = {
        name: hashed
        for name, hashed in old.items()
        if not name.endswith(("latest.json", "index.json", "page.json"))
    }
    assert kept.items() <= now.items(), "the first version stands with all its files"
    assert [one["release_id"] for one in house.package()["resources"] if "rows" in one] == [2, 1]
    other = scratch(house, tmp_path)
    newest = house.json("air_station_hour/latest.json")
    assert other.json("air_station_hour/latest.json") == newest, "as if it had been written from nothing"


def test_a_value_with_more_decimals_widens_the_type_in_all_months(house: ExportHouse, tmp_path: Path) -> None:
    before = paths(house)
    house.load(360, range(5, 6), co="0.71234")
    house.release()
    house.export()
    package, after = house.package(), paths(house)
    assert (package["scales"]["co"], package["scales"]["so2"]) == (6, 3)
    assert after["2019-08"] == before["2019-08"]
    assert after["2019-08.parquet"] != before["2019-08.parquet"]
    assert scratch(house, tmp_path).json("air_station_hour/latest.json") == house.json(
        "air_station_hour/latest.json"
    )


def test_a_blocked_period_is_absent_and_counted(house: ExportHouse) -> None:

    house.feed.load(DAY + timedelta(hours=380), [row("S1", 340, so2=12, o3_24h=12)])
    house.release()
    house.export()
    entry = house.json("index.json")["datasets"][1]
    assert entry["gate"]["blocked"] == 1
    assert entry["period_to"] == "2019-08-01T02:00:00+08:00"
    assert b"2019-08-01T03:00:00" not in plain(house.folder() / paths(house)["2019-08"])


def test_a_closed_column_leaves_old_versions_too(house: ExportHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecowarehouse.exports import exporting

    def closed(settings: Any) -> Any:
        return [
            one.model_copy(update={"open_columns": tuple(c for c in one.open_columns if c != "so2")})
            for one in original(settings)
        ]

    original = exporting.load_datasets
    house.export(face="shared")
    version = house.package()["version"]
    older = len(list(house.folder().glob("*.datapackage.json")))
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "load_datasets", closed)
        house.export()
        assert house.package()["version"] == f"{version}.2"
        assert "so2" not in columns(house, "open")
        assert "so2" in columns(house, "shared")
        assert [path.name for path in house.folder().glob("*.datapackage.json")] == [
            f"{version}.2.datapackage.json"
        ]
        assert len(list(house.folder().glob("*.removed.json"))) == older
        assert "no longer shown" in (house.folder() / "v000001.removed.json").read_text()
        assert house.export().outcome == "nothing_to_do"
    house.export()
    assert house.package()["version"] == f"{version}.3", "a name that was taken back is not given again"


def test_every_export_has_its_row_in_the_ledger(house: ExportHouse) -> None:
    outcomes = house.feed.all(
        "select distinct outcome from governance.attempt where kind = 'export' and subject = %s",
        f"open {house.out}",
    )
    assert sorted(outcomes) == [("done",), ("nothing_to_do",)]


def test_after_a_restore_numbers_of_releases_may_come_again_and_files_follow(house: ExportHouse) -> None:
    version, before = house.package()["version"], paths(house)
    house.feed.admin.execute("update governance.release set released_at = released_at + interval '1 second'")
    house.feed.admin.execute(
        "update published.air_station_hour set so2 = 99 where period_start > '2019-07-31'"
    )
    house.export()
    assert house.package()["version"] != version
    assert house.package()["release_id"] == int(version[1:].partition(".")[0])
    assert paths(house)["2019-08"] != before["2019-08"]
    assert b",99," in plain(house.folder() / paths(house)["2019-08"])
