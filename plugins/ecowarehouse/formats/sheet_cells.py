"""Cells of a workbook as text."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any, Final

from ecowarehouse.formats.number_formats import shown
from ecowarehouse.formats.numbers import plain

ERRORS: Final = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!", "#CALC!"}
)
# Excel keeps binary numbers and shows no more than 15 digits of one: what stands behind them nobody wrote.
_SHOWN: Final = Context(prec=15)
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')


def text_of(cell: Any, date_format: str, unit: str = "") -> str:
    """What a cell holds.

    Numbers are plain digits, as many as Excel can show. What the format shows beside them stays, as in 25%, <0.02 or
    0.02L, because without it the number would be another; `unit` is the one that goes without saying. Dates are written
    as `date_format` says, ISO 8601 unless it says otherwise: without a time where the cell shows none.
    """
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "", unit)
    if isinstance(value, date | time | timedelta):
        return _moment(value, cell.number_format or "", date_format)
    return str(value)


def _number(value: float, number_format: str, unit: str) -> str:
    number = Decimal(value) if isinstance(value, int) else _SHOWN.create_decimal_from_float(value)
    section = shown(number_format, value)
    if not number.is_finite():
        return plain(number)
    return section.around(f"{plain(number * 100)}%" if section.percent else plain(number), unit)


def _moment(value: date | time | timedelta, number_format: str, date_format: str) -> str:
    if isinstance(value, datetime):
        value = _whole_second(value)
        if date_format != "iso8601":
            return value.strftime(date_format)
        shows_time = value.time() != time() or "h" in _LITERAL.sub("", number_format).lower()
        return value.isoformat() if shows_time else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat() if date_format == "iso8601" else value.strftime(date_format)
    return value.isoformat() if isinstance(value, time) else str(value)


def _whole_second(value: datetime) -> datetime:
    """A moment without the dust of a day's fraction: 07:59:59.999998 is 08:00."""
    second = value.replace(microsecond=0)
    rest = value.microsecond
    if rest < 1000:
        return second
    return second + timedelta(seconds=1) if rest > 999_000 else value
