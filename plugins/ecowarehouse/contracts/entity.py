"""The contract of a feed of entities: sites, devices, records, whatever `entities.yml` declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field, field_validator

from ecowarehouse.contracts.fields import ColumnName, Strict, valid_time_format, valid_zone
from ecowarehouse.contracts.model import Contract
from ecowarehouse.entities import Entity, load_entities

CODE_JOINT = ":"


class Day(Strict):
    """A column with a date, which counts whole: a certificate is valid on its last day."""

    column: ColumnName
    format: str = "%Y-%m-%d"

    @field_validator("format")
    @classmethod
    def _known_directives(cls, text: str) -> str:
        if valid_time_format(text) == "iso8601":
            raise ValueError("write a format such as %Y-%m-%d")
        return text


class Validity(Strict):
    """Columns with the first and the last day of which a row speaks; an empty cell is open."""

    start: Day | None = Field(default=None, alias="from")
    end: Day | None = Field(default=None, alias="to")


class Delivered(Strict):
    """What a delivery is: some rows, or the whole register as it stands."""

    kind: Literal["rows", "whole"] = Field(alias="as")
    empty: bool = Field(default=False, description="a register may have no rows; else that is a fault")
    absent: Literal["ended", "taken_back"] | None = Field(
        default=None,
        description="of a whole register: a row that it no longer names has ended the day before, or was wrong",
    )
    least_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="of a whole register: with a smaller share of the rows before, it ends nothing until the next says"
        " the same; 0: it is always believed",
    )


class EntityValue(Strict):
    """Where a column of the entity comes from, and how the source words it."""

    column: ColumnName
    format: str = Field(default="iso8601", description="of dates and times")
    timezone: str | None = Field(default=None, description="of times that are written without offset")
    crs: str | None = Field(default=None, pattern=r"^EPSG:[0-9]{4,6}$", description="of a geometry")
    words: dict[str, str] = Field(default={}, description="the source's words and the ones of the entity")

    @field_validator("format")
    @classmethod
    def _known_directives(cls, text: str) -> str:
        return valid_time_format(text)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, text: str | None) -> str | None:
        return None if text is None else valid_zone(text)


class EntityContract(Contract):
    """What a source promises about one feed of entities."""

    entity: str = Field(description="which entity of dbt_project/entities.yml the rows speak of")
    delivered: Delivered
    valid: Validity = Validity()
    columns: dict[ColumnName, ColumnName | EntityValue] = Field(
        min_length=1, description="columns of the entity and the landed columns that they come from"
    )

    @property
    def declared(self) -> Entity:
        """The entity as declared."""
        return load_entities()[self.entity]

    @property
    def values(self) -> dict[str, EntityValue]:
        """Columns of the entity and where each comes from."""
        return {
            name: EntityValue(column=value) if isinstance(value, str) else value
            for name, value in self.columns.items()
        }

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns by which two rows say something of the same thing and span."""
        start = self.valid.start
        return (*self.key, *(() if start is None or start.column in self.key else (start.column,)))

    @property
    def may_be_empty(self) -> bool:
        """Whether a register without rows is one."""
        return self.delivered.empty

    @property
    def is_kept_here(self) -> bool:
        """Whether the register is a file of the city's own folder, which deployment takes up."""
        url = self.connector.url
        return self.connector.transport == "files" and "://" not in url and not url.startswith(("/", "$"))

    @property
    def ends_what_is_absent(self) -> bool:
        """Whether a row that a delivery doesn't name is thereby something else than before."""
        return self.delivered.kind == "whole"

    def _inconsistencies(self) -> Iterator[str]:
        if (declared := load_entities().get(self.entity)) is None:
            yield f"entity: {self.entity!r} is not declared; there are: {', '.join(load_entities())}"
            return
        yield from super()._inconsistencies()
        if (self.delivered.kind == "whole") != (self.delivered.absent is not None):
            yield "delivered.absent: belongs to a whole register, which needs it"
        if unknown := sorted(set(self.columns) - set(declared.columns)):
            yield f"columns: {self.entity} has no {', '.join(unknown)}; add them to entities.yml"
        for name, value in self.values.items():
            column = declared.columns.get(name)
            if column is None:
                continue
            if column.words and (strange := sorted(set(value.words.values()) - set(column.words))):
                yield f"columns.{name}.words: not among {', '.join(column.words)}: {', '.join(strange)}"
            if (column.type == "geometry") != (value.crs is not None):
                yield f"columns.{name}.crs: belongs to a geometry, which needs it"
            if column.type == "time" and value.timezone is None:
                yield f"columns.{name}.timezone: is missing; name the zone of times without offset"

    def _named_columns(self) -> Mapping[str, tuple[str, ...]]:
        days = (self.valid.start, self.valid.end)
        return {
            "columns": tuple(value.column for value in self.values.values()),
            "valid": tuple(day.column for day in days if day is not None),
        }
