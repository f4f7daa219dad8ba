"""What was retracted vanishes from every file of every version; what was not stays."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from ecowarehouse import exports
from tests.integration.exports.export_house import ExportHouse
from tests.integration.exports.taking_back import retract, take_away
from tests.integration.feed_house import DAY

HOUR = timedelta(hours=1)
RETRACTED = "2019-07-18T07:00:00+08:00"


@pytest.fixture(scope="module")
def versions(house: ExportHouse) -> ExportHouse:
    """Three versions: July and August, a September beside them, then a July from which 07:00 has gone."""
    house.load(1100, range(1081, 1083))
    house.release()
    house.export()
    take_away(house, DAY + 7 * HOUR)
    return house


def _versions(house: ExportHouse) -> list[str]:
    return [path.name.partition(".")[0] for path in sorted(house.folder().glob("*.datapackage.json"))]


def _hours(house: ExportHouse) -> set[str]:
    """Every hour of every CSV in the folder, whatever version it belongs to."""
    texts = [gzip.decompress(path.read_bytes()).decode() for path in house.folder().glob("files/*.csv.gz")]
    return {line.split(",")[1] for text in texts for line in text.splitlines()}


def test_rows_that_no_longer_hold_stay_in_older_versions(versions: ExportHouse) -> None:
    versions.export()
    assert _versions(versions) == ["v000001", "v000002", "v000003"]
    assert RETRACTED in _hours(versions)


def test_retracted_rows_are_in_no_file_of_any_version(versions: ExportHouse) -> None:
    retract(versions, "retracted", DAY + 7 * HOUR)
    assert versions.export().outcome == "done"
    assert _versions(versions) == ["v000003"]
    assert RETRACTED not in _hours(versions)
    note = json.loads((versions.folder() / "v000001.removed.json").read_text())
    assert note["removed_because"]["zh"] == "含有已撤回的数据"
    listed = {one["path"] for one in versions.package()["resources"]}
    assert {
        path.relative_to(versions.folder()).as_posix() for path in versions.folder().glob("files/*")
    } == listed
    assert versions.export().outcome == "nothing_to_do"


def test_versions_after_it_are_left_alone(versions: ExportHouse) -> None:
    take_away(versions, DAY + 8 * HOUR)
    versions.export()
    assert _versions(versions) == ["v000003", "v000004"]


def test_a_superseded_decision_takes_nothing_back(versions: ExportHouse) -> None:
    retract(versions, "superseded", DAY + 7 * HOUR)
    versions.export()
    assert _versions(versions) == ["v000003", "v000004"]


def test_purge_by_hand_takes_versions_with_these_periods_only(versions: ExportHouse) -> None:
    none = exports.purge(
        versions.folder(), datetime(2018, 1, 1, tzinfo=UTC), datetime(2018, 2, 1, tzinfo=UTC), 4
    )
    assert none == []
    some = exports.purge(versions.folder(), DAY, DAY + 24 * HOUR, 4)
    assert [str(version) for version in some] == ["v000003"]
    assert versions.export().outcome == "nothing_to_do"
    assert versions.package()["version"] == "v000004"
