"""Forms made of lines or statements of text."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator, model_validator

from ecowarehouse.contracts.fields import ColumnName, Pattern, valid_pattern
from ecowarehouse.contracts.forms.base import Form, HeadedForm


class EncodedForm(Form):
    """Text; `named` is the form's name, for messages."""

    named: ClassVar[str]

    encoding: str = "utf-8-sig"

    @field_validator("encoding")
    @classmethod
    def _known(cls, text: str) -> str:
        try:
            "".encode(text)
        except LookupError:
            raise ValueError("no encoding that Python knows, such as utf-8-sig or gb18030") from None
        return text


class LinesForm(EncodedForm):
    """Lines of text, some of which are no rows."""

    skip_lines: int = Field(
        default=0, ge=0, description="lines before the header or first row, such as titles"
    )
    comment: str = Field(
        default="", description="what a line begins with that is a comment, wherever it stands"
    )
    leave_out: list[Pattern] = Field(
        default=[], description="patterns of whole lines that are no rows, such as footers; they are counted"
    )
    ends_with: Pattern | None = Field(
        default=None,
        description="pattern of the last line, which is no row: without it the file is truncated",
    )

    @field_validator("leave_out")
    @classmethod
    def _patterns(cls, texts: list[str]) -> list[str]:
        return [valid_pattern(text) for text in texts]

    @field_validator("ends_with")
    @classmethod
    def _pattern(cls, text: str | None) -> str | None:
        return None if text is None else valid_pattern(text)

    @property
    def has_other_lines(self) -> bool:
        """Whether lines among the rows may be none."""
        return bool(self.comment or self.leave_out or self.ends_with)


class CsvForm(LinesForm, HeadedForm):
    """Delimited text, with a header line or without; gzip is recognised."""

    named: ClassVar[str] = "csv"

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    header_line: bool = Field(
        default=True, description="false: the columns are those of the contract's header, in its order"
    )
    types_line: bool = Field(
        default=False, description="true: a line of formats such as 5s and 14n follows the header (USGS RDB)"
    )
    trim_headings: bool = Field(default=False, description="true: blanks around a heading say nothing")
    quoted: bool = Field(default=True, description="false: a quote is a character like any other")
    short_rows: bool = Field(
        default=False,
        description="true: a row may end before its last columns, which are then empty; a cut row can't be told",
    )
    last_line_ends: bool = Field(
        default=False,
        description="true: the source ends its last line too; content whose last line has no end was cut",
    )
    line_ends_in_cells: bool = Field(
        default=False,
        description="true: a quoted cell may hold line ends, and an unclosed quote can't be told by its line",
    )

    @model_validator(mode="after")
    def _consistent(self) -> CsvForm:
        if self.line_ends_in_cells and (self.has_other_lines or self.short_rows or not self.quoted):
            raise ValueError("line_ends_in_cells: where cells have lines, no line can be told to be no row")
        if not self.header_line and (self.types_line or self.headings or self.trim_headings):
            raise ValueError("header_line: without one there are neither headings nor a line of formats")
        return self


class FixedWidthForm(LinesForm):
    """Lines in which each column has its place; gzip is recognised."""

    named: ClassVar[str] = "fixed_width"

    columns: dict[ColumnName, list[Annotated[int, Field(ge=1)]]] = Field(
        min_length=1, description="first and last position of each column, counted in characters from 1"
    )

    @field_validator("columns")
    @classmethod
    def _places(cls, columns: dict[str, list[int]]) -> dict[str, list[int]]:
        for name, place in columns.items():
            if len(place) != 2 or place[0] > place[1]:
                raise ValueError(f"{name}: write its first and its last position, such as [16, 23]")
        return columns

    def named_columns(self) -> dict[str, list[str]]:
        """As of every form."""
        return {"columns": list(self.columns)}


class EurdepForm(EncodedForm):
    """EURDEP messages: records of RADIOLOGICAL, joined to LOCALITY; columns are the fields in lower case."""

    named: ClassVar[str] = "eurdep"

    sections: list[str] = Field(
        default=["RADIOLOGICAL"], min_length=1, description="sections whose records are rows"
    )
