"""Connectors: one per transport, never one per feed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ecowarehouse import secrets
from ecowarehouse.connectors import http
from ecowarehouse.connectors.cursor import Cursor, Validators, cursor_of
from ecowarehouse.connectors.delivery import Delivery
from ecowarehouse.connectors.files import fetch_paths
from ecowarehouse.connectors.known_at import known_at
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.contracts import Contract

__all__ = [
    "Cursor",
    "Delivery",
    "FetchProblem",
    "Validators",
    "cursor_of",
    "fetch",
    "fetch_paths",
    "known_at",
]


def fetch(
    contract: Contract, *, cursor: Cursor | None = None, resolve: Callable[[str], str] = secrets.resolve
) -> Iterator[Delivery]:
    """What the feed's system has for us now. A problem is a delivery with `problem`, never an exception.

    `cursor` says what came last; `resolve` gives a secret by its name.
    """
    try:
        access = http.Access.of(contract, resolve)
    except secrets.SecretError as error:
        source = contract.connector.url
        yield Delivery(source=source, problem=FetchProblem("secret_missing", str(error)))
        return
    if contract.connector.transport == "files":
        yield from fetch_paths(contract, [access.url])
    else:
        yield http.fetch(contract, access, cursor)
