"""What a face shows, how a column is written, where files are cut."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
import yaml

from ecowarehouse.datasets import Dataset
from ecowarehouse.exports import ExportError, faces, parts
from ecowarehouse.exports.facts import of_city
from ecowarehouse.exports.fields import Field, common_scales
from ecowarehouse.exports.manifest import Version
from ecowarehouse.settings import Settings

CHINA = "Asia/Shanghai"


def dataset(**publishing: Any) -> Dataset:
    known = {"authority": "a", "legal_basis": "b", "open": True, "note": {"zh": "注", "en": "note"}}
    return Dataset.model_validate(
        {
            "dataset": "air.station_hour", "title": {"zh": "题", "en": "title"}, "key": ["code", "hour"],
            "period": {"column": "hour", "grain": "hour"}, "feeds": ["feed"], "publishing": known | publishing,
            "open_columns": ["code", "hour", "so2"],
        }
    )  # fmt: skip


def test_the_public_gets_what_was_opened_and_departments_all() -> None:
    published = ["code", "hour", "secret", "so2"]
    assert faces.columns_shown(dataset(), "open", published) == ["code", "hour", "so2"]
    assert faces.columns_shown(dataset(), "shared", published) == published
    assert faces.is_shown(dataset(open=False), "shared")
    assert not faces.is_shown(dataset(open=False), "open")


def test_an_open_column_that_was_never_released_is_an_error() -> None:
    with pytest.raises(ExportError, match="open column so2 was never released"):
        faces.columns_shown(dataset(), "open", ["code", "hour"])


@pytest.mark.parametrize(("today", "held"), [
    (date(2019, 12, 31), True), (date(2020, 1, 1), False), (date(2020, 12, 31), False), (date(2021, 1, 1), True),
])  # fmt: skip
def test_the_ground_for_publishing_holds_from_its_first_to_its_last_day(today: date, held: bool) -> None:
    valid = dataset(valid_from="2020-01-01", valid_to="2020-12-31")
    assert (faces.withheld(valid, "open", today) is not None) is held
    assert faces.withheld(valid, "shared", today) is None


def test_a_scale_holds_every_value_of_the_version() -> None:
    assert common_scales([{"so2": 0, "co": 1}, {"so2": 4}]) == {"co": 3, "so2": 6}
    assert common_scales([{"mean": 16}]) == {"mean": 24}
    assert common_scales([]) == {}
    with pytest.raises(ExportError, match="column mean has a value with 30 decimals"):
        common_scales([{"mean": 30}])


def test_every_column_of_every_mart_can_be_exported() -> None:
    models = Settings.load().dbt_project / "models" / "marts"
    for path in models.glob("*/*__models.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            for column in model["columns"]:
                name = {"timestamptz": "timestamp with time zone"}.get(
                    column["data_type"], column["data_type"]
                )
                assert Field(column["name"], name.partition("(")[0], "", "").kind, (path, column)


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(ExportError, match="column spot: type point is not exported"):
        Field("spot", "point", "点", "spot").cell()


@pytest.mark.parametrize(("grain", "first", "name", "end"), [
    ("hour", "2019-07-01", "2019-07", "2019-08-01T00:00:00+08:00"),
    ("day", "2019-12-01", "2019-12", "2020-01-01T00:00:00+08:00"),
    ("month", "2019-01-01", "2019", "2020-01-01T00:00:00+08:00"),
    ("year", "2019-01-01", "2019", "2020-01-01T00:00:00+08:00"),
])  # fmt: skip
def test_parts_are_local_months_and_years(grain: Any, first: str, name: str, end: str) -> None:
    part = parts.make(grain, datetime.fromisoformat(first), 12, CHINA)
    assert (part.name, part.end.isoformat()) == (name, end)


def test_names_of_versions_read_back() -> None:
    for version in (Version(12), Version(12, 2), Version(1_234_567)):
        assert Version.parse(str(version)) == version
    assert str(Version(12)) == "v000012"
    assert Version.parse("v12") is None


def test_a_dataset_of_which_a_city_has_no_feed_is_none_of_its_own() -> None:
    ours, theirs, of_all = (
        dataset().model_copy(update={"dataset": name, "feeds": feeds})
        for name, feeds in (("a.one", ("here", "elsewhere")), ("a.two", ("elsewhere",)), ("a.all", ()))
    )
    assert [(one.dataset, one.feeds) for one in of_city([ours, theirs, of_all], {"here"})] == [
        ("a.one", ("here",)), ("a.all", ()),
    ]  # fmt: skip
