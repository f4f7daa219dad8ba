"""An export writes what is released, once, and again only what changed."""

from __future__ import annotations

from tests.integration.exports.export_house import ExportHouse


def test_a_version_is_a_manifest_with_files_by_month(house: ExportHouse) -> None:
    house.load(38, range(1, 25))
    house.load(340, range(337, 339))
    house.release()
    assert house.export().outcome == "done"
    package = house.package()
    assert [one["name"] for one in package["resources"]][:4] == [
        "2019-07", "2019-07.parquet", "2019-08", "2019-08.parquet",
    ]  # fmt: skip
    assert [one["rows"] for one in package["resources"] if "rows" in one] == [72, 6]
    before = house.hashes()
    assert house.export().outcome == "nothing_to_do"
    assert house.hashes() == before
