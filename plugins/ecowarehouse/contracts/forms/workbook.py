"""Workbooks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from ecowarehouse.contracts.fields import ColumnName, Pattern, valid_pattern
from ecowarehouse.contracts.forms.base import HeadedForm


class WorkbookForm(HeadedForm):
    """A workbook (.xlsx). Its header is found by its headings, wherever titles stand above it."""

    sheet: Pattern = Field(
        default=".*", description="pattern of the whole names of the sheets with rows; .*: every sheet"
    )
    header_rows: int = Field(
        default=1,
        ge=1,
        le=4,
        description="rows of one header; what stands above each other is joined by a blank",
    )
    search_rows: int = Field(default=30, ge=1, le=200, description="the header begins within so many rows")
    carry_down: list[ColumnName] = Field(
        default=[],
        description="columns in which a merged cell's value, or the value above an empty cell, holds for the row",
    )
    leave_out: dict[ColumnName, Pattern] = Field(
        default={}, description="rows that are none, by the whole text of a cell: totals such as 合计|小计"
    )
    hidden: Literal["read", "leave_out"] = Field(default="read", description="what hidden rows are")
    date_format: str = Field(
        default="iso8601", description="how cells that are dates are written; cells of text stay as they are"
    )
    units: dict[ColumnName, str] = Field(
        default={},
        description="unit in which a column that is no channel must come, when its heading says one in brackets",
    )

    @field_validator("sheet")
    @classmethod
    def _pattern(cls, text: str) -> str:
        return valid_pattern(text)

    @field_validator("leave_out")
    @classmethod
    def _patterns(cls, rules: dict[str, str]) -> dict[str, str]:
        return {name: valid_pattern(text) for name, text in rules.items()}

    def named_columns(self) -> dict[str, list[str]]:
        """As of every form."""
        own = {"carry_down": self.carry_down, "leave_out": list(self.leave_out), "units": list(self.units)}
        return super().named_columns() | own
