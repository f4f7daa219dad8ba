"""Seed files: where they lie, which table each becomes, what its bytes and its table hash to."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from ecowarehouse.settings import Settings

SCHEMAS: Final = ("standards", "vocabulary")


@dataclass(frozen=True, slots=True)
class SeedFile:
    """One CSV and the table that it becomes."""

    path: Path
    schema: str

    @property
    def file(self) -> str:
        """Name in the ledger: `standards/air_limits.csv`."""
        return f"{self.schema}/{self.path.name}"

    @property
    def table(self) -> str:
        """The table's name."""
        return self.path.stem

    @property
    def relation(self) -> str:
        """The table as schema.table."""
        return f"{self.schema}.{self.table}"

    def sha256(self) -> str:
        """Hash of the file's bytes."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def header(self) -> list[str]:
        """The columns in order."""
        with self.path.open(encoding="utf-8", newline="") as text:
            return next(csv.reader(text))

    def rows(self) -> list[tuple[str, ...]]:
        """All rows as text; an empty cell is a null in the table."""
        with self.path.open(encoding="utf-8", newline="") as text:
            return [tuple(row) for row in list(csv.reader(text))[1:]]


def seed_files(settings: Settings) -> list[SeedFile]:
    """All seeds of the project, in a fixed order."""
    folder = settings.dbt_project / "seeds"
    return [SeedFile(path, schema) for schema in SCHEMAS for path in sorted((folder / schema).glob("*.csv"))]


def table_hashes(conn: psycopg.Connection[Any], relations: list[str]) -> dict[str, str]:
    """Hash of what each table holds now, whatever the order of its rows; a table that is gone is left out."""
    present = [
        relation
        for relation, found in conn.execute(
            "select name, to_regclass(name) is not null from unnest(%s::text[]) as name", [relations]
        )
        if found
    ]
    if not present:
        return {}
    each = [
        sql.SQL(
            "select {name}, count(*)::text || '-' || coalesce(sum(hash_record_extended(t, 0)), 0)::text"
            " || '-' || coalesce(sum(hash_record_extended(t, 1)), 0)::text from {table} as t"
        ).format(name=sql.Literal(relation), table=sql.Identifier(*relation.split(".")))
        for relation in sorted(present)
    ]
    return dict(conn.execute(sql.SQL(" union all ").join(each)).fetchall())
