"""The landing check of entities: which rows can be used, and which cells are none of their type.

A row whose thing is known lands even when a cell is not to be read: the thing is there, and what is said of it stays
what it was. A whole register with a row that nobody can name, or that its reader had to refuse, is `partial`: nobody
knows whose row it is, so it ends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from ecowarehouse.contracts.entity import CODE_JOINT, EntityContract, EntityValue
from ecowarehouse.entities import EntityColumn
from ecowarehouse.formats.model import Rejected, as_csv
from ecowarehouse.landing.check import NUMBER, Checked

TRUE = ("true", "yes", "1", "是")
FALSE = ("false", "no", "0", "否")
UNNAMED = "unnamed_rows"
_GEOMETRY = re.compile(r"(MULTI)?(POINT|LINESTRING|POLYGON)\s*\([-+0-9eE., ()]+\)", re.ASCII)
_ISO_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII
)
_DIRECTIVES = {"Y": r"\d{4}", "m": r"\d{2}", "d": r"\d{2}", "H": r"\d{2}", "M": r"\d{2}", "S": r"\d{2}"}


def check(contract: EntityContract, table: pa.Table, *, lost: bool = False) -> Checked:
    """Judge one received content, as `landing.check.check` does for observations; its periods are None.

    `lost`: its reader refused rows, so that not all of them are in the table.
    """
    rows = _Rows(contract, table)
    rejects = list(rows.rejected())
    unnamed = lost or any(one.reason in ("key_missing", "not_text") for one in rejects)
    kept = [place for place, reason in enumerate(rows.reasons) if reason is None]
    bad = [rows.bad_cells(place) for place in kept]
    for place, cells in zip(kept, bad, strict=True):
        for column, expected in cells.items():
            text = rows.cells[column][place]
            rejects.append(
                Rejected(rows.numbers[place], column, "not_as_declared", f"expected {expected}", text)
            )
    landed = table.take(pa.array(kept, pa.int64())).select(["row_number", *contract.landed])
    literals = pa.array(["{" + ",".join(cells) + "}" if cells else None for cells in bad], pa.string())
    partial = unnamed and contract.ends_what_is_absent
    return Checked(
        table=landed.add_column(1, "rejected_columns", literals),
        rejects=sorted(rejects, key=lambda one: (one.row_number or 0, one.column or "")),
        period_from=None,
        period_to=None,
        newest_period_sites=0,
        fullest_period_sites=0,
        partial=partial,
        partial_reason=UNNAMED if partial else None,
    )


class _Rows:
    def __init__(self, contract: EntityContract, table: pa.Table) -> None:
        self._contract = contract
        trim = "".join(contract.trim)
        self.cells: dict[str, list[str]] = {
            name: [text.strip(trim) if trim else text for text in pc.fill_null(table[name], "").to_pylist()]
            for name in contract.landed
        }
        self.numbers: list[int] = table["row_number"].to_pylist()
        self._tests = _tests(contract)
        self.reasons: list[tuple[str, str] | None] = [self._reason(p) for p in range(len(self.numbers))]
        self._leave_the_last()

    def rejected(self) -> Iterator[Rejected]:
        """Rows that don't land."""
        for place, found in enumerate(self.reasons):
            if found is not None:
                received = as_csv([self.cells[name][place] for name in self._contract.landed])
                yield Rejected(self.numbers[place], None, *found, received)

    def bad_cells(self, place: int) -> dict[str, str]:
        """Columns of a row whose cell is none of its type, with what is expected."""
        found = {}
        for column, (fits, expected) in self._tests.items():
            text = self.cells[column][place]
            if text not in self._contract.missing_marks and not fits(text):
                found[column] = expected
        return found

    def _reason(self, place: int) -> tuple[str, str] | None:
        if any("\0" in cells[place] for cells in self.cells.values()):
            return "not_text", "holds a NUL character"
        missing = [c for c in self._contract.key if self.cells[c][place] in self._contract.missing_marks]
        if missing:
            return "key_missing", f"no value in {', '.join(missing)}"
        if any(CODE_JOINT in self.cells[c][place] for c in self._contract.key[1:]):
            return "key_missing", f"{CODE_JOINT!r} inside of a further key column"
        return None

    def _leave_the_last(self) -> None:
        last: dict[tuple[str, ...], int] = {}
        for place, reason in enumerate(self.reasons):
            if reason is None:
                last[self._identity(place)] = place
        for place, reason in enumerate(self.reasons):
            kept = last.get(self._identity(place), place)
            if reason is None and kept != place:
                same = all(cells[place] == cells[kept] for cells in self.cells.values())
                row = self._contract.received_row(self.numbers[kept])
                detail = f"the same thing stands in a later row, which was kept: row {row}"
                self.reasons[place] = ("duplicate_row" if same else "conflicting_row", detail)

    def _identity(self, place: int) -> tuple[str, ...]:
        return tuple(self.cells[column][place] for column in self._contract.identity)


_Test = tuple[Callable[[str], bool], str]


def _tests(contract: EntityContract) -> dict[str, _Test]:
    """What a cell of each column that is read must be."""
    tests: dict[str, _Test] = {}
    for day in (contract.valid.start, contract.valid.end):
        if day is not None:
            tests[day.column] = _time_test(day.format)
    for name, value in contract.values.items():
        tests[value.column] = _test(value, contract.declared.columns[name])
    return tests


def _test(value: EntityValue, column: EntityColumn) -> _Test:
    if column.words:
        known = {*column.words, *value.words}
        return known.__contains__, f"one of {', '.join(sorted(known))}"
    match column.type:
        case "number":
            return (lambda text: re.match(NUMBER, text) is not None), "a number"
        case "integer":
            return (lambda text: re.fullmatch(r"-?[0-9]{1,9}", text) is not None), "a whole number"
        case "boolean":
            words = {*TRUE, *FALSE}
            return (lambda text: text.lower() in words), f"one of {', '.join(sorted(words))}"
        case "date" | "time":
            return _time_test(value.format)
        case "geometry":
            return (lambda text: _GEOMETRY.fullmatch(text) is not None), "WKT, such as POINT(109.6 23.1)"
        case _:
            return (lambda _: True), "a text"


def _time_test(form: str) -> _Test:
    return (lambda text: _is_time(form, text)), f"a time {form}"


def _is_time(form: str, text: str) -> bool:
    try:
        if form == "iso8601":
            return _ISO_TIME.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
        pattern = re.sub(r"%(.)", lambda m: _DIRECTIVES[m.group(1)], re.escape(form))
        found = re.fullmatch(pattern, text, re.ASCII)
        return found is not None and datetime.strptime(text, form).date() > date.min  # noqa: DTZ007
    except ValueError:
        return False
