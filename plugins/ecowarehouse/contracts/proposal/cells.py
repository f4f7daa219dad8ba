"""What cells say beside numbers: marks of missing values, and limits below which a method sees nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ecowarehouse.contracts.proposal.columns import NUMBER

_MARKS: Final = frozenset(
    {"-", "--", "—", "——", "*", "/", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "无", "缺测"}
)
_NUMBERS_FOR_NOTHING: Final = frozenset(
    {"-99", "-999", "-9999", "-99999", "999.9", "9999", "99999", "-999.0", "-9999.0"}
)
_NOT_DETECTED: Final = frozenset({"ND", "nd", "未检出"})
_LIMIT: Final = re.compile(r"([<＜])?\d+(?:\.\d+)?(L)?")


@dataclass(frozen=True, slots=True)
class Marks:
    """Texts by what they mean; `unknown` are those of which nobody can tell, each sorted."""

    sentinels: tuple[str, ...]
    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    not_detected: tuple[str, ...]
    unknown: tuple[str, ...]


def marks_in(cells: Iterable[str]) -> Marks:
    """The marks among the cells of columns with numbers."""
    seen = set(cells) - {""}
    numbers_for_nothing = seen & _NUMBERS_FOR_NOTHING
    texts = {cell for cell in seen if NUMBER.fullmatch(cell) is None}
    limits = [match for cell in texts if (match := _LIMIT.fullmatch(cell)) is not None]
    known = _MARKS | _NOT_DETECTED | {match[0] for match in limits}
    return Marks(
        sentinels=("", *sorted(texts & _MARKS | numbers_for_nothing)),
        prefixes=tuple(sorted({match[1] for match in limits if match[1]})),
        suffixes=tuple(sorted({match[2] for match in limits if match[2]})),
        not_detected=tuple(sorted(texts & _NOT_DETECTED)),
        unknown=tuple(sorted(texts - known)),
    )
