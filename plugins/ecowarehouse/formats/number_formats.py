"""What a workbook's number format shows beside the digits: `"<"0.00` shows a sign that is no part of the number."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from ecowarehouse.contracts.values import normal_unit

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*].'
    r"|\[(?P<test>[<>=]{1,2})(?P<limit>-?[0-9.]+)\]|\[[^\]]*\]"
    r"|(?P<sign>[<>=~≤≥≈]+)|(?P<end>;)|(?P<percent>%)|(?P<digits>[0#?]|General)",
    re.DOTALL,
)
# What Excel's own formats of money and of accounts put around a number or in the place of zero: the number says it.
_SAYS_NOTHING: Final = " \u00a0\u3000-\u2013\u2014+()¥\uffe5"
_TESTS: Final = {
    "<": lambda number, limit: number < limit,
    "<=": lambda number, limit: number <= limit,
    ">": lambda number, limit: number > limit,
    ">=": lambda number, limit: number >= limit,
    "=": lambda number, limit: number == limit,
    "<>": lambda number, limit: number != limit,
}


@dataclass(slots=True)
class Shown:
    """What one section of a format shows: texts before and after the digits, if any digits, and as a percentage."""

    before: str = ""
    after: str = ""
    has_digits: bool = False
    percent: bool = False
    tests: list[tuple[str, float]] = field(default_factory=list)

    def holds_for(self, number: float) -> bool:
        """Whether the number is one that this section is for, as its conditions say."""
        return all(_TESTS[test](number, limit) for test, limit in self.tests)

    def around(self, digits: str, unit: str = "") -> str:
        """The text that people see, as far as the format and not the rounding makes it; without this unit."""
        if unit and not self.before and normal_unit(self.after) == normal_unit(unit):
            return digits
        before, after = (text if text.strip(_SAYS_NOTHING) else "" for text in (self.before, self.after))
        if not self.has_digits and (before or after):
            return f"{before}{after}".strip()
        return f"{before}{digits}{after}".strip()


def shown(number_format: str, number: float) -> Shown:
    """What is shown around this number."""
    sections = _sections(number_format)
    if any(section.tests for section in sections):
        return next((one for one in sections if one.holds_for(number)), sections[-1])
    place = 2 if number == 0 else int(number < 0)
    return sections[place] if place < min(len(sections), 3) else sections[0]


@lru_cache(maxsize=1000)
def _sections(number_format: str) -> list[Shown]:
    sections = [Shown()]
    for match in _TOKEN.finditer(number_format):
        section = sections[-1]
        if match["end"]:
            sections.append(Shown())
        elif match["test"] in _TESTS and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", match["limit"]):
            section.tests.append((match["test"], float(match["limit"])))
        elif match["digits"]:
            section.has_digits = True
        elif match["percent"]:
            section.percent = True
        elif section.has_digits:
            section.after += match["quoted"] or match["escaped"] or match["sign"] or ""
        else:
            section.before += match["quoted"] or match["escaped"] or match["sign"] or ""
    return sections
