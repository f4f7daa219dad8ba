"""Delimited text with a header line, read by Arrow in blocks."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.model import CsvForm
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, Rejected, compare_header, received_schema
from ecowarehouse.formats.sniff import Source

_BLOCK = 4 << 20
_LONGEST_HEADER = 1 << 16
_UTF8 = {"utf-8", "utf-8-sig", "ascii"}


def read(contract: Contract, form: CsvForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of a delimited payload; rows of another width are rejected as `ragged_row`, in the last table.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    source.refuse_page()
    if source.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{", b"["):
        raise FormatProblem("not_the_format", "XML or JSON instead of delimited text")
    text = _Utf8(source, form.encoding)
    names = _header(text, form)
    compare_header(contract.header, names)
    ragged: list[Any] = []
    last = 0
    for batch in _batches(text, form, names, ragged):
        skipped = {row.number for row in ragged}
        numbers = _row_numbers(last, batch.num_rows, skipped)
        last = int(numbers[-1]) if len(numbers) else last
        columns = [pa.array(numbers), *(batch.column(name) for name in contract.header)]
        yield ReceivedTable(pa.Table.from_arrays(columns, schema=received_schema(contract.header)))
    _refuse_cut(ragged, last, source)
    if not last and not ragged:
        raise FormatProblem("no_rows", "a header line and no row")
    rejects = [_rejection(row) for row in ragged]
    yield ReceivedTable(received_schema(contract.header).empty_table(), rejects)


def _batches(text: _Utf8, form: CsvForm, names: list[str], ragged: list[Any]) -> Iterator[pa.RecordBatch]:
    def skip(row: Any) -> str:
        ragged.append(row)
        return "skip"

    try:
        reader = arrow_csv.open_csv(
            text.as_file(),
            # Without threads Arrow counts the rows, which the ledger needs; with them it doesn't.
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False),
            parse_options=arrow_csv.ParseOptions(
                delimiter=form.delimiter, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
        yield from reader
    except pa.ArrowInvalid as error:
        raise _problem(error) from error


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


def _rejection(row: Any) -> Rejected:
    detail = f"{row.actual_columns} columns instead of {row.expected_columns}"
    return Rejected(row.number, None, "ragged_row", detail, row.text)


def _refuse_cut(ragged: list[Any], last: int, source: Source) -> None:
    if not ragged or ragged[-1].number < last or source.tail.endswith((b"\n", b"\r", b"\x00")):
        return
    row = ragged[-1]
    if row.actual_columns < row.expected_columns:
        found = f"{row.actual_columns} of {row.expected_columns} columns"
        raise FormatProblem("truncated", f"the last line has {found} and no end")


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

    def as_file(self) -> pa.PythonFile:
        """What Arrow reads from."""
        return pa.PythonFile(self, mode="r")

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
        try:
            text = self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise FormatProblem("encoding", f"not {self._encoding}: {error.reason}") from error
        if self._as_it_is:
            return chunk
        return text.encode("utf-8") if text or not chunk else self._next()
