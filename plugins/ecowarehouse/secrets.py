"""Secrets by name: from the environment, then `ECO_HOME/secrets.toml`, then an Airflow connection.

A contract holds names of secrets and never a secret. Nothing here logs a value.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ecowarehouse.settings import Settings

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


class SecretError(LookupError):
    """A secret is missing, badly named or kept where others can read it; the message never holds a value."""


def environment_name(name: str) -> str:
    """The environment variable that may carry a secret: `postgres.eco` is `ECO_SECRET_POSTGRES_ECO`."""
    return "ECO_SECRET_" + name.upper().replace(".", "_")


def resolve(name: str, settings: Settings | None = None) -> str:
    """The value of a secret.

    Raises:
        SecretError: the name is malformed, nothing defines it, or the file is readable by others.
    """
    _check_name(name)
    from_environment = os.environ.get(environment_name(name))
    if from_environment:
        return from_environment
    settings = settings or Settings.load()
    value = read(settings.secrets_file).get(name) or _airflow_password(name)
    if value is None:
        raise SecretError(
            f"secret {name!r} is not set: export {environment_name(name)}, or add it to "
            f"{settings.secrets_file}"
        )
    return value


def find(name: str, settings: Settings) -> str | None:
    """A secret of the house itself, from the environment or the file; None if neither has it."""
    return os.environ.get(environment_name(name)) or read(settings.secrets_file).get(name)


def read(path: Path) -> dict[str, str]:
    """All secrets of a file, by dotted name; empty when there is no file.

    Raises:
        SecretError: others may read the file, or it is no TOML.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise SecretError(f"{path} has mode {mode:04o}: others can read it. Mend: chmod 600 {path}")
            content = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise SecretError(f"{path} is no valid TOML: {error}") from error
    return dict(_flatten(content))


def ensure(path: Path, names: list[str]) -> dict[str, str]:
    """Generate what is missing of these secrets and return all of the file.

    The caller holds the lock of the home. The file is replaced in one step: no reader sees half of it.

    Raises:
        SecretError: a name is malformed, or the file is unreadable (see `read`).
    """
    known = read(path)
    missing = [name for name in names if name not in known]
    if not missing:
        return known
    for name in missing:
        _check_name(name)
        known[name] = secrets.token_urlsafe(24)
    _write(path, known)
    return known


def put(path: Path, values: Mapping[str, str]) -> None:
    """Set these secrets and keep all others; nothing is written when all are set so already.

    Raises:
        SecretError: a name is malformed, or the file is unreadable (see `read`).
    """
    for name in values:
        _check_name(name)
    known = read(path)
    changed = {**known, **values}
    if changed != known:
        _write(path, changed)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise SecretError(f"{name!r} is no name of a secret: lower-case words joined by dots")


def _flatten(content: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            pairs += _flatten(value, f"{prefix}{key}.")
        else:
            pairs.append((prefix + key, str(value)))
    return pairs


def _write(path: Path, values: Mapping[str, str]) -> None:
    lines = ["# Secrets of this home. Never commit or share this file.\n"]
    for name, value in sorted(values.items()):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'"{name}" = "{escaped}"\n')
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _airflow_password(name: str) -> str | None:
    """The password of the Airflow connection of that name, if this is a task, where Airflow is loaded."""
    if "airflow.sdk" not in sys.modules:
        return None
    connection = getattr(sys.modules["airflow.sdk"], "Connection", None)
    if connection is None:
        return None
    try:
        password = connection.get(name.replace(".", "_")).password
    except Exception:  # noqa: BLE001 Airflow raises its own not-found types; absent here means "look no further"
        return None
    return str(password) if password else None
