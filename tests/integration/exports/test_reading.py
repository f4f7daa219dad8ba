"""What others do with the files: Frictionless checks them, pandas and DuckDB read them straight from a web server."""

from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs
import frictionless
import httpx
import pandas as pd
import pyarrow.parquet as pq
import pytest

from ecowarehouse.datasets import load_datasets
from tests.integration.exports.export_house import STATIONS, ExportHouse

OPEN = ("air_station_day", "air_station_hour")
ARROW = {
    "datetime": "timestamp[us, tz=Asia/Shanghai]", "date": "date32[day]", "string": "string",
    "boolean": "bool", "integer": "int32", "number": "decimal128(38, 3)",
}  # fmt: skip
DUCK = {
    "datetime": "TIMESTAMP WITH TIME ZONE", "date": "DATE", "string": "VARCHAR", "boolean": "BOOLEAN",
    "integer": "INTEGER", "number": "DECIMAL(38,3)",
}  # fmt: skip


class Package:
    """The newest version of a dataset, found as a stranger finds it: by the index."""

    def __init__(self, address: str, folder: str) -> None:
        index = httpx.get(f"{address}/index.json").json()
        entry = next(one for one in index["datasets"] if one["dataset"].replace(".", "_") == folder)
        self.base = f"{address}/{folder}"
        self.content = httpx.get(f"{address}/{entry['datapackage']}").json()
        self.schema = httpx.get(f"{self.base}/{self.resource('schema')['path']}").json()

    def resource(self, name: str) -> dict[str, Any]:
        return next(one for one in self.content["resources"] if one["name"] == name)

    def url(self, name: str) -> str:
        return f"{self.base}/{self.resource(name)['path']}"

    @property
    def types(self) -> dict[str, str]:
        return {field["name"]: field["type"] for field in self.schema["fields"]}


@pytest.fixture(params=OPEN)
def package(request: pytest.FixtureRequest, address: str) -> Package:
    return Package(address, request.param)


@pytest.fixture
def hours(address: str) -> Package:
    return Package(address, "air_station_hour")


@pytest.fixture
def duck() -> duckdb.DuckDBPyConnection:
    """DuckDB with its extension for HTTP, from a file: it asks no server for it."""
    [extension] = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
    connection = duckdb.connect()
    connection.execute(f"load '{extension}'; set timezone = 'Asia/Shanghai'")
    return connection


@pytest.mark.parametrize("face", ["open", "shared"])
def test_frictionless_finds_every_package_valid(house: ExportHouse, face: Any) -> None:
    house.export(face=face)
    found = sorted((house.out / face).glob("*/*.datapackage.json"))
    assert len(found) == {"open": 2, "shared": 5}[face]
    for path in found:
        report = frictionless.Package(str(path)).validate()
        assert report.valid, (path, report.flatten(["type", "note"]))
        assert report.stats["tasks"] == len(json.loads(path.read_text())["resources"])


def test_frictionless_sees_a_changed_byte_and_a_wrong_cell(house: ExportHouse, tmp_path: Path) -> None:
    import gzip
    import shutil

    folder = Path(shutil.copytree(house.folder(), tmp_path / "air_station_hour"))
    [manifest] = folder.glob("*.datapackage.json")
    [part] = folder.glob("files/2019-07.*.csv.gz")
    text = gzip.decompress(part.read_bytes()).decode()
    part.write_bytes(gzip.compress(text.replace("优", "佳", 1).encode()))
    kinds = {kind for (kind,) in frictionless.Package(str(manifest)).validate().flatten(["type"])}
    assert {"constraint-error", "hash-count"} & kinds == {"constraint-error", "hash-count"}


