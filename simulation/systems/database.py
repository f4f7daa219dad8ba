"""The databases of the laboratory and of the water resources bureau: a PostgreSQL of their own, a login that reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
import pyarrow as pa
from psycopg import sql

from ecowarehouse import secrets
from ecowarehouse.postgres import cluster
from ecowarehouse.settings import Settings
from simulation.systems.documents.cells import rows
from simulation.systems.state import Now

# Tables as such systems name them (SL 323 for hydrology), with the feed of the city and the columns that name a row.
DATABASES: Final[Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]] = {
    "laboratory": {
        "sample": ("lab_sample", ("SAMPLE_NO",)),
        "result": ("lab_result", ("SAMPLE_NO", "ITEM_CODE")),
        "radiation_sample": ("radiation_sample", ("sample_no", "nuclide")),
    },
    "water_resources": {
        "st_river_r": ("hydrology", ("STCD", "TM")),
        "st_pptn_r": ("rainfall", ("STCD", "TM")),
        "st_gw_r": ("groundwater_level", ("STCD", "TM")),
    },
}
_READER: Final = "departments.reader"
_TYPES = ((pa.types.is_timestamp, "timestamp"), (pa.types.is_date, "date"), (pa.types.is_integer, "bigint"),
          (pa.types.is_floating, "double precision"))  # fmt: skip


class Databases:
    """Filled to the city's moment by `move`; a row that the city corrects is updated where it stands."""

    def __init__(self, now: Now, home: Path) -> None:
        self._now = now
        loaded = Settings.load()
        self._settings = dataclasses.replace(
            loaded, home=home, database_url=None, database="postgres", database_admin=None
        )
        self._moved: datetime | None = None

    def start(self) -> dict[str, str]:
        """Start the server; returns the address of each database for its reading login."""
        server = cluster.ensure_running(self._settings, prepare=lambda *_: None)
        password = secrets.ensure(self._settings.secrets_file, [_READER])[_READER]
        with self.owner("postgres") as admin:
            known = {row[0] for row in admin.execute("select datname from pg_database").fetchall()}
            for name in DATABASES:
                if name not in known:
                    admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            _login(admin, password)
        for name in DATABASES:
            self._create(name)
        return {
            name: f"postgresql+psycopg://reader:{password}@{cluster.HOST}:{server.port}/{name}"
            for name in DATABASES
        }

    def stop(self) -> None:
        """Stop the server."""
        cluster.stop(self._settings)

    def move(self) -> None:
        """Bring all tables to what the city shows now."""
        for name, tables in DATABASES.items():
            with self.owner(name) as admin:
                for table, (feed, key) in tables.items():
                    _merge(admin, table, self._now.rows(feed, changed_after=self._moved), key)
        self._moved = self._now.at

    def owner(self, database: str) -> psycopg.Connection[Any]:
        """A connection of the department's own, which may change what the reader sees."""
        return psycopg.connect(
            host=cluster.HOST, port=cluster.read_port(self._settings) or _running_port(self._settings),
            user=cluster.ADMIN, dbname=database, autocommit=True,
            password=secrets.read(self._settings.secrets_file)[cluster.ADMIN_SECRET],
        )  # fmt: skip

    def _create(self, name: str) -> None:
        with self.owner(name) as admin:
            for table, (feed, key) in DATABASES[name].items():
                _table(admin, table, self._now.city.feed(feed).clean(), key)
            admin.execute("grant usage on schema public to reader")
            admin.execute("grant select on all tables in schema public to reader")


def _running_port(settings: Settings) -> int:
    server = cluster.status(settings)
    if server is None:
        raise RuntimeError("the departments' PostgreSQL does not run")
    return server.port


def _login(admin: psycopg.Connection[Any], password: str) -> None:
    there = admin.execute("select from pg_roles where rolname = 'reader'").fetchone()
    admin.execute(
        sql.SQL("{} role reader login password {}").format(
            sql.SQL("alter" if there else "create"), sql.Literal(password)
        )
    )
    admin.execute("alter role reader set default_transaction_read_only = on")


def _table(admin: psycopg.Connection[Any], name: str, shown: pa.Table, key: tuple[str, ...]) -> None:
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(field.name.lower()), sql.SQL(_type(field.type)))
        for field in shown.schema
    ]
    admin.execute(
        sql.SQL("create table if not exists {} ({}, unique nulls not distinct ({}))").format(
            sql.Identifier(name),
            sql.SQL(", ").join(columns),
            sql.SQL(", ").join(sql.Identifier(column.lower()) for column in key),
        )
    )
    admin.execute(sql.SQL("comment on table {} is 'synthetic'").format(sql.Identifier(name)))


def _type(kind: pa.DataType) -> str:
    return next((name for is_one, name in _TYPES if is_one(kind)), "text")


def _merge(admin: psycopg.Connection[Any], name: str, changed: pa.Table, key: tuple[str, ...]) -> None:
    if not changed.num_rows:
        return
    columns = [sql.Identifier(column.lower()) for column in changed.column_names]
    listed = sql.SQL(", ").join(columns)
    keys = sql.SQL(", ").join(sql.Identifier(column.lower()) for column in key)
    updates = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in columns)
    with admin.transaction():
        admin.execute(
            sql.SQL("create temporary table incoming (like {}) on commit drop").format(sql.Identifier(name))
        )
        admin.execute("alter table incoming add column place bigint generated always as identity")
        with admin.cursor().copy(sql.SQL("copy incoming ({}) from stdin").format(listed)) as copy:
            for row in rows(changed):
                copy.write_row([_cell(cell) for cell in row])
        admin.execute(
            sql.SQL(
                "insert into {0} ({1}) select distinct on ({2}) {1} from incoming order by {2}, place desc"
                " on conflict ({2}) do update set {3}"
            ).format(sql.Identifier(name), listed, keys, updates)
        )


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | datetime | date) else str(value)
