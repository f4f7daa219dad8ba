"""Features of GeoJSON and GeoPackage: attributes as text, geometries kept."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecowarehouse import formats
from ecowarehouse.contracts import EntityContract
from ecowarehouse.formats import FormatProblem
from tests.unit.formats.form_house import contract, problem, rows

HEADER = ["code", "year", "feature_id", "geometry", "geometry_x", "crs", "area"]
HEADINGS = {"地块": "code", "面积": "area"}
OPTIONS: dict[str, Any] = {"headings": HEADINGS, "ignore": ["note"]}
SQUARE = {"type": "Polygon", "coordinates": [[[110, 23], [110.1, 23], [110.1, 23.1], [110, 23]]]}
POINT = {"type": "Point", "coordinates": [110.05, 23.4]}


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    said = {"地块": "P1", "year": 2025, "面积": 1.5, "note": "x", **properties}
    return {"type": "Feature", "id": 7, "properties": said, "geometry": geometry}


def collection(*features: Any, **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}).encode()


def geojson(payload: bytes, **options: Any) -> formats.ReceivedTable:
    return formats.read_table(contract("geojson", HEADER, OPTIONS | options), "geojson", payload)


def test_features_are_rows_with_geometry_and_system() -> None:
    found = geojson(collection(feature(SQUARE), feature(POINT), feature()).replace(b"1.5", b"1.50"))
    assert rows(found) == [
        ["P1", "2025", "7", "POLYGON ((110 23, 110.1 23, 110.1 23.1, 110 23))", "", "OGC:CRS84", "1.50"],
        ["P1", "2025", "7", "POINT (110.05 23.4)", "110.05", "OGC:CRS84", "1.50"],
        ["P1", "2025", "7", "", "", "OGC:CRS84", "1.50"],
    ]


def test_a_named_system_and_geometries_in_hex() -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    row = geojson(collection(feature(POINT), crs=crs), geometry="wkb").table.to_pylist()[0]
    assert row["crs"] == "urn:ogc:def:crs:EPSG::4490"
    assert shapely.from_wkb(row["geometry"]) == shapely.Point(110.05, 23.4)


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]},
        {"type": "Point", "coordinates": ["x", 1]},
        {"type": "Circle", "coordinates": [1, 2]},
        {"type": "Point"},
        [1, 2],
    ],
)
def test_a_geometry_that_is_none_rejects_its_feature_alone(geometry: Any) -> None:
    found = geojson(collection(feature(POINT), feature(geometry)))
    assert [(one.row_number, one.reason) for one in found.rejects] == [(2, "geometry_unreadable")]
    assert len(found.table) == 1


@pytest.mark.parametrize(
    "coordinates", [[[[110, 23], [110, 24], [111, 24], [111, 23]]], [[[float("nan"), 23], [1, 2], [1, 3]]]]
)
def test_a_collection_of_nothing_but_geometries_that_are_none_keeps_its_rejects(coordinates: Any) -> None:
    found = geojson(collection(feature({"type": "Polygon", "coordinates": coordinates})))
    assert [(one.row_number, one.reason) for one in found.rejects] == [(1, "geometry_unreadable")]
    assert len(found.table) == 0


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (collection(feature(POINT))[:-9], "truncated"),
        (collection(), "no_rows"),
        (b'{"type": "Topology"}', "no FeatureCollection with a list of features"),
        (collection({"type": "Point"}), "item 1 of features is no Feature"),
        (collection(feature(POINT, owner="x")), "header_changed: unknown: owner"),
        (collection({"type": "Feature", "properties": [1], "geometry": None}), "are no object"),
    ],
)
def test_what_is_no_collection_is_named(payload: bytes, told: str) -> None:
    assert told in problem(contract("geojson", HEADER, OPTIONS), "geojson", payload)


def blob(geometry: Any, flags: int = 1, envelope: bytes = b"") -> bytes:
    return b"GP\0" + bytes([flags]) + struct.pack("<i", 4490) + envelope + shapely.to_wkb(geometry)


BOX = blob(shapely.box(0, 0, 1, 1), 0b11, struct.pack("<4d", 0, 1, 0, 1))


def geopackage(path: Path, change: Callable[[sqlite3.Connection], None] | None = None) -> bytes:
    """A GeoPackage of three plots, changed before it is closed."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as base:
        base.executescript(
            """
            pragma application_id = 1196444487;
            create table gpkg_spatial_ref_sys (srs_name text, srs_id integer primary key, organization text,
                organization_coordsys_id integer, definition text);
            create table gpkg_contents (table_name text primary key, data_type text, srs_id integer);
            create table gpkg_geometry_columns (table_name text, column_name text, srs_id integer);
            create table plots (fid integer primary key, shape blob, "地块" text, year integer, "面积" real, note text);
            insert into gpkg_spatial_ref_sys values ('CGCS2000', 4490, 'epsg', 4490, 'x');
            insert into gpkg_contents values ('plots', 'features', 4490);
            insert into gpkg_geometry_columns values ('plots', 'shape', 4490);
            """
        )
        point = blob(shapely.Point(110.05, 23.4))
        base.execute("insert into plots values (2, ?, 'P2', 2025, 0.1, null)", [BOX])
        base.execute("insert into plots values (1, ?, 'P1', 2025, 1e-7, 'x')", [point])
        base.execute("insert into plots values (3, null, 'P3', null, 3, null)")
        if change is not None:
            change(base)
    base.close()
    return path.read_bytes()


