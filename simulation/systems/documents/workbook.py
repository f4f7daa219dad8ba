"""Workbooks as offices make them: a title over merged cells, a line with the unit that filled it in, then the table."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from simulation.systems.documents.cells import number, rows

_MADE = datetime(2026, 1, 1)  # noqa: DTZ001 - a workbook's properties know no zone
_ZIPPED = (2026, 1, 1, 0, 0, 0)


def workbook_of(
    sheets: Mapping[str, pa.Table], title: str, filled_in_by: str, merged: Sequence[str] = ()
) -> bytes:
    """A workbook with a sheet for each table; in the `merged` columns equal cells that follow one another are one."""
    book = Workbook()
    book.remove(book.active)
    book.properties.created = book.properties.modified = _MADE
    for name, table in sheets.items():
        _fill(book.create_sheet(name), table, title, filled_in_by, merged)
    content = io.BytesIO()
    book.save(content)
    return _steady(content.getvalue())


def _fill(sheet: Worksheet, table: pa.Table, title: str, filled_in_by: str, merged: Sequence[str]) -> None:
    width = table.num_columns
    sheet.append([title])
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=width)
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["A1"].alignment = Alignment(horizontal="center")
    sheet.append([f"填报单位：{filled_in_by}", *[None] * (width - 2), "合成数据 synthetic"][:width])
    sheet.append(table.column_names)
    for row in rows(table):
        sheet.append([number(cell) for cell in row])
    for name in merged:
        _merge(sheet, table[name].to_pylist(), table.column_names.index(name) + 1)
    for place in range(1, width + 1):
        sheet.column_dimensions[get_column_letter(place)].width = 16


def _merge(sheet: Worksheet, cells: list[object], column: int) -> None:
    begin = 0
    for place in range(1, len(cells) + 1):
        if place == len(cells) or cells[place] != cells[begin]:
            if place - begin > 1:
                sheet.merge_cells(
                    start_row=begin + 4, end_row=place + 3, start_column=column, end_column=column
                )
            begin = place


def _steady(content: bytes) -> bytes:
    """The archive with the same time in every entry: the same table gives the same bytes."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "docProps/core.xml":  # openpyxl writes the time of saving over ours
                data = _without_time(data)
            new.writestr(zipfile.ZipInfo(entry.filename, _ZIPPED), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _without_time(data: bytes) -> bytes:
    head, mark, rest = data.partition(b"<dcterms:modified")
    if not mark:
        return data
    opening, bracket, tail = rest.partition(b">")
    _, closing, end = tail.partition(b"</dcterms:modified>")
    return head + mark + opening + bracket + _MADE.isoformat().encode() + b"Z" + closing + end
