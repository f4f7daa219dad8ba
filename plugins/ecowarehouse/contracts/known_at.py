"""Rules by which a delivery says when its source knew it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from ecowarehouse.contracts.fields import (
    ColumnName,
    Pattern,
    Strict,
    valid_pattern,
    valid_time_format,
    valid_zone,
)


class FromOption(Strict):
    """The person who loads says so: `--known-at`."""

    source: Literal["option"] = Field(alias="from")


class FromHeader(Strict):
    """A header of the answer, an HTTP date."""

    source: Literal["header"] = Field(alias="from")
    header: str


class FromFileName(Strict):
    """A stamp in the file's name: the groups of the pattern, joined, are read with the format."""

    source: Literal["file_name"] = Field(alias="from")
    pattern: Pattern
    format: str
    timezone: str

    @field_validator("pattern")
    @classmethod
    def _has_groups(cls, text: str) -> str:
        if re.compile(valid_pattern(text)).groups < 1:
            raise ValueError("needs at least one group around the stamp")
        return text

    @field_validator("format")
    @classmethod
    def _known_directives(cls, text: str) -> str:
        return valid_time_format(text)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, text: str) -> str:
        return valid_zone(text)


class FromContent(Strict):
    """A field of the content's envelope."""

    source: Literal["content"] = Field(alias="from")
    pointer: str
    format: Literal["iso8601"] = "iso8601"


class FromColumn(Strict):
    """A column of the rows: a content may hold several pulls, and each becomes a delivery of its own."""

    source: Literal["column"] = Field(alias="from")
    column: ColumnName
    format: str
    timezone: str

    @field_validator("format")
    @classmethod
    def _known_directives(cls, text: str) -> str:
        return valid_time_format(text)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, text: str) -> str:
        return valid_zone(text)


class FromReceipt(Strict):
    """Nothing better: the moment of receipt."""

    source: Literal["receipt"] = Field(alias="from")


KnownAtRule = Annotated[
    FromOption | FromHeader | FromFileName | FromContent | FromColumn | FromReceipt,
    Field(discriminator="source"),
]