def test_a_layer_is_read_in_the_order_of_its_ids(tmp_path: Path) -> None:
    made = contract("geopackage", HEADER, OPTIONS)
    found = formats.read_table(made, "geopackage", geopackage(tmp_path / "a.gpkg"))
    assert rows(found) == [
        ["P1", "2025", "1", "POINT (110.05 23.4)", "110.05", "EPSG:4490", "0.0000001"],
        ["P2", "2025", "2", "POLYGON ((1 0, 1 1, 0 1, 0 0, 1 0))", "", "EPSG:4490", "0.1"],
        ["P3", "", "3", "", "", "EPSG:4490", "3"],
    ]


def sql(text: str) -> Callable[[sqlite3.Connection], None]:
    return lambda base: [base.execute(one) for one in text.split(";")] and None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (sql("drop table gpkg_contents"), "without gpkg_contents: no GeoPackage"),
        (sql("delete from gpkg_contents"), "name the layer in the contract; there are: none"),
        (sql("delete from gpkg_geometry_columns"), "no column of geometries is named for plots"),
        (sql("delete from plots"), "no_rows"),
        (sql("alter table plots add column owner text"), "header_changed: unknown: owner"),
        (sql("drop table plots; create view plots as select 1 as shape"), "name the layer in the contract"),
        (
            sql("create table b (x); insert into gpkg_contents values ('b', 'features', 1)"),
            "there are: b, plots",
        ),
        (
            sql("update plots set \"地块\" = cast(x'ff' as text)"),
            "no sound GeoPackage: Could not decode to UTF-8",
        ),
    ],
)
def test_what_is_no_geopackage_is_named(
    change: Callable[[sqlite3.Connection], None], told: str, tmp_path: Path
) -> None:
    payload = geopackage(tmp_path / "a.gpkg", change)
    assert told in problem(contract("geopackage", HEADER, OPTIONS), "geopackage", payload)


@pytest.mark.parametrize(
    "wrong", [b"x", b"GP\0\1\0\0\0\0\1", b"GP\0\x21" + b"\0" * 20, b"GP\0\x0f" + b"\0" * 90]
)
def test_a_broken_geometry_rejects_its_feature_alone(wrong: bytes, tmp_path: Path) -> None:
    def broken(base: sqlite3.Connection) -> None:
        base.execute("update plots set shape = ? where fid = 2", [wrong])

    payload = geopackage(tmp_path / "a.gpkg", broken)
    found = formats.read_table(contract("geopackage", HEADER, OPTIONS), "geopackage", payload)
    assert [(one.row_number, one.reason) for one in found.rejects] == [(2, "geometry_unreadable")]
    assert found.table["code"].to_pylist() == ["P1", "P3"]


def test_a_layer_of_nothing_but_broken_geometries_keeps_its_rejects(tmp_path: Path) -> None:
    payload = geopackage(tmp_path / "a.gpkg", sql("update plots set shape = x'00'"))
    found = formats.read_table(contract("geopackage", HEADER, OPTIONS), "geopackage", payload)
    assert [one.reason for one in found.rejects] == ["geometry_unreadable"] * 3
    assert len(found.table) == 0


def test_a_layer_can_be_named_and_a_cut_file_is_told(tmp_path: Path) -> None:
    whole = geopackage(tmp_path / "a.gpkg")
    made = contract("geopackage", HEADER, OPTIONS | {"layer": "parks"})
    assert "no table of features 'parks'; there are: plots" in problem(made, "geopackage", whole)
    made = contract("geopackage", HEADER, OPTIONS)
    assert problem(made, "geopackage", whole[: len(whole) // 2]).startswith("truncated: ")
    assert problem(made, "geopackage", whole[:90]).startswith("truncated: ")
    assert "no GeoPackage: it begins with b'a,b" in problem(made, "geopackage", b"a,b\n1,2\n")


REGISTER = {
    "feed": "tried", "version": 1, "element": "ecology", "entity": "red_line", "title": {"zh": "试", "en": "tried"},
    "department": "natural_resources", "authority": "none", "legal_basis": "none", "licence": "unstated",
    "synthetic": True, "retention_years": 10, "connector": {"transport": "files", "url": "*"},
    "schedule": {"minutes": [10], "lateness": "PT3H", "freshness": "PT2H"}, "known_at": [{"from": "receipt"}],
    "delivered": {"as": "rows"}, "key": ["code"], "header": ["code", "geometry"],
    "forms": {name: {"headings": {"地块": "code"}, "ignore": ["year", "面积", "note"]} for name in
              ("geojson", "geopackage")},
}  # fmt: skip


def register(crs: str) -> EntityContract:
    columns = {"boundary": {"column": "geometry", "crs": crs}}
    return EntityContract.model_validate_json(json.dumps(REGISTER | {"columns": columns}))


@pytest.mark.parametrize(
    "crs",
    [
        {},
        {"crs": None},
        {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}},
        {"crs": {"type": "name", "properties": {"name": "http://www.opengis.net/def/crs/EPSG/0/4490"}}},
        {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}},
    ],
)
@pytest.mark.parametrize("promised", ["EPSG:4490", "EPSG:4326"])
def test_a_collection_in_the_contracts_system_or_in_the_worlds_is_taken(crs: Any, promised: str) -> None:
    found = formats.read_table(register(promised), "geojson", collection(feature(SQUARE), **crs))
    assert len(found.table) == 1


