"""Cells of a table as text and as values of a sheet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pyarrow as pa


def rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Rows of a table as Python values."""
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def text(value: Any) -> str:
    """A value as a department writes it; no value is an empty text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def number(value: Any) -> Any:
    """A cell of a sheet: a number where the text is one, or the text."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value