def test_sha256sum_checks_a_version_by_its_list(house: ExportHouse) -> None:
    for folder in OPEN:
        [sums] = (house.out / "open" / folder).glob("*.SHA256SUMS")
        done = subprocess.run(
            ["sha256sum", "--check", "--strict", sums.name], cwd=sums.parent, capture_output=True
        )
        assert done.returncode == 0, done.stdout
        listed = {line.split()[1] for line in sums.read_text().splitlines()}
        there = {
            path.relative_to(sums.parent).as_posix() for path in sums.parent.rglob("*.*") if path.is_file()
        }
        assert there - listed == {"latest.json", sums.name}


def test_pandas_reads_csv_from_the_web_with_the_types_of_the_dictionary(hours: Package) -> None:
    types = hours.types
    frame = pd.read_csv(
        hours.url("2019-07"),
        dtype={
            name: {"string": "string", "integer": "Int64", "boolean": "boolean"}[kind]
            for name, kind in types.items()
            if kind in ("string", "integer", "boolean")
        },
        converters={name: _decimal for name, kind in types.items() if kind == "number"},
        parse_dates=[name for name, kind in types.items() if kind == "datetime"],
    )
    assert list(frame.columns) == list(types)
    assert len(frame) == 72
    first = frame.iloc[0]
    assert first["period_start"] == pd.Timestamp("2019-07-18T00:00:00+08:00")
    assert first["co"] == Decimal("0.7")
    assert isinstance(frame["period_start"].dtype, pd.DatetimeTZDtype)
    assert frame["known_at"].dt.tz is not None
    assert str(frame["aqi"].dtype) == "Int64"
    assert str(frame["takes_part"].dtype) == "boolean"


def _decimal(cell: str) -> Decimal | None:
    return Decimal(cell) if cell else None


def test_pandas_reads_parquet_from_the_web_with_the_types_of_the_dictionary(package: Package) -> None:
    frame = pd.read_parquet(package.url("2019-07.parquet"), dtype_backend="pyarrow")
    types = {name: ARROW[kind] for name, kind in package.types.items()}
    assert {name: str(kind.pyarrow_dtype) for name, kind in frame.dtypes.items()} == types


def test_duckdb_reads_all_months_from_the_web_with_the_types_of_the_dictionary(
    package: Package, duck: duckdb.DuckDBPyConnection
) -> None:
    urls = [package.url(f"{month}.parquet") for month in ("2019-07", "2019-08")]
    rows = duck.execute("describe select * from read_parquet($urls)", {"urls": urls}).fetchall()
    assert {name: kind for name, kind, *_ in rows} == {
        name: DUCK[kind] for name, kind in package.types.items()
    }
    csv = [package.url(month) for month in ("2019-07", "2019-08")]
    given = {name: DUCK[kind] for name, kind in package.types.items()}
    same = duck.execute(
        "with a as (select * from read_parquet($urls)), b as (select * from read_csv($csv, columns = $given))"
        " select (select count(*) from a), (select count(*) from (from a except from b)),"
        " (select count(*) from (from b except from a))",
        {"urls": urls, "csv": csv, "given": given},
    ).fetchone()
    assert same == (package.content["rows"], 0, 0)


def test_duckdb_guesses_most_types_of_the_csv(hours: Package, duck: duckdb.DuckDBPyConnection) -> None:
    relation = duck.sql(f"select * from read_csv('{hours.url('2019-07')}')")
    guessed = dict(zip(relation.columns, map(str, relation.types), strict=True))
    assert guessed["period_start"] == "TIMESTAMP WITH TIME ZONE"
    assert (guessed["station_code"], guessed["aqi"], guessed["takes_part"]) == (
        "VARCHAR",
        "BIGINT",
        "BOOLEAN",
    )


