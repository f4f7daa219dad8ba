"""Questions that a contract leaves open: lines with a comment that begins with TODO.

A guess that nobody has looked at must not become data. So a contract with an open question is no valid one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

MARK: Final = "# TODO"
_OPEN: Final = re.compile(rf"{MARK}\b:?\s*(.*)")


def open_questions(text: str) -> Iterator[str]:
    """Each open question of a YAML text with its line; to answer it is to take its mark away."""
    for number, line in enumerate(text.splitlines(), start=1):
        if (found := _OPEN.search(line)) is not None:
            yield f"line {number}: still open: {found[1].strip() or line.strip()}"
