"""How received columns become the columns that land: taken apart, put together, turned from columns into rows.

In this order: `unpivot`, then `made` from first to last. Nothing here judges a text, and none is lost: what a pattern
does not match stays as it came, for the landing check to name.
"""

from __future__ import annotations

import re
from datetime import timedelta
from string import Formatter
from typing import Annotated, Literal

from pydantic import Field, field_validator

from ecowarehouse.contracts.fields import ColumnName, Duration, Pattern, Strict, positive, valid_pattern

Template = Annotated[
    str,
    Field(min_length=1, description="text with {column} in it; {month:02} fills up with zeros to a width"),
]


def template_parts(text: str) -> list[tuple[str, str | None, int]]:
    """A template as (literal before, column or None, width; 0: as it is).

    Raises:
        ValueError: a brace that is not closed, or a width that is no number.
    """
    parts = []
    for literal, column, width, conversion in Formatter().parse(text):
        if conversion or (width and not re.fullmatch(r"0[1-9]", width)):
            raise ValueError("after the column's name only a width such as :02 may stand")
        parts.append((literal, column, int(width) if width else 0))
    return parts


def _valid_template(text: str) -> str:
    template_parts(text)
    return text


def _columns_of(text: str) -> tuple[str, ...]:
    return tuple(column for _, column, _ in template_parts(text) if column is not None)


class Constant(Strict):
    """The same text in every row: the site of a file that has one."""

    source: Literal["constant"] = Field(alias="from")
    text: str

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that it reads."""
        return ()


class Joined(Strict):
    """Texts of columns in a template: a date of year, month and day."""

    source: Literal["columns"] = Field(alias="from")
    template: Template

    @field_validator("template")
    @classmethod
    def _valid(cls, text: str) -> str:
        return _valid_template(text)

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that it reads."""
        return _columns_of(self.template)


class PartOf(Strict):
    """What the pattern's groups hold of a column's text, joined; a text that does not match stays as it came."""

    source: Literal["part"] = Field(alias="from")
    column: ColumnName
    pattern: Pattern

    @field_validator("pattern")
    @classmethod
    def _has_groups(cls, text: str) -> str:
        return _with_groups(text)

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that it reads."""
        return (self.column,)


class RowTime(Strict):
    """A time for each row of a file that has none: the first row's, and one step more for each row after it."""

    source: Literal["row_number"] = Field(alias="from")
    start: Template = Field(description="ISO time of the first row, as a template")
    step: Duration

    @field_validator("start")
    @classmethod
    def _valid(cls, text: str) -> str:
        return _valid_template(text)

    @field_validator("step")
    @classmethod
    def _longer_than_nothing(cls, value: timedelta) -> timedelta:
        return positive(value)

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that it reads."""
        return _columns_of(self.start)


class OfFileName(Strict):
    """What the pattern's groups hold of the file's name, such as a year: then the name is part of what was received."""

    source: Literal["file_name"] = Field(alias="from")
    pattern: Pattern

    @field_validator("pattern")
    @classmethod
    def _has_groups(cls, text: str) -> str:
        return _with_groups(text)

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that it reads."""
        return ()


Made = Annotated[Constant | Joined | PartOf | RowTime | OfFileName, Field(discriminator="source")]


class Unpivot(Strict):
    """Columns that become rows, one row a cell: `day01 … day10` as the days 01 to 10."""

    columns: Pattern = Field(
        description="pattern of the columns' whole names; its groups are the name's text"
    )
    name: ColumnName = Field(
        description="new column with what the pattern's groups hold of the column's name"
    )
    value: ColumnName = Field(description="new column with the cell")
    empty: Literal["kept", "left_out"] = Field(
        default="kept",
        description="what an empty cell is: a row, or none (of a register: a stage not yet reached); a row of which"
        " every cell is empty keeps the first",
    )

    @field_validator("columns")
    @classmethod
    def _has_groups(cls, text: str) -> str:
        return _with_groups(text)

    def of(self, header: list[str]) -> dict[str, str]:
        """The columns that it turns, each with the text that stands for it."""
        found = {column: re.fullmatch(self.columns, column) for column in header}
        return {c: "".join(g or "" for g in match.groups()) for c, match in found.items() if match}


class Long(Strict):
    """A feed with one value a row: a column says what is measured, another how much, perhaps a third in which unit."""

    channel: ColumnName = Field(description="the column with the source's code of what is measured")
    value: ColumnName
    unit: ColumnName | None = Field(
        default=None, description="the column with the unit; a unit that the channel does not name is refused"
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it names."""
        return (self.channel, self.value, *([self.unit] if self.unit else []))


def _with_groups(text: str) -> str:
    if re.compile(valid_pattern(text)).groups < 1:
        raise ValueError("needs at least one group around what is meant")
    return text
