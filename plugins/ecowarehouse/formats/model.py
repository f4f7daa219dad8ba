"""What all readers give."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract
    from ecowarehouse.contracts.forms import HeadedForm

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
    """One row, or one cell of it when a column is named, that was not taken.

    `site`, `channel` and `period_start` say of which value, as far as that can be read; no channel means all of them.
    """

    row_number: int | None
    column: str | None
    reason: str
    detail: str
    received: str | None
    site: str | None = None
    channel: str | None = None
    period_start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where the cells of a sheet stand: its name, the letters of its columns, the sheet's row of each row number."""

    sheet: str
    letters: dict[str, str]
    rows: dict[int, int]

    def of(self, row_number: int, column: str | None) -> str | None:
        """A cell as `土壤!F17`, a row as `土壤!17:17`; None when the row is of another sheet."""
        row = self.rows.get(row_number)
        if row is None:
            return None
        letters = self.letters.get(column or "")
        return f"{self.sheet}!{letters}{row}" if letters else f"{self.sheet}!{row}:{row}"


@dataclass(frozen=True, slots=True)
class ReceivedTable:
    """Rows as received: `row_number` and the columns of the contract's header, as text.

    `left_out` is the number of lines that the contract says are no rows, `places` where the cells stand in a workbook.
    """

    table: pa.Table
    rejects: list[Rejected] = field(default_factory=list)
    left_out: int = 0
    places: Places | None = None


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


def columns_of(contract: Contract, form: HeadedForm, headings: list[str]) -> list[str | None]:
    """The column that each heading stands for, None for one that the contract ignores.

    Raises:
        FormatProblem: header_changed, as `compare_header`.
    """
    names = [None if heading in form.ignore else form.headings.get(heading, heading) for heading in headings]
    compare_header(contract, [name for name in names if name is not None])
    return names


def _short(name: str) -> str:
    shown = name if name and name.isprintable() and name == name.strip() else repr(name)
    return shown if len(shown) <= 40 else shown[:37] + "..."


class RowBuilder:
    """Collects rows of named cells and gives tables of a bounded size; an optional column may be absent from a row."""

    def __init__(self, header: list[str], optional: list[str] | None = None, size: int = 50_000) -> None:
        self._header = header
        self._needed = [name for name in header if name not in (optional or [])]
        self._known = set(header)
        self._size = size
        self._rows: list[tuple[int, dict[str, str | None]]] = []
        self._rejects: list[Rejected] = []
        self._seen: set[str] = set()
        self._any_named = False
        self.count = 0

    @property
    def full(self) -> bool:
        """Whether it is time to take a table."""
        return len(self._rows) >= self._size

    def add(self, cells: Sequence[tuple[str, str | None]]) -> None:
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
        self._any_named = True
        missing = [name for name in self._needed if name not in row]
        if not missing and len(row) == len(cells):
            self._rows.append((self.count, row))
            return
        detail = f"missing: {', '.join(missing)}" if missing else "a column stands twice"
        self._reject("ragged_row", detail, as_csv(row.get(name) for name in self._header))

    def reject(self, reason: str, detail: str, received: str | None) -> None:
        """One row that can't be taken."""
        self.count += 1
        self._reject(reason, detail, received)

    def _reject(self, reason: str, detail: str, received: str | None) -> None:
        self._rejects.append(Rejected(self.count, None, reason, visible(detail), received))

    def take(self) -> ReceivedTable:
        """What was collected since the last call."""
        columns: list[object] = [[number for number, _ in self._rows]]
        columns += [[row.get(name) for _, row in self._rows] for name in self._header]
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
        missing = [name for name in self._needed if name not in self._seen]
        # Where every row was refused for what it holds, nothing is known of the columns, and the rejects say more.
        if missing and self._any_named:
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
