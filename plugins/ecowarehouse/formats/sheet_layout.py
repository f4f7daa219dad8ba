"""What a sheet of a workbook says beside its values: merged areas, hidden rows, formulas that were never worked out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import Any, Final

from ecowarehouse.formats.archive import Archive
from ecowarehouse.formats.markup import elements, forget, local, tree
from ecowarehouse.formats.model import FormatProblem
from ecowarehouse.formats.sniff import Source

LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384
_MOST_AREAS: Final = 20_000
_MOST_AREAS_OF_A_ROW: Final = 1_000
_CELL = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_WORKBOOK: Final = "xl/workbook.xml"
_HEAD: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Area:
    """A merged area; rows and columns count from 1."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Layout:
    """What was found of one sheet."""

    areas: list[Area] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)

    def of_rows(self) -> Iterator[list[Area]]:
        """The merged areas of row 1, of row 2, and so on without an end.

        Raises:
            FormatProblem: not_the_format.
        """
        waiting = sorted(self.areas, key=lambda area: area.top, reverse=True)
        over: list[Area] = []
        row = 0
        while True:
            row += 1
            over = [area for area in over if area.bottom >= row]
            while waiting and waiting[-1].top <= row:
                over.append(waiting.pop())
            if len(over) > _MOST_AREAS_OF_A_ROW:
                raise FormatProblem("not_the_format", f"{len(over)} merged areas over row {row}")
            yield over


def refuse_document_types(archive: Archive) -> None:
    """No part of a workbook declares a document type; one that does is made to harm its reader.

    Raises:
        FormatProblem: not_the_format.
    """
    for name in archive.names:
        if not name.endswith((".xml", ".rels", ".vml")):
            continue
        with archive.open(name) as part:
            head = part.read(_HEAD)
        if (
            b"<!DOCTYPE" in head
            or b"\0" in head
            or (len(head) == _HEAD and not re.search(rb"<[A-Za-z]", head))
        ):
            raise FormatProblem("not_the_format", f"{name} is no part of a workbook that Excel would write")


def sheet_parts(archive: Archive) -> dict[str, str]:
    """The part of each sheet, by its name.

    Raises:
        FormatProblem: not_the_format.
    """
    book = tree(archive.read(_WORKBOOK), _WORKBOOK)
    relations = tree(archive.read("xl/_rels/workbook.xml.rels"), "xl/_rels/workbook.xml.rels")
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    found = {}
    for sheet in (one for one in book.iter() if local(one) == "sheet"):
        identity = next((text for key, text in sheet.items() if key.endswith("}id")), "")
        target = targets.get(identity, "")
        found[sheet.get("name", "")] = target[1:] if target.startswith("/") else normpath(join("xl", target))
    return found


def read_layout(archive: Archive, part: str) -> Layout:
    """The layout of a sheet.

    Raises:
        FormatProblem: not_the_format.
    """
    layout = Layout()
    row_number = 0
    with archive.open(part) as stream:
        source = Source(stream)
        for _, element in elements(source, source, ("row", "mergeCell")):
            if local(element) == "row":
                row_number = _number(element.get("r"), row_number + 1)
                if element.get("hidden") in ("1", "true"):
                    layout.hidden.add(row_number)
                _take_formulas(element, row_number, layout)
                forget(element)
            else:
                layout.areas.append(_area(element.get("ref", "")))
                if len(layout.areas) > _MOST_AREAS:
                    raise FormatProblem("not_the_format", f"more than {_MOST_AREAS} merged areas in a sheet")
    return layout


def _take_formulas(row: Any, number: int, layout: Layout) -> None:
    for formula in row.iter("{*}f"):
        cell = formula.getparent()
        result = cell.find("{*}v")
        if result is None or not result.text:
            # A cell without a reference stands after the one before it.
            place = cell.get("r")
            column = _place(place)[1] if place else row.index(cell) + 1
            layout.formulas[number, column] = f"={formula.text or ''}"


def _number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not re.fullmatch("[0-9]{1,7}", text) or not 0 < int(text) <= LAST_ROW:
        raise FormatProblem("not_the_format", f"a row with the number {text[:20]!r}")
    return int(text)


def _area(reference: str) -> Area:
    first, _, last = reference.partition(":")
    (top, left), (bottom, right) = _place(first), _place(last or first)
    return Area(top, left, bottom, right)


def _place(reference: str) -> tuple[int, int]:
    match = _CELL.fullmatch(reference)
    if match is None:
        raise FormatProblem("not_the_format", f"no cell is called {reference[:20]!r}")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    row = int(match[2])
    if not 0 < row <= LAST_ROW or column > LAST_COLUMN:
        raise FormatProblem("not_the_format", f"no sheet has a cell {reference}")
    return row, column
