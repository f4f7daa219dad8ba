"""Airflow's configuration for this home: one file, readable by its owner alone, made anew at every start."""

from __future__ import annotations

import base64
import configparser
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecowarehouse import secrets
from ecowarehouse.postgres.connection import GIVEN_ADMIN_SECRET
from ecowarehouse.settings import Settings

HOST: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 inside a container, whose ports are published by whoever starts it
LOGIN: Final = "admin"
PASSWORD: Final = "airflow.admin"  # the name of a secret, not one
_NAMES: Final = [PASSWORD, "airflow.fernet", "airflow.api", "airflow.jwt"]
# Airflow's settings of somebody else; and libpq's, under which a dbt run in this process takes its role.
_FOREIGN: Final = ("AIRFLOW_", "PG", "DBT_")
_OURS: Final = (
    "ECO_HOME", "ECO_CITY", "ECO_DATABASE_URL", "ECO_DATABASE", "ECO_API_URL", "ECO_API_PUBLIC_URL",
    # No part and no task needs them: they could do everything.
    "ECO_DATABASE_ADMIN", secrets.environment_name(GIVEN_ADMIN_SECRET),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API server listens, where the other parts find it, and where people do."""

    host: str
    port: int
    inner: str
    outer: str

    @classmethod
    def local(cls, port: int) -> Address:
        """All parts on this machine."""
        url = f"http://{HOST}:{port}"
        return cls(HOST, port, url, url)

    @classmethod
    def given(cls, settings: Settings) -> Address | None:
        """Parts in containers of their own (`ECO_API_URL`); None if there are none."""
        if settings.api_url is None:
            return None
        port = int(settings.api_url.rpartition(":")[2])
        return cls(EVERYWHERE, port, settings.api_url, settings.api_public_url or settings.api_url)


def home(settings: Settings) -> Path:
    """AIRFLOW_HOME: `ECO_HOME/airflow`."""
    return settings.home / "airflow"


def password(settings: Settings) -> str:
    """The generated password of the login `admin`."""
    return _known(settings)[PASSWORD]


def _known(settings: Settings) -> dict[str, str]:
    """Airflow's secrets: those of the environment, the others generated and kept."""
    given = {name: value for name in _NAMES if (value := os.environ.get(secrets.environment_name(name)))}
    missing = [name for name in _NAMES if name not in given]
    return (secrets.ensure(settings.secrets_file, missing) if missing else {}) | given


def write(settings: Settings, *, database_url: str, address: Address) -> str:
    """Write airflow.cfg and the password file; returns a hash of the configuration."""
    folder = home(settings)
    for path in (folder, folder / "plugins", settings.logs):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = _known(settings)
    _write_private(_password_file(settings), json.dumps({LOGIN: known[PASSWORD]}) + "\n")
    parser = configparser.ConfigParser(interpolation=None)
    for section, options in _options(settings, known, database_url, address).items():
        parser[section] = {name: value.replace("%", "%%") for name, value in options.items()}
    text = _text(parser)
    _write_private(folder / "airflow.cfg", text)
    return hashlib.sha256(text.encode()).hexdigest()


def environment(settings: Settings) -> dict[str, str]:
    """The environment of Airflow's processes: nobody else's Airflow settings, nothing that phones home."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN) and k not in _OURS}
    ours: dict[str, str] = {
        "ECO_HOME": str(settings.home),
        "ECO_CITY": str(settings.city),
        "ECO_DATABASE": settings.database,
        "AIRFLOW_HOME": str(home(settings)),
        "PYTHONUNBUFFERED": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": _no_proxy(inherited, settings),
    }
    given = {
        "ECO_DATABASE_URL": settings.database_url,
        "ECO_API_URL": settings.api_url,
        "ECO_API_PUBLIC_URL": settings.api_public_url,
    }
    return inherited | ours | {name: value for name, value in given.items() if value}


def _no_proxy(inherited: Mapping[str, str], settings: Settings) -> str:
    """A proxy of the machine must not stand between Airflow's own parts."""
    others = [settings.api_url.removeprefix("http://").partition(":")[0]] if settings.api_url else []
    given = inherited.get("NO_PROXY") or inherited.get("no_proxy") or ""
    return ",".join(dict.fromkeys([*filter(None, given.split(",")), HOST, "localhost", *others]))


def _options(
    settings: Settings, known: Mapping[str, str], database_url: str, address: Address
) -> dict[str, dict[str, str]]:
    return {
        "core": {
            "dags_folder": str(settings.project_root / "dags"),
            "plugins_folder": str(home(settings) / "plugins"),  # ours is a package, no Airflow plugin
            "default_timezone": settings.timezone,
            "executor": "LocalExecutor",
            "parallelism": "4",
            "load_examples": "False",
            "fernet_key": _fernet(known["airflow.fernet"]),
            "simple_auth_manager_users": f"{LOGIN}:admin",
            "simple_auth_manager_all_admins": "False",
            "simple_auth_manager_passwords_file": str(_password_file(settings)),
            "execution_api_server_url": f"{address.inner}/execution/",
            "hostname_callable": "socket.gethostname",  # no question to a name server
            "dag_run_conf_overrides_params": "False",
            "min_serialized_dag_update_interval": "5",
        },
        "database": {
            "sql_alchemy_conn": database_url,
            "sql_alchemy_conn_async": database_url,  # the default driver is not installed
            "sql_alchemy_pool_size": "5",
            "sql_alchemy_max_overflow": "10",
            "check_migrations": "False",  # done before the start, once
        },
        "logging": {
            "base_log_folder": str(settings.logs / "tasks"),
            "dag_processor_child_process_log_directory": str(settings.logs / "parsing"),
            "colored_console_log": "False",
        },
        "api": {
            "host": address.host, "port": str(address.port), "base_url": address.outer, "workers": "1",
            "secret_key": known["airflow.api"],
        },
        "api_auth": {"jwt_secret": known["airflow.jwt"]},
        "scheduler": {
            "scheduler_idle_sleep_time": "0.2",  # how soon a finished task brings the next
            "task_instance_heartbeat_timeout": "60",  # a killed task holds its element this long
            "task_instance_heartbeat_timeout_detection_interval": "5",
            "parsing_cleanup_interval": "60",
        },
        "dag_processor": {
            "refresh_interval": "60",
            "min_file_process_interval": "60",
            "parsing_processes": "1",
            "bundle_refresh_check_interval": "5",
            "dag_bundle_storage_path": str(home(settings) / "bundles"),
        },
        "usage_data_collection": {"enabled": "False"},
    }  # fmt: skip


def _fernet(secret: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).decode()


def _password_file(settings: Settings) -> Path:
    return home(settings) / "passwords.json"


def _text(parser: configparser.ConfigParser) -> str:
    lines = []
    for section in parser.sections():
        lines.append(f"[{section}]")
        lines += [f"{name} = {value}" for name, value in parser[section].items()]
    return "\n".join(lines) + "\n"


def _write_private(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}-"
    )  # mkstemp makes it 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
