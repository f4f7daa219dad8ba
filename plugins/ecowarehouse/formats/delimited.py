"""Delimited text with a header line, read by Arrow in blocks.

A quote that is not closed would make one cell of all rows up to the next quote, and of what comes after it a value of
the row before. So unless the contract says `line_ends_in_cells`, quotes are looked at line by line before Arrow sees
them, and a line whose quotes do not pair is a reject that Arrow never reads.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import CsvForm
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, Rejected, compare_header, received_schema
from ecowarehouse.formats.sniff import Source

_BLOCK = 4 << 20
_LONGEST_HEADER = 1 << 16
_UTF8 = {"utf-8", "utf-8-sig", "ascii"}


def read(contract: Contract, form: CsvForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of a delimited payload.

    Rows of another width are rejected as `ragged_row`, those with an open quote as `quote_not_closed`, in the last
    table.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    source.refuse_page()
    if source.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{", b"["):
        raise FormatProblem("not_the_format", "XML or JSON instead of delimited text")
    text = _Utf8(source, form.encoding)
    names = [form.headings.get(heading, heading) for heading in _header(text, form)]
    compare_header(contract, names)
    ragged: list[Any] = []
    quotes = _Quotes(text, form.delimiter, len(names))
    last = 0
    for batch in _batches(text if form.line_ends_in_cells else quotes, form, names, ragged):
        if form.line_ends_in_cells:
            _refuse_swallowed(batch, form, last)
        skipped = {row.number for row in ragged}
        numbers = _row_numbers(last, batch.num_rows, skipped)
        last = int(numbers[-1]) if len(numbers) else last
        columns = [pa.array(numbers), *(_column(batch, name) for name in contract.header)]
        yield ReceivedTable(pa.Table.from_arrays(columns, schema=received_schema(contract.header)))
    _refuse_cut(ragged, last, source, quotes)
    if not last and not ragged:
        raise FormatProblem("no_rows", "a header line and no row")
    rejects = list(_rejections(ragged, quotes))
    yield ReceivedTable(received_schema(contract.header).empty_table(), rejects)


def _batches(
    text: io.RawIOBase, form: CsvForm, names: list[str], ragged: list[Any]
) -> Iterator[pa.RecordBatch]:
    def skip(row: Any) -> str:
        ragged.append(row)
        return "skip"

    try:
        reader = arrow_csv.open_csv(
            pa.PythonFile(text, mode="r"),
            # Without threads Arrow counts the rows, which the ledger needs; with them it doesn't.
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False),
            parse_options=arrow_csv.ParseOptions(
                delimiter=form.delimiter,
                newlines_in_values=form.line_ends_in_cells,
                invalid_row_handler=skip,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
        yield from reader
    except pa.ArrowInvalid as error:
        raise _problem(error) from error


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column as received; null throughout where it is absent: that is no statement, unlike an empty cell."""
    if name in batch.schema.names:
        return batch.column(name)
    return pa.nulls(batch.num_rows, pa.string())


def _problem(error: pa.ArrowInvalid) -> FormatProblem:
    message = str(error).splitlines()[0]
    if "Empty CSV" in message:
        return FormatProblem("no_rows", "a header line and no row")
    return FormatProblem("not_the_format", message)


def _header(text: _Utf8, form: CsvForm) -> list[str]:
    line = text.first_line()
    try:
        return next(csv.reader([line], delimiter=form.delimiter), [])
    except csv.Error as error:
        raise FormatProblem("not_the_format", f"the first line is no header: {error}") from error


def _rejections(ragged: list[Any], quotes: _Quotes) -> Iterator[Rejected]:
    opened = 0
    for row in ragged:
        line = quotes.open_line(row.text)
        if line is None:
            detail = f"{row.actual_columns} columns instead of {row.expected_columns}"
            yield Rejected(row.number, None, "ragged_row", detail, row.text)
        elif line.closes:
            detail = f"a stray quote, perhaps the end of the one opened in row {opened}"
            yield Rejected(row.number, None, "quote_not_closed", detail, line.text)
        else:
            opened = row.number
            detail = f"the quote opened in row {opened} is not closed in its line"
            yield Rejected(row.number, None, "quote_not_closed", detail, line.text)


def _refuse_cut(ragged: list[Any], last: int, source: Source, quotes: _Quotes) -> None:
    """Refuse what ends within its last line, as far as its width or its quotes show it."""
    if not ragged or ragged[-1].number < last:
        return
    row = ragged[-1]
    ended = source.tail.endswith((b"\n", b"\r", b"\x00"))
    line = quotes.open_line(row.text)
    if line is None and row.actual_columns < row.expected_columns:
        if '"' in row.text and not _is_closed(row.text):
            raise FormatProblem("truncated", f"the quote opened in row {row.number} is not closed")
        if not ended:
            found = f"{row.actual_columns} of {row.expected_columns} columns"
            raise FormatProblem("truncated", f"the last line has {found} and no end")
    if line is not None and not ended:
        raise FormatProblem("truncated", f"the last line ends inside a quoted cell, in row {row.number}")


