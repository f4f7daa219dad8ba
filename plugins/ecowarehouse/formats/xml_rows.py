"""XML in which one element is one row. Nothing is fetched, expanded or trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5
from typing import Any

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import XmlForm
from ecowarehouse.formats.markup import NIL, elements, forget, local
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, RowBuilder, whole_number
from ecowarehouse.formats.sniff import Source

_NAME = re.compile(rb"&([A-Za-z][A-Za-z0-9]{0,31});")
_XML_NAMES = {b"amp", b"lt", b"gt", b"quot", b"apos"}


def read(contract: Contract, form: XmlForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of an XML payload. A nil or empty element is an empty cell; an absent one makes a ragged row.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    source.expect_text()
    rows, total_path = _steps(form.rows), _steps(form.total or "")
    ignore = set(form.ignore)
    builder = RowBuilder(contract.header)
    total: str | None = None
    stream = _HtmlNames(source) if form.html_names else source
    for _, element in elements(stream, source, {rows[-1], *total_path[-1:]}):
        if _is_at(element, total_path):
            total = element.text
        elif _is_at(element, rows):
            builder.add(_cells(element, ignore))
            forget(element)
            if builder.full:
                yield builder.take()
    yield builder.finish(whole_number(total, f"{form.total}"))


def _steps(path: str) -> list[str]:
    return [step.rpartition("}")[2] for step in path.split("/") if step]


def _is_at(element: Any, steps: list[str]) -> bool:
    """Whether these are the local names from below the root down to the element."""
    for step in reversed(steps):
        if element is None or local(element) != step:
            return False
        element = element.getparent()
    return bool(steps) and element is not None and element.getparent() is None


def _cells(row: Any, ignore: set[str]) -> list[tuple[str, str]]:
    cells = []
    for cell in row:
        name = local(cell).lower()
        if name in ignore:
            continue
        if len(cell):
            raise FormatProblem("header_changed", f"{name} holds elements instead of a value")
        nil = cell.get(NIL) in ("true", "1")
        cells.append((name, "" if nil else cell.text or ""))
    return cells


class _HtmlNames:
    """Replaces HTML's names of characters by their numbers, byte by byte, before the parser sees them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._held = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes; a name cut by a block's end waits for its rest."""
        chunk = self._source.read(size)
        data = self._held + chunk
        self._held = b""
        start = data.rfind(b"&", max(0, len(data) - 40))
        if chunk and start >= 0 and b";" not in data[start:]:
            data, self._held = data[:start], data[start:]
            if not data:
                return self.read(size)
        return _NAME.sub(_number, data)


def _number(match: re.Match[bytes]) -> bytes:
    name = match.group(1)
    characters = None if name in _XML_NAMES else html5.get(name.decode() + ";")
    if characters is None:
        return match.group(0)
    return b"".join(b"&#%d;" % ord(character) for character in characters)
