"""Numbers of binary files as the text that people wrote."""

from __future__ import annotations

import math
from decimal import Decimal

_LONGEST = 40


def plain(number: float | Decimal) -> str:
    """A number in digits without an exponent, as long as it stays readable; a float by its shortest text."""
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        return str(number)
    exact = number if isinstance(number, Decimal) else Decimal(repr(number))
    text = format(exact, "f")
    if len(text) > _LONGEST:
        return str(exact)
    return text.rstrip("0").rstrip(".") if "." in text else text