def _is_closed(text: str) -> bool:
    return text.count('"') % 2 == 0


def _refuse_swallowed(batch: pa.RecordBatch, form: CsvForm, last: int) -> None:
    """Where cells may hold line ends, one that holds as many delimiters as a row is no cell but swallowed rows.

    Raises:
        FormatProblem: not_the_format.
    """
    for column in batch.columns:
        if not len(column) or b"\n" not in memoryview(column.buffers()[2] or b"").tobytes():
            continue
        found = pc.and_(
            pc.match_substring(column, "\n"),
            pc.greater_equal(pc.count_substring(column, form.delimiter), batch.num_columns - 1),
        )
        if pc.any(found).as_py():
            row = last + pc.index(found, True).as_py() + 1
            raise FormatProblem("not_the_format", f"a quote opened near row {row} swallows the rows after it")


def _row_numbers(last: int, rows: int, skipped: set[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Numbers of the next rows after the row `last`, past those that were skipped."""
    after = sorted(number for number in skipped if number > last)
    end = last + rows
    inside = 0
    while inside < len(after) and after[inside] <= end:
        inside += 1
        end += 1
    numbers = np.arange(last + 1, end + 1, dtype=np.int64)
    return np.delete(numbers, [number - last - 1 for number in after[:inside]])


class _Utf8(io.RawIOBase):
    """The source as UTF-8 without byte order mark, after its header line."""

    def __init__(self, source: Source, encoding: str) -> None:
        self._source = source
        self._encoding = encoding
        self._as_it_is = codecs.lookup(encoding).name in _UTF8
        self._decoder = codecs.getincrementaldecoder("utf-8" if self._as_it_is else encoding)()
        self._offset = 0
        self._buffer = self._next().removeprefix(b"\xef\xbb\xbf")

    def first_line(self) -> str:
        """The header line.

        Raises:
            FormatProblem: not_the_format when no line ends in the first 64 KiB.
        """
        while b"\n" not in self._buffer and len(self._buffer) < _LONGEST_HEADER:
            more = self._next()
            if not more:
                break
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) > _LONGEST_HEADER:
            raise FormatProblem("not_the_format", "no line ends in the first 64 KiB")
        return line.rstrip(b"\r").decode("utf-8", errors="replace")

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Bytes of the rest."""
        while len(self._buffer) < size:
            more = self._next()
            if not more:
                break
            self._buffer = self._buffer + more if self._buffer else more
        chunk, self._buffer = self._buffer[:size], self._buffer[size:]
        return chunk

    def _next(self) -> bytes:
        chunk = self._source.read(_BLOCK)
        start = self._offset - len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise self._problem(error, start + error.start) from error
        self._offset += len(chunk)
        if self._as_it_is:
            return chunk
        return text.encode("utf-8") if text or not chunk else self._next()

    def _problem(self, error: UnicodeDecodeError, at: int) -> FormatProblem:
        found = f"not {self._encoding}: byte {at + 1} is 0x{error.object[error.start]:02x} ({error.reason})"
        guess = _guess(self._source.head)
        seems = f"it seems to be {guess}: " if guess else ""
        mend = "save it as UTF-8, or name its encoding in the contract (forms.csv.encoding)"
        return FormatProblem("encoding", f"{found}; {seems}{mend}")


def _guess(head: bytes) -> str | None:
    """What a text that is no UTF-8 may be; None where nothing speaks for one."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    with suppress(UnicodeDecodeError):
        text = codecs.getincrementaldecoder("gb18030")().decode(head)
        if all(c.isprintable() or c in "\r\n\t" for c in text) and any(c > "\x7f" for c in text):
            return "gb18030"
    return None


@dataclass(frozen=True, slots=True)
class _OpenLine:
    """A line whose quotes do not pair; `closes` when it may hold the end of a quote opened before it."""

    text: str
    closes: bool


class _Quotes(io.RawIOBase):
    """The lines of a text; in the place of one whose quotes do not pair stands a line of a wrong width."""

    def __init__(self, text: _Utf8, delimiter: str, width: int) -> None:
        self._text = text
        self._wrong = delimiter.encode() * width
        mark = re.escape(delimiter.encode())
        # A cell as Arrow reads it: only at its start a quote opens, and after the closing one the cell goes on.
        cell = rb'(?:"(?:[^"\r]|"")*+"[^%b]*+|[^"%b][^%b]*+|)' % (mark, mark, mark)
        self._sound = re.compile(rb"%b(?:%b%b)*+" % (cell, mark, cell))
        self._lines: dict[str, _OpenLine] = {}
        self._opened = False
        self._held = b""
        self._ready = b""

    def open_line(self, text: str) -> _OpenLine | None:
        """What stood in the place of this text, None when the text stood there itself."""
        return self._lines.get(text.partition(chr(self._wrong[0]))[0])

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Bytes of the next lines."""
        while not self._ready:
            more = self._text.read(_BLOCK)
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
        self._lines[name] = _OpenLine(line.removesuffix(b"\r").decode("utf-8", errors="replace"), closes)
        return name.encode() + self._wrong