def test_files_hold_exactly_what_the_public_may_query(house: ExportHouse, package: Package) -> None:
    dataset = package.content["dataset"]
    face = next(one for one in load_datasets(house.feed.settings) if one.dataset == dataset)
    names = list(package.types)
    assert sorted(names) == sorted(face.open_columns)
    order = " order by " + ", ".join(face.key)
    asked = house.feed.all(f"select {', '.join(names)} from open.{dataset.replace('.', '_')}{order}")
    tables = [
        pq.read_table(house.folder(dataset) / package.resource(f"{m}.parquet")["path"])
        for m in ("2019-07", "2019-08")
    ]
    told = [tuple(row[name] for name in names) for table in tables for row in table.to_pylist()]
    assert sorted(map(_plain, told)) == sorted(map(_plain, asked))


def _plain(row: tuple[Any, ...]) -> tuple[str, ...]:
    def text(cell: Any) -> str:
        if isinstance(cell, Decimal):
            return f"{cell.normalize():f}"
        return cell.astimezone().isoformat() if isinstance(cell, datetime) else str(cell)

    return tuple(map(text, row))


def test_rows_stand_in_key_order(hours: Package) -> None:
    frame = pd.read_csv(hours.url("2019-07"))
    keys = list(zip(frame["station_code"], frame["period_start"], strict=True))
    assert keys == sorted(keys)
    assert set(frame["station_code"]) == set(STATIONS)


def test_source_licence_edition_and_units_travel_with_each_file(house: ExportHouse, package: Package) -> None:
    resource = package.resource("2019-07.parquet")
    file = pq.read_schema(house.folder(package.content["dataset"]) / resource["path"])
    said = json.loads(file.metadata[b"ecowarehouse"])
    assert said["note"] == {"zh": "未经审核，仅供参考", "en": "Not reviewed, for reference only"}
    assert said["authority"] == "中国环境监测总站"
    assert said["legal_basis"].startswith("HJ 633")
    assert said["sources"][0]["licence"] == said["licenses"][0]["title"] != ""
    assert [one["standard"] for one in said["editions"]] == ["HJ 633-2012"]
    assert said["synthetic"] is False
    assert said["release"]["batches_count"] == 2
    assert len(said["release"]["batches_sha256"]) == 64
    assert file.field("so2").metadata[b"unit"] == b"ug/m3"
    assert file.field("so2").metadata[b"title"].decode().startswith("二氧化硫")
    by_name = {field["name"]: field for field in package.schema["fields"]}
    assert by_name["so2"]["unit"] == "ug/m3"
    assert package.schema["primaryKey"] == list(by_name)[:2]
    for language, word in (("zh", "单位"), ("en", "Unit")):
        page = httpx.get(package.url(f"dictionary-{language}")).text
        assert word in page
        assert "ug/m3" in page
        assert said["licenses"][0]["title"] in page


def test_the_manifest_names_the_bytes_that_went_in(house: ExportHouse, hours: Package) -> None:
    batches = {sha for release in hours.content["releases"] for sha in release["batches"]}
    assert batches == {sha for (sha,) in house.feed.all("select sha256 from landing.batch")}
    for resource in hours.content["resources"]:
        content = (house.folder() / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert resource["bytes"] == len(content)


def test_the_index_tells_age_and_state_of_every_open_dataset(house: ExportHouse) -> None:
    index = house.json("index.json")
    hour = next(one for one in index["datasets"] if one["dataset"] == "air.station_hour")
    assert (hour["rows"], hour["period_from"], hour["period_to"]) == (
        78, "2019-07-18T00:00:00+08:00", "2019-08-01T02:00:00+08:00",
    )  # fmt: skip
    assert hour["gate"]["released"] + hour["gate"]["open"] == 26
    assert hour["synthetic"] is False
    assert index["city"]["en"] == "Guiping"
    moments = [
        datetime.fromisoformat(one["last_updated"]) for one in index["datasets"] if one["last_updated"]
    ]
    assert datetime.fromisoformat(index["last_updated"]) >= max(moments)
    assert date.fromisoformat(hour["valid_from"]) < date(2019, 1, 1)
    assert timedelta(0) < datetime.fromisoformat(hour["period_to"]) - datetime.fromisoformat(
        hour["period_from"]
    )
