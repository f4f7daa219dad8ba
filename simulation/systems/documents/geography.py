"""Polygons as GeoJSON and as GeoPackage, from a column of well-known text."""

from __future__ import annotations

import json
import re
import sqlite3
import struct
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from simulation.systems.documents.cells import text

_SRS = 4490  # CGCS2000
_PAIR = re.compile(r"(-?[0-9.]+) (-?[0-9.]+)")


def geojson(table: pa.Table, geometry: str = "GEOMETRY") -> bytes:
    """A feature collection in longitude and latitude (CGCS2000)."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [_ring(row[geometry])]},
            "properties": {name: value for name, value in row.items() if name != geometry},
        }
        for row in table.to_pylist()
    ]
    content = {"type": "FeatureCollection", "name": "synthetic", "features": features}
    return json.dumps(content, ensure_ascii=False, default=text).encode()


def geopackage(table: pa.Table, layer: str, geometry: str = "GEOMETRY") -> bytes:
    """A GeoPackage 1.3 with one layer of polygons."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.gpkg"
        connection = sqlite3.connect(path)
        try:
            _fill(connection, table, layer, geometry)
            connection.commit()
        finally:
            connection.close()
        return path.read_bytes()


def _ring(wkt: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in _PAIR.findall(wkt)]


def _fill(connection: sqlite3.Connection, table: pa.Table, layer: str, geometry: str) -> None:
    columns = [name for name in table.column_names if name != geometry]
    definitions = ", ".join(f'"{name}" {_type(table.schema.field(name).type)}' for name in columns)
    connection.executescript(f"""
        pragma application_id = 1196444487;
        pragma user_version = 10300;
        create table gpkg_spatial_ref_sys (srs_name text not null, srs_id integer primary key,
            organization text not null, organization_coordsys_id integer not null, definition text not null,
            description text);
        create table gpkg_contents (table_name text primary key, data_type text not null, identifier text unique,
            description text default '', last_change text not null, min_x double, min_y double, max_x double,
            max_y double, srs_id integer);
        create table gpkg_geometry_columns (table_name text not null, column_name text not null,
            geometry_type_name text not null, srs_id integer not null, z tinyint not null, m tinyint not null,
            primary key (table_name, column_name));
        insert into gpkg_spatial_ref_sys values ('CGCS2000', {_SRS}, 'EPSG', {_SRS}, 'undefined', null);
        create table "{layer}" (fid integer primary key autoincrement, geom blob, {definitions});
    """)
    connection.execute(
        "insert into gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)"
        " values (?, 'features', ?, 'synthetic', '2026-01-01T00:00:00.000Z', ?)",
        (layer, layer, _SRS),
    )
    connection.execute(
        "insert into gpkg_geometry_columns values (?, 'geom', 'POLYGON', ?, 0, 0)", (layer, _SRS)
    )
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" for _ in range(len(columns) + 1))
    connection.executemany(
        f'insert into "{layer}" (geom, {names}) values ({marks})',
        ([_blob(row[geometry]), *(_plain(row[name]) for name in columns)] for row in table.to_pylist()),
    )


def _type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "integer"
    return "double" if pa.types.is_floating(kind) else "text"


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else text(value)


def _blob(wkt: str) -> bytes:
    """GeoPackage binary: header without envelope, then well-known binary of a polygon with one ring."""
    ring = _ring(wkt)
    points = b"".join(struct.pack("<dd", x, y) for x, y in ring)
    return b"GP" + struct.pack("<BBi", 0, 1, _SRS) + struct.pack("<BIII", 1, 3, 1, len(ring)) + points
