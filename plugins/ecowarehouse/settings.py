"""Where things are: folders, the database, the city and its clock.

Read from the environment at every `Settings.load()`, never at import, so that a test or a task can point
the same code at another home. Imports nothing heavy: every command line starts here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_DATABASE = "eco"
CITY_FILE = "city.yml"


class SettingsError(ValueError):
    """A setting is missing or makes no sense; the message names it and says what is expected."""


def _days(path: Path, exports: Any) -> timedelta | None:
    if exports is None:
        return None
    days = exports.get("keep_days") if isinstance(exports, dict) and set(exports) == {"keep_days"} else None
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 36_500:
        raise SettingsError(
            f"{path}: exports needs keep_days, a whole number of days from 1 on, and nothing else"
        )
    return timedelta(days=days)


@dataclass(frozen=True, slots=True)
class City:
    """The head of a city folder: who this is, who runs the house, and which clock hangs on its wall."""

    code: str
    name: str
    name_en: str
    department: str
    timezone: str
    languages: tuple[str, ...]
    keep_exports: timedelta | None = None

    @classmethod
    def read(cls, folder: Path) -> City:
        """Read `city.yml` of a city folder.

        Raises:
            SettingsError: the file is missing, is no YAML mapping, lacks a key, names an unknown time zone or keeps
                exports for no number of days.
        """
        import yaml  # 0.1 s, which `eco --help` has no use for

        from ecowarehouse.yaml_text import read_yaml

        path = folder / CITY_FILE
        try:
            content = read_yaml(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(
                f"{path}: cannot be read ({error.strerror}); ECO_CITY must name a city folder"
            ) from error
        except yaml.YAMLError as error:
            raise SettingsError(f"{path}: no valid YAML: {error}") from error
        try:
            city = cls(
                code=str(content["code"]),
                name=str(content["name"]["zh"]),
                name_en=str(content["name"]["en"]),
                department=str(content["department"]),
                timezone=str(content["timezone"]),
                languages=tuple(str(language) for language in content["languages"]),
                keep_exports=_days(path, content.get("exports")),
            )
        except (KeyError, TypeError) as error:
            raise SettingsError(
                f"{path}: needs code, name.zh, name.en, department, timezone and languages ({error})"
            ) from error
        try:
            ZoneInfo(city.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingsError(f"{path}: unknown time zone {city.timezone!r}") from error
        return city


@dataclass(frozen=True, slots=True)
class Settings:
    """Every place that the house reads from or writes to."""

    project_root: Path
    home: Path
    city: Path
    database_url: str | None
    database: str
    database_admin: str | None = None
    api_url: str | None = None
    api_public_url: str | None = None

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Settings of this process: `ECO_HOME`, `ECO_CITY`, `ECO_DATABASE_URL`, `ECO_DATABASE`.

        `ECO_DATABASE` names the warehouse's database on the embedded server (tests use it to have one each).
        With `ECO_DATABASE_URL` the URL names the database, and nothing embedded starts; `ECO_DATABASE_ADMIN`
        names another login of that server, for what `eco up` does.
        `ECO_API_URL` says that Airflow's parts are containers, which find their API server there;
        `ECO_API_PUBLIC_URL` is the address for people.

        Raises:
            SettingsError: a URL is of another kind.
        """
        env = os.environ if environment is None else environment
        root = Path(__file__).resolve().parents[2]
        url = env.get("ECO_DATABASE_URL") or None
        if url is not None and not url.startswith(("postgresql://", "postgres://")):
            raise SettingsError("ECO_DATABASE_URL: expected postgresql://user:password@host:port/database")
        api_url = env.get("ECO_API_URL") or None
        if api_url is not None and not re.fullmatch(r"http://[^/:]+:\d+", api_url):
            raise SettingsError("ECO_API_URL: expected http://host:port")
        return cls(
            project_root=root,
            home=_folder(env.get("ECO_HOME"), root / ".eco"),
            city=_folder(env.get("ECO_CITY"), root / "city"),
            database_url=url,
            database=env.get("ECO_DATABASE") or DEFAULT_DATABASE,
            database_admin=(env.get("ECO_DATABASE_ADMIN") or None) if url else None,
            api_url=api_url,
            api_public_url=env.get("ECO_API_PUBLIC_URL") or api_url,
        )

    @property
    def timezone(self) -> str:
        """The city's time zone, from `city.yml`; raises `SettingsError` as `City.read` does."""
        return _read_city(self.city).timezone

    @property
    def department(self) -> str:
        """The department that runs the house, from `city.yml`; raises as `timezone` does."""
        return _read_city(self.city).department

    @property
    def dbt_project(self) -> Path:
        """The dbt project, with its profile."""
        return self.project_root / "dbt_project"

    @property
    def expectations(self) -> Path:
        """What the gate demands: one YAML per element."""
        return self.project_root / "expectations"

    @property
    def migrations(self) -> Path:
        """Numbered SQL files for tables that dbt does not own."""
        return Path(__file__).resolve().parent / "migrations"

    @property
    def postgres(self) -> Path:
        """The embedded server: data, port, log, how it was started."""
        return self.home / "postgres"

    @property
    def secrets_file(self) -> Path:
        """Generated and entered secrets, readable by their owner alone."""
        return self.home / "secrets.toml"

    @property
    def logs(self) -> Path:
        """Logs of services and tasks."""
        return self.home / "logs"

    @property
    def bytes_store(self) -> Path:
        """Received bytes, each once, by hash."""
        return self.home / "bytes"

    @property
    def drop(self) -> Path:
        """Folders in which departments drop files, one a feed; uploads arrive there too."""
        return self.home / "drop"

    @property
    def receipts(self) -> Path:
        """Receipts of uploads, one folder a department."""
        return self.home / "receipts"

    @property
    def exports(self) -> Path:
        """Exported files, one folder a face."""
        return self.home / "export"

    @property
    def gate_reports(self) -> Path:
        """Reports of the gate for people."""
        return self.home / "gate"


@cache
def _read_city(folder: Path) -> City:
    return City.read(folder)


def _folder(given: str | None, default: Path) -> Path:
    return Path(given).expanduser().resolve() if given else default
