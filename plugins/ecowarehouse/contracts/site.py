"""Which site a row belongs to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from ecowarehouse.contracts.fields import ColumnName, Pattern, Strict, valid_pattern

CODE_JOINT = ":"  # between the texts that together are a site's code


class SiteType(Strict):
    """A type given to sites whose name matches the pattern; the first that matches holds."""

    pattern: Pattern
    type: Literal[
        "assessment",
        "reference",
        "regional",
        "background",
        "traffic",
        "source_oriented",
        "weather_station",
        "water_section",
        "other",
    ]
    takes_part: bool

    @field_validator("pattern")
    @classmethod
    def _valid(cls, text: str) -> str:
        return valid_pattern(text)


class Site(Strict):
    """Columns that say which site a row belongs to, and what the source knows of it."""

    code: ColumnName | Annotated[list[ColumnName], Field(min_length=2)] = Field(
        description="the column with the source's code; where it has none, columns that together name the site"
    )
    name: ColumnName | None = None
    area: ColumnName | None = None
    longitude: ColumnName | None = None
    latitude: ColumnName | None = None
    crs: str | None = None
    types: list[SiteType] = Field(default=[])
    attributes: dict[ColumnName, ColumnName] = Field(
        default={}, description="what else the source says of a site: name of the attribute, column"
    )

    @property
    def code_columns(self) -> tuple[str, ...]:
        """The columns whose texts, joined by `CODE_JOINT`, are the site's code."""
        return (self.code,) if isinstance(self.code, str) else tuple(self.code)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it names."""
        described = (self.name, self.area, self.longitude, self.latitude, *self.attributes.values())
        return (*self.code_columns, *(column for column in described if column))