@pytest.mark.parametrize(
    ("crs", "promised", "told"),
    [
        ({}, "EPSG:4528", "are in OGC:CRS84, and the contract says EPSG:4528"),
        ("urn:ogc:def:crs:EPSG::3857", "EPSG:4490", "EPSG::3857, and the contract says EPSG:4490"),
        ("Beijing", "EPSG:4490", "are in Beijing, and the contract says EPSG:4490"),
        (None, "EPSG:4490", "are in no reference system that can be read, and the contract says EPSG:4490"),
    ],
)
def test_a_collection_in_another_system_is_refused_with_both_names(
    crs: Any, promised: str, told: str
) -> None:
    member = {} if crs == {} else {"crs": {"type": "name", "properties": {"name": crs}}}
    payload = collection(feature(SQUARE), **member)
    assert told in problem(register(promised), "geojson", payload)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update gpkg_spatial_ref_sys set organization_coordsys_id = 4528", "are in EPSG:4528"),
        ("update gpkg_geometry_columns set srs_id = 4528", "are in no reference system that can be read"),
        ("update gpkg_spatial_ref_sys set organization = 'NONE'", "are in NONE:4490"),
    ],
)
def test_a_layer_in_another_system_is_refused_with_both_names(change: str, told: str, tmp_path: Path) -> None:
    payload = geopackage(tmp_path / "a.gpkg", sql(change))
    expected = f"not_the_format: the coordinates {told}, and the contract says EPSG:4490"
    assert problem(register("EPSG:4490"), "geopackage", payload).startswith(expected)


@pytest.mark.parametrize("coordinates", [[36600000, 2560000], [23.4, 110.05], [-180.1, 0]])
def test_coordinates_that_are_no_degrees_reject_their_feature_alone(
    coordinates: list[float], tmp_path: Path
) -> None:
    wrong = {"type": "Point", "coordinates": coordinates}
    found = formats.read_table(
        register("EPSG:4490"), "geojson", collection(feature(SQUARE), feature(wrong), feature(POINT))
    )
    assert [(one.row_number, one.reason) for one in found.rejects] == [(2, "geometry_unreadable")]
    assert "is no longitude and latitude" in found.rejects[0].detail

    def moved(base: sqlite3.Connection) -> None:
        base.execute("update plots set shape = ? where fid = 2", [blob(shapely.Point(coordinates))])

    payload = geopackage(tmp_path / "a.gpkg", moved)
    found = formats.read_table(register("EPSG:4490"), "geopackage", payload)
    assert [(one.row_number, one.reason) for one in found.rejects] == [(2, "geometry_unreadable")]


def test_metres_are_taken_where_the_contract_says_metres(tmp_path: Path) -> None:
    def projected(base: sqlite3.Connection) -> None:
        base.execute("update gpkg_spatial_ref_sys set organization_coordsys_id = 4528")
        base.execute("update plots set shape = ?", [blob(shapely.Point(36600000, 2560000))])

    payload = geopackage(tmp_path / "a.gpkg", projected)
    found = formats.read_table(register("EPSG:4528"), "geopackage", payload)
    assert set(found.table["geometry"].to_pylist()) == {"POINT (36600000 2560000)"}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_broken_is_named(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.gpkg"
    whole = path.read_bytes() if path.exists() else geopackage(path)
    place = data.draw(st.integers(16, len(whole)))
    filling = data.draw(st.binary(max_size=40))
    with suppress(FormatProblem):
        payload = whole[:place] + filling + whole[place + len(filling) :]
        formats.read_table(contract("geopackage", HEADER, OPTIONS), "geopackage", payload)


@settings(max_examples=80, deadline=None)
@given(st.recursive(st.floats() | st.text(max_size=3) | st.none(), lambda inner: st.lists(inner, max_size=3)))
def test_whatever_coordinates_come_is_named(coordinates: Any) -> None:
    for kind in ("Point", "LineString", "Polygon", "MultiPolygon"):
        with suppress(FormatProblem):
            geojson(collection(feature({"type": kind, "coordinates": coordinates})))
