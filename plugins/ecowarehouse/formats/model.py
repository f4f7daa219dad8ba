"""What all readers give."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract

FormatReason = Literal["not_the_format", "truncated", "empty_body", "header_changed", "encoding", "no_rows"]


class FormatProblem(ValueError):
    """The payload as a whole is not what the contract promises; `reason` is a word of the ledger."""

    def __init__(self, reason: FormatReason, detail: str) -> None:
        # What was received may be quoted in it, and a text of PostgreSQL holds no NUL.
        self.detail = visible(detail)
        super().__init__(f"{reason}: {self.detail}")
        self.reason: FormatReason = reason


def visible(text: str) -> str:
    """A text with every character that can't be seen written as its escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row, or one cell of it when a column is named, that was not taken."""

    row_number: int | None
    column: str | None
    reason: str
    detail: str
    received: str | None


@dataclass(frozen=True, slots=True)
class ReceivedTable:
    """Rows as received: `row_number` and the columns of the contract's header, as text."""

    table: pa.Table
    rejects: list[Rejected] = field(default_factory=list)


def as_csv(cells: Iterable[object]) -> str:
    """Cells as one line of CSV, the form in which rejected rows are kept."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["" if cell is None else cell for cell in cells])
    return line.getvalue()


def received_schema(header: list[str]) -> pa.Schema:
    """The schema of `ReceivedTable.table`."""
    return pa.schema([("row_number", pa.int64()), *((name, pa.string()) for name in header)])


def compare_header(contract: Contract, found: list[str]) -> None:
    """Names must be those of the header, optional ones excepted; their order may differ.

    Raises:
        FormatProblem: header_changed, naming what is missing, unknown or twice.
    """
    expected = contract.header
    problems = []
    if missing := [name for name in expected if name not in found and name not in contract.optional]:
        problems.append(f"missing: {', '.join(missing)}")
    if unknown := [name for name in found if name not in expected]:
        problems.append(f"unknown: {', '.join(map(_short, unknown))}")
    if twice := sorted({name for name in found if found.count(name) > 1}):
        problems.append(f"twice: {', '.join(map(_short, twice))}")
    if problems:
        raise FormatProblem("header_changed", "; ".join(problems))


def _short(name: str) -> str:
    shown = name if name and name.isprintable() and name == name.strip() else repr(name)
    return shown if len(shown) <= 40 else shown[:37] + "..."


class RowBuilder:
    """Collects rows of named cells (XML, JSON) and gives tables of a bounded size."""

    def __init__(self, header: list[str], size: int = 50_000) -> None:
        self._header = header
        self._known = set(header)
        self._size = size
        self._rows: list[tuple[int, dict[str, str]]] = []
        self._rejects: list[Rejected] = []
        self._seen: set[str] = set()
        self.count = 0

    @property
    def full(self) -> bool:
        """Whether it is time to take a table."""
        return len(self._rows) >= self._size

    def add(self, cells: list[tuple[str, str]]) -> None:
        """One row.

        Raises:
            FormatProblem: header_changed, for a column that the contract does not know.
        """
        self.count += 1
        row = dict(cells)
        if unknown := sorted(row.keys() - self._known):
            raise FormatProblem(
                "header_changed", f"unknown: {', '.join(map(_short, unknown))} in row {self.count}"
            )
        self._seen.update(row)
        if len(row) == len(self._header) == len(cells):
            self._rows.append((self.count, row))
            return
        missing = [name for name in self._header if name not in row]
        detail = f"missing: {', '.join(missing)}" if missing else "a column stands twice"
        received = as_csv(row.get(name) for name in self._header)
        self._rejects.append(Rejected(self.count, None, "ragged_row", detail, received))

    def take(self) -> ReceivedTable:
        """What was collected since the last call."""
        columns: list[object] = [[number for number, _ in self._rows]]
        columns += [[row[name] for _, row in self._rows] for name in self._header]
        schema = received_schema(self._header)
        arrays = [pa.array(values, type=schema.types[i]) for i, values in enumerate(columns)]
        result = ReceivedTable(pa.Table.from_arrays(arrays, schema=schema), self._rejects)
        self._rows, self._rejects = [], []
        return result

    def finish(self, total: int | None) -> ReceivedTable:
        """The rest, after what the source said of itself was compared with what came.

        Raises:
            FormatProblem: truncated, no_rows or header_changed.
        """
        if total is not None and total != self.count:
            raise FormatProblem("truncated", f"the source says {total} rows, {self.count} came")
        if self.count == 0:
            raise FormatProblem("no_rows", "well-formed, with no row in it")
        if missing := [name for name in self._header if name not in self._seen]:
            raise FormatProblem("header_changed", f"missing in every row: {', '.join(missing)}")
        return self.take()


def whole_number(text: str | None, where: str) -> int | None:
    """A count that the source gives, None when it gives none.

    Raises:
        FormatProblem: not_the_format, for anything but a whole number.
    """
    if text is None or text.strip() == "":
        return None
    if not text.strip().isdecimal():
        raise FormatProblem("not_the_format", f"{where} is no whole number: {_short(text)!r}")
    return int(text)
