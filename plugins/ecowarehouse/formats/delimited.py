"""Delimited text, read by Arrow in blocks.

A quote that is not closed would make one cell of all rows up to the next quote, and of what comes after it a value of
the row before. So unless the contract says `line_ends_in_cells`, quotes are looked at line by line before Arrow sees
them, and a line whose quotes do not pair is a reject that Arrow never reads.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import CsvForm
from ecowarehouse.formats.lines import BLOCK, Lines
from ecowarehouse.formats.model import (
    FormatProblem,
    ReceivedTable,
    Rejected,
    columns_of,
    received_schema,
)
from ecowarehouse.formats.quotes import Padded, Quotes, are_swallowed
from ecowarehouse.formats.sniff import Source

_FORMAT = re.compile(r"\d+[a-zA-Z]")
_NOT_ENDED = (
    "the last line has no end, which this source always gives it, so its last cell may be cut. "
    "Mend: fetch it again; or end the line, if you know that the file is whole"
)


def read(contract: Contract, form: CsvForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of a delimited payload.

    Rows of another width are rejected as `ragged_row`, those with an open quote as `quote_not_closed`, in the last
    table.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    source.expect_text()
    if source.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{", b"["):
        raise FormatProblem("not_the_format", "XML or JSON instead of delimited text")
    lines = Lines(source, form)
    names = _columns(contract, lines, form) if form.header_line else [*contract.header]
    for part in cells(form, lines, names, source):
        columns = [part.table["row_number"], *(_column(part.table, name) for name in contract.header)]
        table = pa.Table.from_arrays(columns, schema=received_schema(contract.header))
        yield ReceivedTable(table, part.rejects, left_out=part.left_out)


def cells(form: CsvForm, lines: Lines, names: list[str | None], source: Source) -> Iterator[ReceivedTable]:
    """Tables with `row_number` and the columns that have a name, of lines whose header has been read.

    Raises:
        FormatProblem: as `read`.
    """
    ragged: list[Any] = []
    quotes = Quotes(lines, form.delimiter, len(names))
    known = [name for name in names if name is not None]
    last = 0
    rows: io.RawIOBase = quotes if form.quoted and not form.line_ends_in_cells else lines
    if form.short_rows:
        rows = Padded(rows, form.delimiter, len(names), quoted=form.quoted)
    for batch in _batches(rows, form, names, ragged):
        if form.line_ends_in_cells:
            _refuse_swallowed(batch, form, names, last)
        skipped = {row.number for row in ragged}
        numbers = _row_numbers(last, batch.num_rows, skipped)
        last = int(numbers[-1]) if len(numbers) else last
        columns = [pa.array(numbers), *(batch.column(name) for name in known)]
        yield ReceivedTable(pa.Table.from_arrays(columns, schema=received_schema(known)))
    _refuse_cut(ragged, last, source, quotes)
    if form.last_line_ends and not _is_ended(source):
        raise FormatProblem("truncated", _NOT_ENDED)
    if not last and not ragged:
        raise FormatProblem("no_rows", "a header line and no row" if form.header_line else "no row")
    rejects = list(_rejections(ragged, quotes))
    yield ReceivedTable(received_schema(known).empty_table(), rejects, left_out=lines.left_out)


def _columns(contract: Contract, lines: Lines, form: CsvForm) -> list[str | None]:
    """The column that each heading stands for, None for one that the contract ignores."""
    headings = cells_of(lines.first_line(), form)
    if form.trim_headings:
        headings = [heading.strip() for heading in headings]
    if form.types_line:
        formats = cells_of(lines.first_line(), form)
        if len(formats) != len(headings) or not all(_FORMAT.fullmatch(text) for text in formats):
            raise FormatProblem(
                "not_the_format", f"no line of formats such as 5s and 14n after the header: {formats[:5]}"
            )
    return columns_of(contract, form, headings)


def cells_of(line: str | None, form: CsvForm) -> list[str]:
    """The cells of a header line.

    Raises:
        FormatProblem: not_the_format.
    """
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if form.quoted else csv.QUOTE_NONE
    try:
        return next(csv.reader([line or ""], delimiter=form.delimiter, quoting=quoting), [])
    except csv.Error as error:
        raise FormatProblem("not_the_format", f"the first line is no header: {error}") from error


def _column(table: pa.Table, name: str) -> Any:
    """A column as received; null throughout where it is absent: that is no statement, unlike an empty cell."""
    if name in table.column_names:
        return table[name]
    return pa.nulls(len(table), pa.string())


def _batches(
    text: io.RawIOBase, form: CsvForm, names: list[str | None], ragged: list[Any]
) -> Iterator[pa.RecordBatch]:
    def skip(row: Any) -> str:
        ragged.append(row)
        return "skip"

    known = [name for name in names if name is not None]
    # A column that nobody asks for needs a name of its own, which no header can hold.
    own = [f"\0{place}" if name is None else name for place, name in enumerate(names)]
    try:
        reader = arrow_csv.open_csv(
            pa.PythonFile(text, mode="r"),
            # Without threads Arrow counts the rows, which the ledger needs; with them it doesn't.
            read_options=arrow_csv.ReadOptions(column_names=own, block_size=BLOCK, use_threads=False),
            parse_options=arrow_csv.ParseOptions(
                delimiter=form.delimiter,
                quote_char='"' if form.quoted else False,
                newlines_in_values=form.line_ends_in_cells,
                invalid_row_handler=skip,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=known,
                column_types={name: pa.string() for name in known},
                strings_can_be_null=False,
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


def _rejections(ragged: list[Any], quotes: Quotes) -> Iterator[Rejected]:
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


def _refuse_cut(ragged: list[Any], last: int, source: Source, quotes: Quotes) -> None:
    """Refuse what ends within its last line, as far as its width or its quotes show it."""
    if not ragged or ragged[-1].number < last:
        return
    row = ragged[-1]
    ended = _is_ended(source)
    line = quotes.open_line(row.text)
    if line is None and row.actual_columns < row.expected_columns:
        if '"' in row.text and not _is_closed(row.text):
            raise FormatProblem("truncated", f"the quote opened in row {row.number} is not closed")
        if not ended:
            found = f"{row.actual_columns} of {row.expected_columns} columns"
            raise FormatProblem("truncated", f"the last line has {found} and no end")
    if line is not None and not ended:
        raise FormatProblem("truncated", f"the last line ends inside a quoted cell, in row {row.number}")


def _is_ended(source: Source) -> bool:
    """Whether the last line has an end, in any encoding."""
    return source.tail.endswith((b"\n", b"\r", b"\x00"))


def _is_closed(text: str) -> bool:
    return text.count('"') % 2 == 0


def _refuse_swallowed(batch: pa.RecordBatch, form: CsvForm, names: list[str | None], last: int) -> None:
    """Where cells may hold line ends, refuse a cell that is no cell but swallowed rows.

    Raises:
        FormatProblem: not_the_format.
    """
    for name in batch.schema.names:
        column = batch.column(name)
        if not len(column) or b"\n" not in memoryview(column.buffers()[2] or b"").tobytes():
            continue
        found = pc.and_(
            pc.match_substring(column, "\n"),
            pc.greater_equal(pc.count_substring(column, form.delimiter), len(names) - 1),
        )
        for place in np.flatnonzero(found.to_numpy(zero_copy_only=False)).tolist():
            [row] = batch.slice(place, 1).to_pylist()
            if are_swallowed(
                [None if one is None else row[one] for one in names], names.index(name), form.delimiter
            ):
                raise FormatProblem(
                    "not_the_format", f"a quote opened near row {last + place + 1} swallows the rows after it"
                )


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
