"""GeoPackage (OGC 12-128r19): a database of SQLite, opened to read one table and nothing else."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import GeopackageForm
from ecowarehouse.formats.features import Attributes, geometry_cells
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, RowBuilder
from ecowarehouse.formats.numbers import plain
from ecowarehouse.formats.reference import NoGeometryError, system_of
from ecowarehouse.formats.sniff import Source

_MAGIC = b"SQLite format 3\0"
_ALLOWED: Final = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_PRAGMA,
    sqlite3.SQLITE_TRANSACTION,
}
_PRAGMAS: Final = {"table_xinfo", "trusted_schema", "cell_size_check"}
_ENVELOPES: Final = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_LONGEST_CELL = 64 << 20


def read(contract: Contract, form: GeopackageForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of a layer of features, in the order of their ids. A feature whose geometry is broken is a reject.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    if not source.head.startswith(_MAGIC):
        source.refuse_page()
        raise FormatProblem("not_the_format", f"no GeoPackage: it begins with {source.head[:16]!r}")
    _refuse_cut_head(source.head)
    with source.as_file() as path:
        _refuse_cut(path, source.head)
        try:
            with _opened(path) as database:
                yield from _features(contract, form, database)
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise FormatProblem("not_the_format", f"no sound GeoPackage: {error}") from error


def _refuse_cut_head(head: bytes) -> None:
    if len(head) < 100:
        raise FormatProblem("truncated", f"{len(head)} bytes: the head of the database is cut")


def _refuse_cut(path: Path, head: bytes) -> None:
    """SQLite's head says how many pages there are, when its two counters of changes are the same."""
    size, counted = struct.unpack(">H", head[16:18])[0], struct.unpack(">I", head[28:32])[0]
    page = 65536 if size == 1 else size
    if head[24:28] == head[92:96] and counted and path.stat().st_size < page * counted:
        raise FormatProblem("truncated", f"{path.stat().st_size} of {page * counted} bytes")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        database.execute("pragma trusted_schema = off")
        database.execute("pragma cell_size_check = on")
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_CELL)
        database.set_authorizer(_authorise)
        yield database


def _authorise(action: int, first: str | None, *_: Any) -> int:
    if action not in _ALLOWED or (action == sqlite3.SQLITE_PRAGMA and first not in _PRAGMAS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _features(
    contract: Contract, form: GeopackageForm, database: sqlite3.Connection
) -> Iterator[ReceivedTable]:
    layer = _layer(database, form)
    shape, crs = _geometry_column(database, layer)
    system = system_of(contract, crs)
    described = database.execute(f"pragma table_xinfo({_quoted(layer)})").fetchall()
    key = next((row[1] for row in described if row[5] == 1), "rowid")
    names = [row[1] for row in described if row[1] not in (shape, key)]
    attributes = Attributes(contract, form)
    attributes.compare(names)
    names = [name for name in names if attributes.column(name) is not None]
    builder = RowBuilder(contract.header, contract.optional)
    columns = ", ".join(_quoted(name) for name in (key, shape, *names))
    query = f"select {columns} from {_quoted(layer)} order by {_quoted(key)}"  # names are quoted
    for feature_id, geometry, *values in database.execute(query):
        try:
            cells = geometry_cells(_geometry(geometry), form, system)
        except NoGeometryError as error:
            builder.reject("geometry_unreadable", f"feature {feature_id}: {error}", _text(geometry)[:2000])
        else:
            added = cells | {"feature_id": _text(feature_id), "crs": crs}
            builder.add(attributes.cells(dict(zip(names, map(_text, values), strict=True)), added))
        if builder.full:
            yield builder.take()
    yield builder.finish(None)


def _layer(database: sqlite3.Connection, form: GeopackageForm) -> str:
    tables = {row[0] for row in database.execute("select name from sqlite_master where type = 'table'")}
    if "gpkg_contents" not in tables:
        raise FormatProblem("not_the_format", "a database of SQLite without gpkg_contents: no GeoPackage")
    said = database.execute("select table_name from gpkg_contents where data_type = 'features'").fetchall()
    # A view could do anything; a feed's features are a table.
    layers = sorted(str(row[0]) for row in said if row[0] in tables)
    if form.layer in layers:
        return form.layer
    if form.layer or len(layers) != 1:
        asked = f"no table of features {form.layer!r}" if form.layer else "name the layer in the contract"
        raise FormatProblem("not_the_format", f"{asked}; there are: {', '.join(layers) or 'none'}")
    return layers[0]


def _geometry_column(database: sqlite3.Connection, layer: str) -> tuple[str, str]:
    """The column with the geometries, and their reference system."""
    row = database.execute(
        "select g.column_name, s.organization, s.organization_coordsys_id from gpkg_geometry_columns as g"
        " left join gpkg_spatial_ref_sys as s on s.srs_id = g.srs_id where g.table_name = ?",
        [layer],
    ).fetchone()
    if row is None:
        raise FormatProblem("not_the_format", f"no column of geometries is named for {layer}")
    return str(row[0]), f"{str(row[1]).upper()}:{row[2]}" if row[1] else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _geometry(blob: Any) -> Any:
    """A geometry of its GeoPackage bytes: magic, version, flags, system, envelope, then WKB."""
    import shapely

    if blob is None:
        return None
    if not isinstance(blob, bytes) or blob[:2] != b"GP" or len(blob) < 8:
        raise NoGeometryError("no bytes of a GeoPackage's geometry")
    envelope = _ENVELOPES.get(blob[3] >> 1 & 0b111)
    if envelope is None or blob[3] & 0b100000:
        raise NoGeometryError(f"a kind of geometry that is not read (flags {blob[3]:#04x})")
    if blob[3] & 0b10000:
        return None
    try:
        return shapely.from_wkb(blob[8 + envelope :])
    except (shapely.errors.ShapelyError, ValueError) as error:
        raise NoGeometryError(str(error).splitlines()[0]) from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    return plain(value) if isinstance(value, int | float) else str(value)
