"""Bytes to tables of text, and nothing else: no trimming, no casting, no judgement of values."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from ecowarehouse.contracts import Contract
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, Rejected
from ecowarehouse.formats.sniff import opened

__all__ = [
    "FormatProblem", "Payload", "ReceivedTable", "Rejected", "read", "read_table",
]  # fmt: skip

Payload = bytes | BinaryIO | Path

# The reader of each form; loaded when a payload needs it, because some carry heavy libraries.
_READERS: Final = {
    "csv": "delimited",
    "xml": "xml_rows",
    "json": "json_items",
    "fixed_width": "fixed_width",
    "workbook": "workbook",
    "eurdep": "eurdep",
    "waterml": "waterml",
    "darwin_core": "darwin_core",
    "geojson": "geojson",
    "geopackage": "geopackage",
}


def read(contract: Contract, form_name: str, payload: Payload) -> Iterator[ReceivedTable]:
    """The rows of a payload, in tables of a size that memory can hold, in the order of the source.

    `table` has `row_number` (1 is the source's first row) and every column of the contract's header, as text,
    as received. Rows of another width are in `rejects`.

    Raises:
        FormatProblem: the payload as a whole is not what the contract promises. It may come after the first
            tables, so a caller keeps nothing until the iterator has ended.
        KeyError: the contract has no such form.
    """
    form = contract.forms.by_name[form_name]
    reader = import_module(f"{__name__}.{_READERS[form_name]}")
    with opened(payload) as source:
        yield from reader.read(contract, form, source)


def read_table(contract: Contract, form_name: str, payload: Payload) -> ReceivedTable:
    """All of a payload as one table.

    Raises:
        FormatProblem, KeyError: as `read`.
    """
    parts = list(read(contract, form_name, payload))
    rejects = [item for part in parts for item in part.rejects]
    left_out = sum(part.left_out for part in parts)
    return ReceivedTable(pa.concat_tables(part.table for part in parts), rejects, left_out)
