"""Workbooks (.xlsx): tables found by their headings, wherever they stand in a sheet.

openpyxl gives the values row by row; merged areas, hidden rows and formulas without a result come from the sheet.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ecowarehouse.contracts import Contract, EntityContract, ObservationContract
from ecowarehouse.contracts.forms import WorkbookForm
from ecowarehouse.contracts.values import normal_unit
from ecowarehouse.formats.archive import Archive, unpacked
from ecowarehouse.formats.model import (
    FormatProblem,
    Places,
    ReceivedTable,
    RowBuilder,
    as_csv,
    compare_header,
)
from ecowarehouse.formats.sheet_cells import ERRORS, text_of
from ecowarehouse.formats.sheet_layout import (
    Area,
    Layout,
    read_layout,
    refuse_document_types,
    sheet_parts,
)
from ecowarehouse.formats.sniff import Source

_WIDEST = 1_000  # columns in which headings are looked for
_STRINGS = "xl/sharedStrings.xml"
_MOST_STRINGS = 256 << 20
_UNIT = re.compile(r"(.*?)\s*[(（\[【]([^()（）\[\]【】]*)[)）\]】]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table: where it stands, and the unit of its cells when its heading says another than expected.

    `expected` is the unit that goes without saying. `unit_of_rows` is what the heading says where each row has a unit
    of its own, so that none is expected of the column.
    """

    name: str
    place: int
    expected: str = ""
    other_unit: str = ""
    unit_of_rows: str = ""


@dataclass(slots=True)
class _Sheet:
    """One sheet with a table, while it is read."""

    name: str
    layout: Layout
    columns: list[_Column]
    first_row: int
    above: dict[str, str] = field(default_factory=dict)
    blank_areas: set[Area] = field(default_factory=set)
    left_out: int = 0


