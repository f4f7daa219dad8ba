"""Entities that are not series: what core knows of each, declared once in `entities.yml` of the dbt project."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from ecowarehouse.yaml_text import read_yaml

ColumnType = Literal["text", "number", "integer", "date", "time", "boolean", "geometry"]
# How each type stands in SQL; a geometry is EWKT text (`SRID=4490;POINT(…)`).
SQL_TYPES: dict[ColumnType, str] = {
    "text": "text",
    "number": "numeric",
    "integer": "integer",
    "date": "date",
    "time": "timestamptz",
    "boolean": "boolean",
    "geometry": "text",
}
# Columns that every entity has, which no declared one may be called.
OWN_COLUMNS = ("feed", "code", "valid_from", "valid_to", "known_at", "listed", "batch_id")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EntityColumn(_Strict):
    """One column of an entity."""

    type: ColumnType
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    words: tuple[str, ...] = ()
    of: str | None = None


class Concerns(_Strict):
    """Whose marts and flags follow when a row of the entity changes."""

    site: str | None = None
    device: str | None = None
    element: str | None = None
    since: str | None = Field(default=None, alias="from")


class EntityTitle(_Strict):
    """The name of an entity in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Entity(_Strict):
    """One kind of entity."""

    title: EntityTitle
    concerns: Concerns = Concerns()
    columns: dict[str, EntityColumn] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Entity:
        if taken := sorted(set(self.columns) & set(OWN_COLUMNS)):
            raise ValueError(f"columns that every entity has: {', '.join(taken)}")
        known = {"code", *self.columns}
        named = {self.concerns.site, self.concerns.device, self.concerns.since} - {None}
        if unknown := sorted(str(name) for name in named - known):
            raise ValueError(f"concerns: no such column: {', '.join(unknown)}")
        return self


def default_path() -> Path:
    """The declaration of the project."""
    return Path(__file__).resolve().parents[2] / "dbt_project" / "entities.yml"


@cache
def load_entities(path: Path | None = None) -> dict[str, Entity]:
    """Every declared entity by name.

    Raises:
        ValueError: a declaration that is not as it must be; the message names the field.
    """
    content = read_yaml((path or default_path()).read_text(encoding="utf-8"))
    found = TypeAdapter(dict[str, Entity]).validate_python(content)
    for name, entity in found.items():
        for column, declared in entity.columns.items():
            if declared.of is not None and declared.of not in found:
                raise ValueError(f"{name}.{column}: of {declared.of!r}, which is no entity")
    return found
