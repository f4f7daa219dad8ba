"""Contracts: what is accepted, and what people are told when it isn't."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from ecowarehouse.contracts import ObservationContract, json_schema, load_contracts
from ecowarehouse.contracts.scaffold import ScaffoldError, new_files
from ecowarehouse.contracts.staging import cells_sql, differences
from ecowarehouse.contracts.values import normal_unit

ROOT = Path(__file__).resolve().parents[3]
AIR = "sources/cnemc/cnemc_air_hourly.yml"


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "city", tmp_path / "city"))


def change(city: Path, old: str, new: str, file: str = AIR) -> str:
    """Change one contract and return what is said of it."""
    path = city / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    broken = load_contracts(city).broken
    assert list(broken) == [file.removeprefix("sources/")]
    message = next(iter(broken.values())).message
    assert all(line.startswith(f"city/{file}: ") for line in message.splitlines())
    return message


def test_the_contracts_of_the_city_are_valid_and_sorted() -> None:
    found = load_contracts(ROOT / "city")
    assert not found.broken
    files = sorted(path.stem for path in (ROOT / "city" / "sources").rglob("*.yml"))
    assert list(found.contracts) == files
    assert list(found.observations) == sorted(found.observations)
    assert {"operator_visit", "section", "section_target", "site_plan"} <= {*files} - {*found.observations}
    assert found.elements == tuple(sorted({one.element for one in found.contracts.values()}))


def test_defaults_and_helpers() -> None:
    air = load_contracts(ROOT / "city")["cnemc_air_hourly"]
    assert air.channels["so2"].procedure == "measured"
    assert air.channels["so2"].original_unit == "ug/m3"
    assert air.channels["so2"].factor == 1
    assert air.channels["so2_24h"].averaging == timedelta(days=1)
    assert "quality" not in air.number_channels
    assert (air.averaging, air.lateness) == (timedelta(hours=1), timedelta(hours=3))
    assert (air.landing_relation, air.staging_relation) == (
        "landing.cnemc_air_hourly",
        "staging.stg_cnemc_air_hourly",
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("licence: ", "licnece: ", "licnece: extra inputs are not permitted"),
        ("authority: 中国环境监测总站\n", "", "authority: is missing; add it"),
        ("version: 1", "version: one", 'version: input should be a valid integer; found "one"'),
        ("version: 1", "version: 1\nversion: 2", "'version' stands twice"),
        ("averaging: PT8H", "averaging: 8 hours", "write an ISO 8601 duration"),
        ("from: receipt", "from: recept", "known_at.3: input tag 'recept'"),
        ("pattern: '对照点'", "pattern: '('", "site.types.0.pattern: no valid regular expression"),
        (", so2_24h, no2,", ", so2_24h,", "channels: not in the header: no2"),
        ("so2, so2_24h,", "so2, so2, so2_24h,", "header names a column twice: so2"),
        ("key: [stationcode, timepoint]", "key: [stationcode]", "key must hold the period column timepoint"),
        ("code: stationcode", "code: station", "site: not in the header: station"),
        ("department: cnemc", "department: nobody", "'nobody' is not in departments.yml"),
        ("element: air", "element: noise", "'cnemc' has no duty for 'noise' in duties.csv"),
        ("property: so2,", "property: so3,", "channels.so2.property: 'so3' is not in the vocabulary"),
        ("unit: mg/m3", "unit: ug/m3", "channels.co.unit: 'ug/m3' is not the unit of co in the vocabulary"),
        ("feed: cnemc_air_hourly", "feed: cnemc_air", "rename it cnemc_air.yml"),
        ("timezone: Asia/Shanghai", "timezone: Asia/Guiping", "period.timezone: no time zone"),
        ("format: '%Y-%m-%dT%H:%M:%S'", "format: '%y-%m'", "write iso8601, or a format of"),
        ("${cnemc_air.url}", "${CNEMC_URL}", "is no name of a secret"),
        ("encoding: utf-8-sig", "encoding: utf-9", "no encoding that Python knows"),
        (
            "series_kind: real_time",
            "series_kind: real_time\nnot_measured: {marks: [x]}",
            "not_measured.marks: not among the sentinels: 'x'",
        ),
        (
            "series_kind: real_time",
            "series_kind: real_time\nnot_measured: {marks: [''], column: quality}",
            "not_measured: column and says go together",
        ),
        (
            "series_kind: real_time",
            "series_kind: real_time\nnot_measured: {marks: [''], channels: [algae]}",
            "not_measured.channels: no channels: algae",
        ),
        (
            "series_kind: real_time",
            "series_kind: real_time\nnot_measured: {marks: [''], column: quality, says: [' 优']}",
            "not_measured.says: texts as they are after `trim`",
        ),
        ("feed: cnemc_air_hourly", "feed: [", "no valid YAML"),
    ],
)
def test_each_mistake_is_named_with_its_mend(city: Path, old: str, new: str, expected: str) -> None:
    assert expected in change(city, old, new)


def test_a_broken_contract_leaves_the_others(city: Path) -> None:
    before = set(load_contracts(city).contracts)
    change(city, "version: 1", "version: x")
    found = load_contracts(city)
    assert set(found.contracts) == before - {"cnemc_air_hourly"}
    with pytest.raises(KeyError, match="is broken"):
        found["cnemc_air_hourly"]
    with pytest.raises(KeyError, match=r"there are: accreditation, cnemc_water_station, .*weather_hourly"):
        found["nothing"]


def test_one_name_in_two_files_is_refused_for_both(city: Path) -> None:
    (city / "sources" / "copy").mkdir()
    shutil.copy(city / AIR, city / "sources" / "copy" / "cnemc_air_hourly.yml")
    found = load_contracts(city)
    assert "cnemc_air_hourly" not in found.contracts
    assert len(found.broken) == 2
    assert all("rename one of them" in broken.message for broken in found.broken.values())


@pytest.mark.parametrize("unit", ["ug/m3", "µg/m3", "μg/m³", " ug/m³"])
def test_one_unit_has_many_spellings(city: Path, unit: str) -> None:
    path = city / AIR
    path.write_text(
        path.read_text(encoding="utf-8").replace("unit: ug/m3", f"unit: '{unit}'"), encoding="utf-8"
    )
    assert normal_unit(unit) == "ug/m3"
    assert load_contracts(city)["cnemc_air_hourly"].channels["so2"].unit == "ug/m3"


def test_a_factor_needs_both_units(city: Path) -> None:
    message = change(
        city, "co, averaging: PT1H, unit: mg/m3", "co, averaging: PT1H, unit: mg/m3, factor: 1000"
    )
    assert "factor and original_unit go together" in message


def test_a_factor_stands_in_the_staging_view(city: Path) -> None:
    path = city / AIR
    text = path.read_text(encoding="utf-8")
    scaled = "co, averaging: PT1H, unit: mg/m3, original_unit: ug/m3, factor: '0.001'"
    path.write_text(text.replace("co, averaging: PT1H, unit: mg/m3", scaled, 1), encoding="utf-8")
    sql = cells_sql(load_contracts(city)["cnemc_air_hourly"])
    assert "('co', btrim(coalesce(co, ''), e'\\u3000 '), true, 0.001)" in sql
    assert "cell.text::numeric * cell.factor" in sql
    assert "cell.factor" not in cells_sql(load_contracts(ROOT / "city")["cnemc_air_hourly"])


def test_committed_views_and_schema_are_what_the_contracts_say() -> None:
    for contract in load_contracts(ROOT / "city").contracts.values():
        assert differences(contract, ROOT / "dbt_project") == []
    committed = json.loads((ROOT / "docs" / "contract.schema.json").read_text(encoding="utf-8"))
    assert committed == json_schema()


def test_a_new_feed_without_an_answer_begins_with_questions_and_overwrites_nothing(
    city: Path, tmp_path: Path
) -> None:
    files = new_files(tmp_path, city, "soot_hourly", "meteorology", "weather")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    [contract] = city.glob("sources/*/soot_hourly.yml")
    [broken] = load_contracts(city).broken.values()
    assert broken.message.count("still open") == 6
    contract.write_text(re.sub(r" *# TODO .*", "", contract.read_text(encoding="utf-8")), encoding="utf-8")
    assert "soot_hourly" in load_contracts(city).contracts
    with pytest.raises(ScaffoldError, match="exists"):
        new_files(tmp_path, city, "soot_hourly", "meteorology", "weather")
    with pytest.raises(ScaffoldError, match="lower-case"):
        new_files(tmp_path, city, "../x", "meteorology", "weather")
    with pytest.raises(ScaffoldError, match="'meteorology' has no duty for 'noise'"):
        new_files(tmp_path, city, "noise_daily", "meteorology", "noise")


def test_a_column_that_bears_a_word_of_sql_is_quoted_in_its_view() -> None:
    found = load_contracts(ROOT / "tests" / "cities" / "elsewhere")["eurdep_dose_rate"]
    assert isinstance(found, ObservationContract)
    query = cells_sql(found)
    assert "btrim(\"end\", ' ')" in query
    assert "btrim(end," not in query
