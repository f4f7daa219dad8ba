"""Darwin Core archives (TDWG text guidelines): meta.xml says which files hold which terms, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import CsvForm, DarwinCoreForm
from ecowarehouse.formats import delimited
from ecowarehouse.formats.archive import Archive, unpacked
from ecowarehouse.formats.lines import Lines
from ecowarehouse.formats.markup import local, tree
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, columns_of, received_schema
from ecowarehouse.formats.sniff import Source

_META = "meta.xml"
_ESCAPES = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\r\n": "\r\n"}


@dataclass(frozen=True, slots=True)
class _Records:
    """The core or an extension of an archive: its files, how they are written, and what stands where in a row."""

    files: list[str]
    layout: CsvForm
    places: dict[str, int | None]
    defaults: dict[str, str]


def read(contract: Contract, form: DarwinCoreForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of the records of one type.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    with unpacked(source, "Darwin Core archive") as archive:
        records = _records(archive, form)
        named = zip(records.places, columns_of(contract, form, _headings(records, form)), strict=True)
        terms = {column: term for term, column in named if column is not None}
        base = 0
        for file in records.files:
            newest = base
            with archive.open(file) as stream:
                for part in _parts(records, Source(stream), file):
                    moved = _moved(part, base)
                    newest = max([newest, *_row_numbers(moved)])
                    yield replace(moved, table=_received(contract, records, terms, moved.table))
            base = newest


def _records(archive: Archive, form: DarwinCoreForm) -> _Records:
    folder = _folder(archive)
    root = tree(archive.read(f"{folder}{_META}"), _META)
    found = [one for one in root if local(one) in ("core", "extension")]
    wanted = [one for one in found if _is_wanted(one, form.row_type)]
    if local(root) != "archive" or len(wanted) != 1:
        types = ", ".join(_name(one.get("rowType", "")) for one in found) or "none"
        raise FormatProblem(
            "not_the_format", f"{_META} has {len(wanted)} of {form.row_type or 'core'}; there are: {types}"
        )
    locations = [(one.text or "").strip() for one in wanted[0].iter() if local(one) == "location"]
    if not locations:
        raise FormatProblem("not_the_format", f"{_META} names no file of {form.row_type or 'the core'}")
    places, defaults = _fields(wanted[0])
    return _Records([f"{folder}{name}" for name in locations], _layout(wanted[0], form), places, defaults)


def _folder(archive: Archive) -> str:
    """Where meta.xml stands: at the root or, as some tools pack it, in one folder."""
    found = [name for name in archive.names if PurePosixPath(name).name == _META and "__MACOSX" not in name]
    if not found:
        raise FormatProblem("not_the_format", f"no {_META} in the archive: it is no Darwin Core archive")
    return min(found, key=len).removesuffix(_META)


def _is_wanted(records: Any, row_type: str) -> bool:
    if not row_type:
        return local(records) == "core"
    return row_type in (records.get("rowType"), _name(records.get("rowType", "")))


def _name(term: str) -> str:
    return str(re.split(r"[/#]", term)[-1])


def _layout(records: Any, form: DarwinCoreForm) -> CsvForm:
    def said(name: str, default: str) -> str:
        text = records.get(name, default)
        return _ESCAPES.get(str(text), str(text))

    ends = said("linesTerminatedBy", "\n")
    if ends not in ("\n", "\r\n"):
        raise FormatProblem("not_the_format", f"{_META}: lines that end with {ends!r}")
    enclosed = said("fieldsEnclosedBy", '"')
    if enclosed not in ("", '"'):
        raise FormatProblem(
            "not_the_format", f"{_META}: cells enclosed in {enclosed!r}; only quotes are read"
        )
    quoted = bool(enclosed) or form.undeclared_quotes
    headers = records.get("ignoreHeaderLines", "0").strip()
    if not re.fullmatch("[0-9]{1,3}", headers):
        raise FormatProblem("not_the_format", f"{_META}: ignoreHeaderLines is {headers[:20]!r}")
    try:
        return CsvForm(
            delimiter=said("fieldsTerminatedBy", ","),
            encoding=said("encoding", "UTF-8"),
            skip_lines=max(0, int(headers) - 1),
            header_line=headers.strip("0") != "",
            quoted=quoted,
            short_rows=form.short_rows,
            line_ends_in_cells=quoted and form.line_ends_in_cells,
        )
    except ValidationError as error:
        raise FormatProblem("not_the_format", f"{_META}: {error.errors()[0]['msg']}") from error


def _fields(records: Any) -> tuple[dict[str, int | None], dict[str, str]]:
    """Where each term stands in a row, None for one that only has a default; and the defaults."""
    places: dict[str, int | None] = {}
    defaults: dict[str, str] = {}
    for one in records:
        kind = local(one)
        if kind not in ("id", "coreid", "field"):
            continue
        name = _name(one.get("term", "")) if kind == "field" else "id"
        index = one.get("index")
        if index is not None and not re.fullmatch("[0-9]{1,3}", index):
            raise FormatProblem("not_the_format", f"{_META}: {name} has the index {index[:20]!r}")
        if name in places:
            raise FormatProblem("not_the_format", f"{_META} names {name or 'a field without a term'} twice")
        places[name] = None if index is None else int(index)
        if (default := one.get("default")) is not None:
            defaults[name] = default
    return places, defaults


def _headings(records: _Records, form: DarwinCoreForm) -> list[str]:
    known = {*form.headings, *form.ignore}
    return [term if term in known else _snake_case(term) for term in records.places]


def _snake_case(term: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", term).lower()


def _parts(records: _Records, source: Source, file: str) -> Iterator[ReceivedTable]:
    lines = Lines(source, records.layout)
    used = {place for place in records.places.values() if place is not None}
    width = max(used, default=0) + 1
    if records.layout.header_line:
        # A file may hold more columns than meta.xml names, and fewer would be a fault.
        width = len(delimited.cells_of(lines.first_line(), records.layout))
        if used and max(used) >= width:
            raise FormatProblem(
                "header_changed", f"{file} has {width} columns, and {_META} names one at index {max(used)}"
            )
    names = [str(place) if place in used else None for place in range(width)]
    yield from delimited.cells(records.layout, lines, names, source)


def _received(contract: Contract, records: _Records, terms: dict[str, str], table: pa.Table) -> pa.Table:
    """The table's places as the contract's columns; where a cell is empty or has no place, the default of its term."""
    columns = [table["row_number"]]
    for name in contract.header:
        term = terms.get(name, "")
        place, default = records.places.get(term), records.defaults.get(term)
        column = pa.nulls(len(table), pa.string()) if place is None else table[str(place)]
        if default is not None:
            column = pc.if_else(pc.equal(pc.fill_null(column, ""), ""), default, column)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=received_schema(contract.header))


def _moved(part: ReceivedTable, by: int) -> ReceivedTable:
    """A later file of the same records: its rows are counted on."""
    if not by:
        return part
    numbers = pc.add(part.table["row_number"], by)
    rejects = [replace(one, row_number=(one.row_number or 0) + by) for one in part.rejects]
    return replace(part, table=part.table.set_column(0, "row_number", numbers), rejects=rejects)


def _row_numbers(part: ReceivedTable) -> list[int]:
    return [*part.table["row_number"][-1:].to_pylist(), *(one.row_number or 0 for one in part.rejects)]
