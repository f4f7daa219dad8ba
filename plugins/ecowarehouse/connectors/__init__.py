"""Connectors: one per transport, never one per feed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from ecowarehouse import secrets
from ecowarehouse.connectors import drop, http
from ecowarehouse.connectors.access import Access
from ecowarehouse.connectors.cursor import Cursor, Validators, cursor_of
from ecowarehouse.connectors.delivery import Delivery
from ecowarehouse.connectors.files import fetch_paths
from ecowarehouse.connectors.known_at import known_at
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.transport import (
    DropConnector,
    FilesConnector,
    HttpConnector,
    SftpConnector,
    SqlConnector,
)
from ecowarehouse.settings import Settings

__all__ = [
    "Cursor",
    "Delivery",
    "FetchProblem",
    "Validators",
    "cursor_of",
    "drop_folder",
    "fetch",
    "fetch_paths",
    "known_at",
    "landed",
]


def fetch(
    contract: Contract,
    *,
    cursor: Cursor | None = None,
    resolve: Callable[[str], str] = secrets.resolve,
    settings: Settings | None = None,
) -> Iterator[Delivery]:
    """What the feed's system has for us now. A problem is a delivery with `problem`, never an exception.

    `cursor` says what came last; `resolve` gives a secret by its name. A path that does not begin at the root lies in
    the city's folder. A payload that is a file is there until the next delivery is asked for.
    """
    connector = contract.connector
    try:
        access = Access.of(contract, resolve)
    except secrets.SecretError as error:
        yield Delivery(source=connector.url, problem=FetchProblem("secret_missing", str(error)))
        return
    match connector:
        case HttpConnector():
            yield http.fetch(contract, connector, access, cursor)
        case FilesConnector():
            yield from fetch_paths(contract, [_in_city(access.url, settings)])
        case SqlConnector():
            from ecowarehouse.connectors import sql

            yield from sql.fetch(contract, connector, access, cursor)
        case SftpConnector():
            from ecowarehouse.connectors import sftp

            yield from sftp.fetch(contract, connector, access, cursor)
        case DropConnector():
            yield from drop.fetch(contract, connector, drop_folder(contract, access.url, settings), cursor)


def landed(contract: Contract, cursor: Cursor, *, settings: Settings | None = None) -> None:
    """Put away what has landed, where that is ours to do; `cursor` is read after landing."""
    if not isinstance(contract.connector, DropConnector):
        return
    # Without the secret that names the folder, or the right to read it, nothing came, as its delivery tells.
    with suppress(secrets.SecretError, OSError):
        drop.put_away(contract, drop_folder(contract, None, settings), cursor.seen)


def drop_folder(contract: Contract, given: str | None = None, settings: Settings | None = None) -> Path:
    """The folder of a feed that is dropped or uploaded.

    Raises:
        SecretError: the contract names a secret for it that is missing.
    """
    if given is None:
        given = Access.of(contract, secrets.resolve).url
    return Path(given) if given else (settings or Settings.load()).drop / contract.feed


def _in_city(url: str, settings: Settings | None) -> str:
    return url if "://" in url else str((settings or Settings.load()).city / url)