def read(contract: Contract, form: WorkbookForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of a workbook's sheets, one after the other; `places` names the cells.

    A row is a reject when a cell of text, such as one by which it is known, holds an error or a formula without a
    result, or when it has a part of a merged area that the contract does not carry down. A cell whose heading says
    another unit keeps that unit in its text, so that nothing takes it for a number; so do percentages, signs and units
    of its format, errors and formulas that were never worked out.

    Raises:
        FormatProblem: not_the_format, header_changed, truncated or no_rows.
    """
    with unpacked(source, "workbook (.xlsx)") as archive:
        refuse_document_types(archive)
        parts = sheet_parts(archive)
        try:
            with opened_book(archive) as book:
                yield from _tables(contract, form, book, archive, parts)
        except (FormatProblem, GeneratorExit):
            raise
        except (
            Exception
        ) as error:  # openpyxl trusts what it reads, and fails in any way at what no Excel wrote
            what = f"{type(error).__name__}: {error}"
            raise FormatProblem("not_the_format", f"no workbook that can be read: {what}") from error


def _tables(
    contract: Contract, form: WorkbookForm, book: Any, archive: Archive, parts: dict[str, str]
) -> Iterator[ReceivedTable]:
    builder = RowBuilder(contract.header, contract.optional)
    for sheet in _sheets(form, book):
        layout = read_layout(archive, parts[sheet.title])
        # The size that a sheet says of itself may be wrong.
        sheet.reset_dimensions()
        found = _with_header(contract, form, sheet, layout)
        if found is not None:
            yield from _rows(contract, form, sheet, found, builder)
    yield builder.finish(None)


@contextmanager
def opened_book(archive: Archive) -> Iterator[Any]:
    """A workbook of openpyxl, whose cells are read as they come.

    Raises:
        FormatProblem: not_the_format, for more texts than any workbook needs; and whatever openpyxl raises.
    """
    import openpyxl

    if archive.sizes.get(_STRINGS, 0) > _MOST_STRINGS:
        raise FormatProblem("not_the_format", f"{archive.sizes[_STRINGS] >> 20} MiB of different texts")
    # openpyxl asks a path for its suffix, which a received file need not have.
    with archive.path.open("rb") as file:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and extensions, which no value needs
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        with closing(book):
            yield book


def _sheets(form: WorkbookForm, book: Any) -> list[Any]:
    """The sheets with rows.

    Raises:
        FormatProblem: not_the_format, naming the sheets that there are.
    """
    shown = [s for s in book.worksheets if form.hidden == "read" or s.sheet_state == "visible"]
    wanted = [sheet for sheet in shown if re.fullmatch(form.sheet, sheet.title)]
    if not wanted:
        names = ", ".join(sheet.title for sheet in shown)
        raise FormatProblem(
            "not_the_format", f"no sheet is named as {form.sheet!r}; there are: {names or 'none'}"
        )
    return wanted


def _with_header(contract: Contract, form: WorkbookForm, sheet: Any, layout: Layout) -> _Sheet | None:
    """The table of a sheet, None of an empty sheet.

    Raises:
        FormatProblem: header_changed, about the row that comes nearest to a header.
    """
    deepest = form.search_rows + form.header_rows - 1
    top = [
        _filled([text_of(cell, form.date_format) for cell in row], number, areas)
        for number, (row, areas) in enumerate(
            zip(sheet.iter_rows(max_row=deepest, max_col=_WIDEST), layout.of_rows(), strict=False), 1
        )
    ]
    if not any(text.strip() for row in top for text in row):
        return None
    best: list[_Column] = []
    best_row = 0
    for start in range(min(form.search_rows, max(1, len(top) - form.header_rows + 1))):
        columns = _columns(contract, form, top[start : start + form.header_rows])
        known = {column.name for column in columns}.intersection(contract.header)
        if len(known) > len({column.name for column in best}.intersection(contract.header)):
            best, best_row = columns, start + 1
    if not best:
        raise FormatProblem(
            "header_changed",
            f"{sheet.title}: no header in its first {form.search_rows} rows; if it is no sheet of rows,"
            " say so by forms.workbook.sheet",
        )
    try:
        compare_header(contract, [column.name for column in best])
    except FormatProblem as problem:
        raise FormatProblem(
            problem.reason, f"{sheet.title}!{best_row}:{best_row}: {problem.detail}"
        ) from None
    return _Sheet(sheet.title, layout, best, best_row + form.header_rows)


def _filled(row: list[str], number: int, areas: list[Area]) -> list[str]:
    """A row of a header, in which a merged area's text stands over all of its columns; each row of it once."""
    texts = list(row)
    for area in areas:
        if area.top == number and area.left <= len(texts):
            texts += [""] * (min(area.right, _WIDEST) - len(texts))
            for place in range(area.left, min(area.right, _WIDEST)):
                texts[place] = texts[place] or texts[area.left - 1]
    return texts


def _columns(contract: Contract, form: WorkbookForm, rows: list[list[str]]) -> list[_Column]:
    """The columns that a header names; headings that are empty or ignored are none."""
    columns = []
    for place in range(max((len(row) for row in rows), default=0)):
        stacked = [" ".join(row[place].split()) for row in rows if place < len(row)]
        heading = " ".join(text for text in stacked if text)
        if heading and heading not in form.ignore:
            columns.append(_column(contract, form, heading, place + 1))
    return [column for column in columns if column.name not in form.ignore]


def _column(contract: Contract, form: WorkbookForm, heading: str, place: int) -> _Column:
    match = _UNIT.fullmatch(heading)
    if heading in form.headings or heading in contract.header or match is None:
        name = form.headings.get(heading, heading)
        return _Column(name, place, _expected_unit(contract, form, name))
    name, unit = form.headings.get(match[1], match[1]), match[2].strip()
    if name not in contract.header:
        return _Column(name if name in form.ignore else heading, place)
    if name not in form.units and _is_long_value(contract, name):
        return _Column(name, place, unit_of_rows=unit)
    expected = _expected_unit(contract, form, name)
    other = unit if expected and normal_unit(unit) != normal_unit(expected) else ""
    return _Column(name, place, expected, other)


def _is_long_value(contract: Contract, name: str) -> bool:
    return (
        isinstance(contract, ObservationContract)
        and contract.long is not None
        and contract.long.value == name
    )


def _unit_of_row(contract: Contract, cells: dict[str, str]) -> str:
    """The unit of a row with one value, by what it says is measured; empty when neither row nor contract says."""
    if not isinstance(contract, ObservationContract) or contract.long is None:
        return ""
    if contract.long.unit in cells:
        return cells[contract.long.unit].strip()
    if contract.long.channel in cells:
        return contract.unit_of(cells[contract.long.channel].strip())
    units = {channel.original_unit for channel in contract.channels.values() if channel.kind == "number"}
    return units.pop() if len(units) == 1 else ""


def _with_unit_of_rows(contract: Contract, table: _Sheet, cells: dict[str, str]) -> None:
    """Keep the unit that a heading says of all rows in the cells of those that come in another."""
    for column in table.columns:
        said = column.unit_of_rows
        if (
            said
            and cells[column.name].strip()
            and normal_unit(said) != normal_unit(_unit_of_row(contract, cells))
        ):
            cells[column.name] += f" {said}"


def _expected_unit(contract: Contract, form: WorkbookForm, name: str) -> str:
    """The unit in which a column must come; empty when nobody says."""
    if name in form.units:
        return form.units[name]
    return contract.unit_of(name)


def _rows(
    contract: Contract, form: WorkbookForm, sheet: Any, table: _Sheet, builder: RowBuilder
) -> Iterator[ReceivedTable]:
    from openpyxl.utils import get_column_letter

    places = Places(table.name, {c.name: get_column_letter(c.place) for c in table.columns}, {})
    last_column = max(column.place for column in table.columns)
    told_by_text = _told_by_text(contract)
    areas_of = table.layout.of_rows()
    for _ in range(1, table.first_row):
        next(areas_of)
    rows = sheet.iter_rows(min_row=table.first_row, max_col=last_column)
    for number, (row, areas) in enumerate(zip(rows, areas_of, strict=False), table.first_row):
        cells = {c.name: _text(form, table, row, number, c) for c in table.columns}
        table.blank_areas.update(a for a in areas if a.top == number and _is_blank(row, a.left))
        if not any(text.strip() for text in cells.values()):
            continue
        if _is_left_out(form, table, number, cells):
            table.left_out += 1
            continue
        merged = _merged_into(table, number, cells, areas, form)
        _carry_down(form, table, cells)
        _with_unit_of_rows(contract, table, cells)
        places.rows[builder.count + 1] = number
        _add(contract, builder, places, cells, told_by_text, merged)
        if builder.full:
            yield _taken(builder, places, table)
            places = replace(places, rows={})
    yield _taken(builder, places, table)


def _taken(builder: RowBuilder, places: Places, table: _Sheet) -> ReceivedTable:
    taken = replace(builder.take(), places=places, left_out=table.left_out)
    table.left_out = 0
    return taken


def _told_by_text(contract: Contract) -> list[str]:
    """Received columns in which nothing but an error tells an error: by them a row is known, or they hold any text."""
    needs = {name for rule in contract.made.values() for name in rule.needs}
    wanted = {*contract.known_by, *needs, *_texts(contract)}
    return [name for name in contract.header if name in wanted]


def _texts(contract: Contract) -> Iterator[str]:
    """Columns that the landing check holds against nothing."""
    if isinstance(contract, EntityContract):
        for name, value in contract.values.items():
            column = contract.declared.columns[name]
            if column.type == "text" and not column.words:
                yield value.column
    elif isinstance(contract, ObservationContract):
        texts = [name for name, channel in contract.channels.items() if channel.kind == "text"]
        yield from texts if contract.long is None else [contract.long.value] if texts else []


def _text(form: WorkbookForm, table: _Sheet, row: tuple[Any, ...], number: int, column: _Column) -> str:
    if (formula := table.layout.formulas.get((number, column.place))) is not None:
        return formula
    cell = row[column.place - 1] if column.place <= len(row) else None
    text = "" if cell is None else text_of(cell, form.date_format, column.expected)
    return f"{text} {column.other_unit}" if column.other_unit and text.strip() else text


def _is_left_out(form: WorkbookForm, table: _Sheet, number: int, cells: dict[str, str]) -> bool:
    if form.hidden == "leave_out" and number in table.layout.hidden:
        return True
    return any(
        re.fullmatch(pattern, cells.get(name, "").strip()) is not None
        for name, pattern in form.leave_out.items()
    )


def _merged_into(
    table: _Sheet, number: int, cells: dict[str, str], areas: list[Area], form: WorkbookForm
) -> tuple[str, Area] | None:
    """A column whose cell is part of a merged area with its value elsewhere, and the area."""
    for area in (one for one in areas if one not in table.blank_areas):
        for column in table.columns:
            inside = area.left <= column.place <= area.right
            if inside and (number, column.place) != (area.top, area.left):
                below = area.left == column.place and column.name in form.carry_down
                if not below and not cells[column.name]:
                    return column.name, area
    return None


def _is_blank(row: tuple[Any, ...], place: int) -> bool:
    return place > len(row) or row[place - 1].value in (None, "")


def _carry_down(form: WorkbookForm, table: _Sheet, cells: dict[str, str]) -> None:
    for name in form.carry_down:
        if name in cells:
            cells[name] = cells[name] if cells[name].strip() else table.above.get(name, "")
            table.above[name] = cells[name]


def _add(
    contract: Contract,
    builder: RowBuilder,
    places: Places,
    cells: dict[str, str],
    told_by_text: list[str],
    merged: tuple[str, Area] | None,
) -> None:
    number = builder.count + 1
    problem = _merged_problem(places, number, merged) or _error_problem(
        contract, places, number, cells, told_by_text
    )
    if problem is None:
        builder.add(list(cells.items()))
    else:
        builder.reject(*problem, as_csv(cells.get(name) for name in contract.header))


def _merged_problem(places: Places, number: int, merged: tuple[str, Area] | None) -> tuple[str, str] | None:
    if merged is None:
        return None
    column, area = merged
    mend = f"unmerge it, or name {column} in forms.workbook.carry_down if the value holds for every row"
    where = places.of(number, column)
    return "merged_cell", f"{where}: part of a cell merged from row {area.top} on: {mend}"


def _error_problem(
    contract: Contract, places: Places, number: int, cells: dict[str, str], told_by_text: list[str]
) -> tuple[str, str] | None:
    for column in told_by_text:
        text = cells.get(column, "")
        if text in contract.missing_marks:
            continue
        if text in ERRORS:
            return "formula_error", f"{places.of(number, column)}: {text}"
        # A formula that was never worked out, one that gives nothing and one pasted as text all say nothing.
        if text.startswith("="):
            return "formula_error", f"{places.of(number, column)}: a formula without a result: {text}"
    return None
