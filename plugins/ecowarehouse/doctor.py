"""Is this machine fit to run the house, and is the house well: each check with its mend.

No check starts or changes anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from ecowarehouse.settings import Settings, SettingsError

State = Literal["OK", "WARN", "FAIL"]

_GB = 1024**3
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before this code was written is wrong


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and what to do about it."""

    name: str
    state: State
    finding: str
    mend: str = ""


def examine(settings: Settings | None = None) -> list[Check]:
    """All checks, in order. A check that raises is a FAIL of that check, and the others still run."""
    try:
        settings = settings or Settings.load()
    except SettingsError as error:
        return [Check("settings", "FAIL", str(error))]
    checks: list[Callable[[Settings], Check]] = [
        _python, _environment, _city, _memory, _disk, _fonts, _clock,
        _namespace, _port, _database, _migrations, _roles,
    ]  # fmt: skip
    return [_guarded(check, settings) for check in checks]


def healthy(checks: list[Check]) -> bool:
    """Whether nothing failed; warnings do not stop the house."""
    return all(check.state != "FAIL" for check in checks)


def _guarded(check: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return check(settings)
    except Exception as error:  # noqa: BLE001 a doctor that dies of the disease helps nobody
        return Check(check.__name__.strip("_"), "FAIL", f"{type(error).__name__}: {error}")


def _python(_: Settings) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036 pip was told to ignore it, which happens
        return Check("python", "FAIL", version, "install Python 3.11 or newer, then make setup")
    return Check("python", "OK", version)


def _environment(settings: Settings) -> Check:
    missing = [
        name for name in ("psycopg", "dbt", "airflow", "great_expectations") if find_spec(name) is None
    ]
    if missing:
        return Check("environment", "FAIL", f"not installed: {', '.join(missing)}", "make setup")
    if sys.prefix == sys.base_prefix:
        return Check(
            "environment", "WARN", f"{sys.prefix} is no virtual environment", "make setup, .venv/bin/eco"
        )
    if not settings.dbt_project.is_dir():
        return Check(
            "environment", "FAIL", f"{settings.dbt_project} is missing", "install from a clone: make setup"
        )
    return Check("environment", "OK", sys.prefix)


def _city(settings: Settings) -> Check:
    from ecowarehouse.settings import City

    try:
        city = City.read(settings.city)
    except SettingsError as error:
        return Check("city", "FAIL", str(error), "set ECO_CITY to a city folder, or mend its city.yml")
    return Check("city", "OK", f"{city.name} ({city.name_en}, {city.code}), {city.timezone}")


def _memory(_: Settings) -> Check:
    from ecowarehouse.postgres.sizing import memory_total

    total = memory_total() / _GB
    if total < 2:
        return Check("memory", "FAIL", f"{total:.1f} GB", "the warehouse needs 2 GB, with Airflow 4 GB")
    if total < 4:
        return Check("memory", "WARN", f"{total:.1f} GB", "enough for `eco`; Airflow's services want 4 GB")
    return Check("memory", "OK", f"{total:.1f} GB")


def _disk(settings: Settings) -> Check:
    folder = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    if not os.access(folder, os.W_OK):
        return Check("disk", "FAIL", f"{folder} is not writable", "set ECO_HOME to a folder of yours")
    free = shutil.disk_usage(folder).free / _GB
    if free < 2:
        return Check("disk", "FAIL", f"{free:.1f} GB free under {folder}", "free some, or move ECO_HOME")
    if free < 20:
        return Check("disk", "WARN", f"{free:.1f} GB free under {folder}", "a year of all feeds wants 20 GB")
    return Check("disk", "OK", f"{free:.0f} GB free under {folder}")


def _fonts(_: Settings) -> Check:
    mend = "only screenshots and PDF need it: install fonts-noto-cjk"
    if shutil.which("fc-list") is None:
        return Check("fonts", "WARN", "fontconfig is not installed, Chinese text in images unknown", mend)
    command = ["fc-list", ":lang=zh", "family"]
    families = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.split(
        "\n"
    )
    found = sorted({family.split(",")[0] for family in families if family})
    return (
        Check("fonts", "OK", found[0]) if found else Check("fonts", "WARN", "no font for Chinese text", mend)
    )


def _clock(settings: Settings) -> Check:
    now = datetime.now(ZoneInfo(settings.timezone))
    said = f"{now:%Y-%m-%d %H:%M:%S} {settings.timezone}"
    if now < _EARLIEST:
        return Check("clock", "FAIL", said, "set the clock: freshness and releases are judged by it")
    newest = max((p.stat().st_mtime for p in _marks(settings) if p.exists()), default=0.0)
    if newest > time.time() + 60:
        return Check(
            "clock", "FAIL", f"{said}, but this home was written later", "the clock went back: set it"
        )
    return Check("clock", "OK", said)


def _marks(settings: Settings) -> list[Path]:
    """Files that the house writes at every start and stop."""
    return [settings.postgres / "state.json", settings.postgres / "port", settings.secrets_file]


def _namespace(settings: Settings) -> Check:
    from ecowarehouse.postgres import launch

    if settings.database_url:
        return Check("namespace", "OK", "not needed: ECO_DATABASE_URL is set")
    if os.geteuid() != 0:
        return Check("namespace", "OK", "not needed: not root")
    folder = next(p for p in (settings.postgres, *settings.postgres.parents) if p.exists())
    if launch.namespace_works(folder):
        return Check("namespace", "OK", "root may run PostgreSQL in a user namespace")
    return Check(
        "namespace", "WARN", "user namespaces are off", f"the account {launch.SYSTEM_ACCOUNT} is used"
    )


def _port(settings: Settings) -> Check:
    from ecowarehouse.postgres import cluster

    if settings.database_url:
        return Check("ports", "OK", "not needed: ECO_DATABASE_URL is set")
    server = cluster.status(settings)
    if server is not None:
        return Check("ports", "OK", f"PostgreSQL listens on {cluster.HOST}:{server.port}")
    return Check("ports", "OK", f"{cluster.HOST}:{cluster.free_port()} is free")


def _database(settings: Settings) -> Check:
    from ecowarehouse.postgres import cluster
    from ecowarehouse.postgres.connection import connect

    if not settings.database_url and cluster.status(settings) is None:
        return Check("database", "WARN", "the embedded PostgreSQL does not run", "eco up")
    with connect(application="doctor", autocommit=True, settings=settings) as connection:
        row = connection.execute("select current_setting('server_version_num')::int").fetchone()
    version = row[0] if row else 0
    if version // 10000 != int(cluster.MAJOR):
        return Check("database", "FAIL", f"PostgreSQL {version // 10000}", f"use PostgreSQL {cluster.MAJOR}")
    return Check("database", "OK", f"PostgreSQL {version // 10000}.{version % 10000} answers")


def _migrations(settings: Settings) -> Check:
    import psycopg

    from ecowarehouse.postgres import cluster, migrate
    from ecowarehouse.postgres.connection import connect

    if not settings.database_url and cluster.status(settings) is None:
        return Check("migrations", "WARN", "unknown: no database", "eco up")
    with connect(application="doctor", admin=True, autocommit=True, settings=settings) as connection:
        with suppress(psycopg.errors.UndefinedObject):  # before the first `eco up`
            connection.execute(f"set role {migrate.OWNER}")  # a given login inherits nothing
        missing = migrate.pending(connection, settings.migrations)
    if missing:
        return Check(
            "migrations", "FAIL", f"{len(missing)} not applied, from {missing[0].path.name}", "eco up"
        )
    return Check("migrations", "OK", f"{len(migrate.read(settings.migrations))} applied")


def _roles(settings: Settings) -> Check:
    from ecowarehouse.postgres import cluster, roles
    from ecowarehouse.postgres.connection import connect

    if not settings.database_url and cluster.status(settings) is None:
        return Check("roles", "WARN", "unknown: no database", "eco up")
    with connect(application="doctor", admin=True, autocommit=True, settings=settings) as connection:
        deviations = roles.check(connection)
    if deviations:
        more = f" and {len(deviations) - 1} more" if len(deviations) > 1 else ""
        return Check("roles", "FAIL", deviations[0] + more, "eco roles check, then eco roles apply")
    return Check("roles", "OK", f"{len(roles.STEP_ROLES)} step roles as meant")
