"""Received columns made into the columns that land, as the contract says (`contracts/shape.py`): a pure function."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any, assert_never

import pyarrow as pa
import pyarrow.compute as pc

from ecowarehouse import formats
from ecowarehouse.contracts.shape import (
    Constant,
    Joined,
    Made,
    OfFileName,
    PartOf,
    RowTime,
    Unpivot,
    template_parts,
)
from ecowarehouse.formats import FormatProblem, ReceivedTable, Rejected
from ecowarehouse.formats.model import Places

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract


def read(contract: Contract, form: str, payload: formats.Payload, part: str = "") -> Iterator[ReceivedTable]:
    """The rows of a payload as they land: `row_number` and the columns of `contract.landed`, as text.

    `part` is what the file's name says, for a contract that asks for it.

    Raises:
        FormatProblem: as `formats.read`.
    """
    for received in formats.read(contract, form, payload):
        yield replace(received, table=shape(contract, received.table, part))


def shape(contract: Contract, table: pa.Table, part: str = "") -> pa.Table:
    """A received table as it lands; the same table where the contract changes nothing.

    Raises:
        FormatProblem: not_the_format, for a start of times that is none, or without the part of its name that it needs.
    """
    if contract.of_file_name is not None and not part:
        pattern = contract.of_file_name.pattern
        raise FormatProblem(
            "not_the_format", f"the file's name is not as {pattern!r}, which says more than its bytes"
        )
    if contract.unpivot is not None:
        table = _unpivoted(table, contract, contract.unpivot)
    for name, rule in contract.made.items():
        table = table.append_column(name, _made(rule, table, contract, part))
    return table


def as_received(contract: Contract, rejects: Iterable[Rejected], places: list[Places]) -> Iterator[Rejected]:
    """What the check rejected of the landed rows, as the received rows and cells it comes from.

    Of a workbook, the detail begins with the sheet and the cell.
    """
    turned = list(contract.unpivoted)
    for one in rejects:
        if one.row_number is None:
            yield one
            continue
        column = one.column
        if turned and contract.unpivot is not None and column in (contract.unpivot.value, None):
            column = turned[(one.row_number - 1) % len(turned)]
        row = contract.received_row(one.row_number)
        where = next((found for each in places if (found := each.of(row, column)) is not None), None)
        yield replace(one, row_number=row, detail=f"{where}: {one.detail}" if where else one.detail)


def _unpivoted(table: pa.Table, contract: Contract, rule: Unpivot) -> pa.Table:
    turned = contract.unpivoted
    kept = [name for name in table.column_names if name not in turned and name != "row_number"]
    numbers = pc.multiply(pc.subtract(table["row_number"], 1), len(turned))
    wanted = _cells_wanted(table, contract, rule)
    parts = []
    for place, (column, text) in enumerate(turned.items(), start=1):
        columns = [
            pc.add(numbers, place),
            *(table[name] for name in kept),
            _repeated(text, table),
            table[column],
        ]
        part = pa.Table.from_arrays(columns, names=["row_number", *kept, rule.name, rule.value])
        parts.append(part.filter(wanted[column]) if column in wanted else part)
    return pa.concat_tables(parts).sort_by("row_number").combine_chunks()


def _cells_wanted(table: pa.Table, contract: Contract, rule: Unpivot) -> dict[str, Any]:
    """Which cells become rows, by column; nothing: all of them. No received row goes without any."""
    if rule.empty == "kept":
        return {}
    marks = pa.array(contract.missing_marks, pa.string())
    wanted = {
        column: pc.invert(pc.is_in(_trimmed(table[column], contract), value_set=marks))
        for column in contract.unpivoted
    }
    first = next(iter(wanted))
    has_any = reduce(pc.or_, wanted.values())
    return {**wanted, first: pc.or_(wanted[first], pc.invert(has_any))}


def _made(rule: Made, table: pa.Table, contract: Contract, part: str) -> Any:
    match rule:
        case Constant():
            return _repeated(rule.text, table)
        case OfFileName():
            return _repeated(part, table)
        case Joined():
            return _joined(rule.template, table, contract)
        case PartOf():
            return _part(rule, table, contract)
        case RowTime():
            return _row_times(rule, table, contract)
        case _:
            assert_never(rule)


def _repeated(text: str, table: pa.Table) -> Any:
    return pa.repeat(pa.scalar(text, pa.string()), len(table))


def _joined(template: str, table: pa.Table, contract: Contract) -> Any:
    pieces: list[Any] = []
    for literal, column, width in template_parts(template):
        if literal:
            pieces.append(pa.scalar(literal, pa.string()))
        if column is not None:
            text = _trimmed(table[column], contract)
            pieces.append(pc.utf8_lpad(text, width=width, padding="0") if width else text)
    joined = pc.binary_join_element_wise(*pieces, "")
    return joined if isinstance(joined, pa.Array | pa.ChunkedArray) else _repeated(joined.as_py(), table)


def _part(rule: PartOf, table: pa.Table, contract: Contract) -> Any:
    encoded = pc.dictionary_encode(_trimmed(table[rule.column], contract).combine_chunks())
    pattern = re.compile(rule.pattern)
    found = [_groups(pattern.search(text)) for text in encoded.dictionary.to_pylist()]
    texts = [
        text if part is None else part
        for text, part in zip(encoded.dictionary.to_pylist(), found, strict=True)
    ]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _groups(match: re.Match[str] | None) -> str | None:
    return None if match is None else "".join(group or "" for group in match.groups())


def _row_times(rule: RowTime, table: pa.Table, contract: Contract) -> Any:
    starts = _joined(rule.start, table, contract).to_pylist()
    moments = {text: _moment(text) for text in set(starts)}
    numbers = table["row_number"].to_pylist()
    texts = [
        (moments[start] + (number - 1) * rule.step).isoformat()
        for start, number in zip(starts, numbers, strict=True)
    ]
    return pa.array(texts, pa.string())


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise FormatProblem("not_the_format", f"{text!r} is no ISO time for the first row") from None


def _trimmed(column: Any, contract: Contract) -> Any:
    column = pc.fill_null(column, "")
    return pc.utf8_trim(column, characters="".join(contract.trim)) if contract.trim else column
