"""Lines in which each column has its place, such as the raw records of NOAA's Integrated Surface Database."""

from __future__ import annotations

import io
from collections.abc import Iterator

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import FixedWidthForm
from ecowarehouse.formats.lines import Lines
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, RowBuilder
from ecowarehouse.formats.sniff import Source

_LONGEST = 1 << 20


def read(contract: Contract, form: FixedWidthForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of a payload of lines. A line that ends before a column that must be there is a ragged row.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    source.expect_text()
    if missing := [n for n in contract.header if n not in form.columns and n not in contract.optional]:
        raise FormatProblem("header_changed", f"no place is named for {', '.join(missing)}")
    lines = Lines(source, form)
    places = {name: (first - 1, last) for name, (first, last) in form.columns.items()}
    needed = max(last for name, (_, last) in places.items() if name not in contract.optional)
    builder = RowBuilder(contract.header, contract.optional)
    short = ""
    for line in _lines(lines):
        short = ""
        if not line.strip():
            continue
        if len(line) < needed:
            short = line
            builder.reject("ragged_row", f"{len(line)} characters of at least {needed}", line)
        else:
            builder.add([(name, line[a:b]) for name, (a, b) in places.items() if len(line) >= b])
        if builder.full:
            yield builder.take()
    if short and not source.tail.endswith((b"\n", b"\r")):
        raise FormatProblem("truncated", f"the last line has {len(short)} characters and no end")
    last_part = builder.finish(None)
    yield ReceivedTable(last_part.table, last_part.rejects, left_out=lines.left_out)


def _lines(lines: Lines) -> Iterator[str]:
    with io.BufferedReader(_Raw(lines), 1 << 20) as reader:
        while line := reader.readline(_LONGEST):
            if len(line) == _LONGEST:
                raise FormatProblem("not_the_format", "no line ends within 1 MiB")
            yield line.rstrip(b"\r\n").decode("utf-8", errors="replace")


class _Raw(io.RawIOBase):
    """What Python's buffered reader asks of a stream."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes."""
        chunk = self._lines.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
