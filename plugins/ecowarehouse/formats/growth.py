"""How large a content may become when it is unpacked: one limit for files of archives and for streams.

A content is landed from memory, where its text takes three to four times its length: 1 GiB is what a scheduler of
4 GB can hold. The ratio stops a bomb long before: tables of real numbers shrink to a tenth, rows that are the same but
for their time to a hundredth, and only what says nothing to less.
"""

from __future__ import annotations

from typing import Final

from ecowarehouse.formats.model import FormatProblem

LARGEST: Final = 1 << 30
LARGEST_RATIO: Final = 250


def refuse_larger(size: int, limit: int | None = None) -> None:
    """Refuse a content of more bytes than the limit, `LARGEST` unless its form has one of its own.

    Raises:
        FormatProblem: not_the_format.
    """
    limit = LARGEST if limit is None else limit
    if size > limit:
        raise FormatProblem(
            "not_the_format",
            f"unpacked it is larger than {limit >> 20} MiB, which no feed needs: deliver it in parts",
        )


def refuse_bomb(name: str, size: int, packed: int, small: int) -> None:
    """Refuse what grows as no data do; up to `small` bytes a ratio says nothing.

    Raises:
        FormatProblem: not_the_format.
    """
    if size > small and size > LARGEST_RATIO * max(1, packed):
        raise FormatProblem("not_the_format", f"{name} grows {size // max(1, packed)} fold, as no data do")
