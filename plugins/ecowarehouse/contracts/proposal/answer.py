"""Rows of a recorded answer by the names that its source gives them, without any contract."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ecowarehouse.formats.archive import unpacked
from ecowarehouse.formats.json_items import parse, text_of
from ecowarehouse.formats.markup import NIL, local, tree
from ecowarehouse.formats.model import FormatProblem
from ecowarehouse.formats.sheet_cells import text_of as cell_text
from ecowarehouse.formats.sniff import Source, opened
from ecowarehouse.formats.workbook import opened_book

_ROWS: Final = 5000
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
_DELIMITERS: Final = ",;\t|"
_ARCHIVE: Final = b"PK\x03\x04"
_MEDIA: Final = {"csv": "text/csv", "json": "application/json", "xml": "application/xml"}


class NoProposal(ValueError):
    """A recorded answer in which no rows can be seen; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows as received, at most the first 5,000.

    `form` is the kind of form with what it needs to say, `fixed_names` that the form has no headings to rename, and
    `envelope` what stands beside the rows, by JSON pointer.
    """

    names: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    kind: str
    form: Mapping[str, Any]
    fixed_names: bool = False
    envelope: Mapping[str, str] = field(default_factory=dict)

    def cells(self, name: str) -> list[str]:
        """The texts of one column, without the blanks around them."""
        return [row.get(name, "").strip() for row in self.rows]


def read_answer(path: Path) -> Answer:
    """What a recorded answer holds, by what it begins with: a workbook, `{` or `[` JSON, `<` XML, else delimited text.

    Raises:
        NoProposal: an HTML page, a broken file, or one in which no rows are found.
    """
    try:
        with opened(path) as source:
            if source.head[:4] == _ARCHIVE:
                return _workbook(source)
            source.expect_text()
            payload = source.whole()
        start = payload.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        reader: Callable[[bytes], Answer]
        reader = _json if start in (b"{", b"[") else _xml if start == b"<" else _csv
        return reader(payload)
    except FormatProblem as problem:
        raise NoProposal(f"{path.name}: {problem}") from None
    except NoProposal as problem:
        raise NoProposal(f"{path.name}: {problem}") from None


def _workbook(source: Source) -> Answer:
    """Rows of the sheet with the most of them, below the first row that names as many columns as any."""
    try:
        with unpacked(source, "workbook (.xlsx)") as archive, opened_book(archive) as book:
            sheets = {
                sheet.title: [
                    [cell_text(cell, "iso8601") for cell in row] for row in islice(sheet.iter_rows(), _ROWS)
                ]
                for sheet in book.worksheets
            }
    except FormatProblem:
        raise
    except Exception as error:  # openpyxl fails in any way at an archive that is no workbook
        raise NoProposal("an archive that is no workbook (.xlsx); write the contract by hand") from error
    title, lines = max(sheets.items(), key=lambda one: sum(any(row) for row in one[1]))
    most = max((sum(map(bool, row)) for row in lines), default=0)
    header = next((place for place, row in enumerate(lines) if sum(map(bool, row)) == most), 0)
    if most < 2 or header + 1 >= len(lines):
        raise NoProposal("no sheet has a row that names two columns and rows below it")
    headings = [text.strip() for text in lines[header]]
    names = tuple(heading for heading in headings if heading)
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise NoProposal(f"two columns of the sheet {title} are named {', '.join(twice)}")
    rows = tuple(
        {heading: text for heading, text in zip(headings, row, strict=False) if heading}
        for row in lines[header + 1 :]
        if any(row)
    )
    form: dict[str, Any] = {"suffixes": [".xlsx"]}
    return Answer(names, rows, "workbook", form if len(sheets) == 1 else {**form, "sheet": re.escape(title)})


def _csv(payload: bytes) -> Answer:
    encoding, text = _decoded(payload)
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    headings = next(lines, [])
    names = tuple(heading.strip() for heading in headings)
    if len(names) < 2 or not all(names):
        raise NoProposal("its first line names no two columns or leaves one without a name")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise NoProposal(f"two columns are named {', '.join(twice)}")
    rows = tuple(dict(zip(names, cells, strict=False)) for cells in islice(lines, _ROWS) if cells)
    if not rows:
        raise NoProposal("no row follows the names of the columns")
    said = {
        "delimiter": (delimiter, ","),
        "encoding": (encoding, "utf-8-sig"),
        "trim_headings": (list(names) != headings, False),
    }
    return Answer(
        names,
        rows,
        "csv",
        _form("csv", {key: found for key, (found, usual) in said.items() if found != usual}),
    )


def _decoded(payload: bytes) -> tuple[str, str]:
    for encoding in _ENCODINGS:
        try:
            return encoding, payload.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NoProposal(f"neither of {', '.join(_ENCODINGS)}; write the contract by hand and name its encoding")


def _json(payload: bytes) -> Answer:
    content = parse(payload)
    lists = [
        (pointer, value)
        for pointer, value in _lists(content)
        if value and all(isinstance(item, dict) for item in value)
    ]
    if not lists:
        raise NoProposal("holds no list of objects")
    pointer, items = max(lists, key=lambda pair: len(pair[1]))
    envelope = dict(_texts(content))
    said = {"items": pointer}
    totals = [
        place for place, text in envelope.items() if text == str(len(items)) and "total" in place.lower()
    ]
    if len(totals) == 1:
        said["total"] = totals[0]
    return Answer(
        tuple(dict.fromkeys(name for item in items for name in item)),
        tuple({name: text_of(value) for name, value in item.items()} for item in items[:_ROWS]),
        "json",
        _form("json", said),
        envelope=envelope,
    )


def _lists(content: Any, pointer: str = "") -> Iterator[tuple[str, list[Any]]]:
    if isinstance(content, list):
        yield pointer, content
    elif isinstance(content, dict):
        for name, value in content.items():
            yield from _lists(value, f"{pointer}/{_step(name)}")


def _texts(content: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _texts(value, f"{pointer}/{_step(name)}")
    elif not isinstance(content, list) and content is not None:
        yield pointer, text_of(content)


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _xml(payload: bytes) -> Answer:
    """Rows are the elements of that path of which most have nothing but values in them."""
    root = tree(payload, "it")
    paths: Counter[tuple[str, ...]] = Counter()
    found: dict[tuple[str, ...], list[Any]] = {}
    for path, element in _below(root, ()):
        if len(element) and not any(len(cell) for cell in element):
            paths[path] += 1
            found.setdefault(path, []).append(element)
    if not paths:
        raise NoProposal("holds no element whose children are values")
    path = paths.most_common(1)[0][0]
    rows = tuple(
        {
            local(cell).lower(): "" if cell.get(NIL) in ("true", "1") else cell.text or ""
            for cell in row
            if local(cell)
        }
        for row in found[path][:_ROWS]
    )
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    said = {"rows": "/".join(f"{{*}}{step}" for step in path)}
    return Answer(names, rows, "xml", _form("xml", said), fixed_names=True)


def _below(element: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for child in element:
        if name := local(child):
            yield (*path, name), child
            yield from _below(child, (*path, name))


def _form(kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    return {"media": [_MEDIA[kind]], "suffixes": [f".{kind}"], **said}
