"""Lines looked at one by one, before a parser that would let an open quote swallow the rows after it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from ecowarehouse.formats.lines import BLOCK, Lines


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line whose quotes do not pair; `closes` when it may hold the end of a quote opened before it."""

    text: str
    closes: bool


class Quotes(io.RawIOBase):
    """The lines of a text; in the place of one whose quotes do not pair stands a line of a wrong width."""

    def __init__(self, text: Lines, delimiter: str, width: int) -> None:
        self._text = text
        self._wrong = delimiter.encode() * width
        mark = re.escape(delimiter.encode())
        # A cell as Arrow reads it: only at its start a quote opens, and after the closing one the cell goes on.
        cell = rb'(?:"(?:[^"\r]|"")*+"[^%b]*+|[^"%b][^%b]*+|)' % (mark, mark, mark)
        self._sound = re.compile(rb"%b(?:%b%b)*+" % (cell, mark, cell))
        self._lines: dict[str, OpenLine] = {}
        self._opened = False
        self._held = b""
        self._ready = b""

    def open_line(self, text: str) -> OpenLine | None:
        """What stood in the place of this text, None when the text stood there itself."""
        return self._lines.get(text.partition(chr(self._wrong[0]))[0])

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Bytes of the next lines."""
        while not self._ready:
            more = self._text.read(BLOCK)
            block, self._held = self._held + more, b""
            if more:
                end = block.rfind(b"\n") + 1
                block, self._held = block[:end], block[end:]
            self._ready = self._paired(block) if b'"' in block else block
            if not more:
                break
        chunk, self._ready = self._ready[:size], self._ready[size:]
        return chunk

    def _paired(self, block: bytes) -> bytes:
        lines = block.split(b"\n")
        for index, line in enumerate(lines):
            if b'"' in line:
                lines[index] = self._line(line)
        return b"\n".join(lines)

    def _line(self, line: bytes) -> bytes:
        sound = self._sound.fullmatch(line.removesuffix(b"\r")) is not None
        closes = sound and self._opened and line.count(b'"') % 2 == 1
        if sound and not closes:
            return line
        self._opened = not closes
        # No source writes this text: NUL and a number.
        name = f"\0{len(self._lines)}\0"
        self._lines[name] = OpenLine(line.removesuffix(b"\r").decode("utf-8", errors="replace"), closes)
        return name.encode() + self._wrong


def are_swallowed(row: list[str | None], place: int, delimiter: str) -> bool:
    """Whether the cell at a place of a row is no cell, but what an open quote made of this row and those after it.

    A remark may hold line ends and as many delimiters as a row. Swallowed rows are told by two things together: each of
    their lines is as wide as a row, and what stands in a column is of one kind in the first and in the last of them.
    """
    # The line end of the file stays with a quote that nothing closes.
    lines = [line.split(delimiter) for line in (row[place] or "").rstrip("\r\n").split("\n")]
    first, *inner, last = lines if len(lines) > 1 else [[], []]
    width = len(row)
    if place + len(first) != width or len(last) != place + 1 or any(len(line) != width for line in inner):
        return False
    pairs = [*zip(row[:place], last, strict=False), *zip(first[1:], row[place + 1 :], strict=True)]
    alike = [_kind(one) == _kind(other) for one, other in pairs if one is not None and other is not None]
    return sum(alike) * 2 > len(alike)


def _kind(text: str) -> str:
    """What a text seems to be: a number, something with a number before it such as a time, a text or nothing."""
    text = text.strip(' "\r')
    if re.fullmatch(r"[-+]?[0-9]+([.,][0-9]*)?", text):
        return "number"
    return text[:1] and ("time" if text[0].isdecimal() else "text")


class Padded(io.RawIOBase):
    """Lines that end before their last columns, with the empty cells that their source leaves out."""

    def __init__(self, lines: io.RawIOBase, delimiter: str, width: int, *, quoted: bool) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._mark = delimiter.encode()
        self._width = width
        self._quoted = quoted
        self._held = b""
        self._ready = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Bytes of the next lines."""
        while not self._ready:
            more = self._lines.read(BLOCK) or b""
            block, self._held = self._held + more, b""
            if more:
                end = block.rfind(b"\n") + 1
                block, self._held = block[:end], block[end:]
            self._ready = b"\n".join(self._line(line) for line in block.split(b"\n"))
            if not more:
                break
        chunk, self._ready = self._ready[:size], self._ready[size:]
        return chunk

    def _line(self, line: bytes) -> bytes:
        if not line.strip(b"\r"):
            return line
        text = line.removesuffix(b"\r")
        lacking = self._width - self._count(text)
        return text + self._mark * lacking if lacking > 0 else line

    def _count(self, line: bytes) -> int:
        if not self._quoted or b'"' not in line:
            return line.count(self._mark) + 1
        text = line.decode("utf-8", errors="replace")
        return len(next(csv.reader([text.replace("\r", " ")], delimiter=self._delimiter), []))
