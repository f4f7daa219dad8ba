"""Files: given paths, globs and addresses of file systems."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import fsspec  # type: ignore[import-untyped]

from ecowarehouse.connectors.delivery import Delivery
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.contracts import Contract
from ecowarehouse.formats.sniff import looks_like_html

_MAGIC = "*?["


def fetch_paths(contract: Contract, paths: Sequence[str | os.PathLike[str]]) -> Iterator[Delivery]:
    """One delivery for each file, in the order given; a glob gives its files sorted by name.

    A path may be local or an address that fsspec knows (`file://`, `memory://`). What can't be read is a
    delivery with `problem`.
    """
    for path in paths:
        given = os.fspath(path)
        try:
            found = _expanded(given)
        except (OSError, ValueError) as error:
            yield Delivery(source=_shown(given), problem=_unreadable(error))
            continue
        if not found:
            yield Delivery(
                source=_shown(given), problem=FetchProblem("not_found", f"no file {_shown(given)}")
            )
        for address in found:
            yield _delivery(contract, address)


def _expanded(given: str) -> list[str]:
    system, path = fsspec.core.url_to_fs(given)
    names = (
        sorted(system.glob(path)) if any(c in given for c in _MAGIC) and not system.exists(path) else [path]
    )
    return [system.unstrip_protocol(name) for name in names if system.isfile(name)]


def _delivery(contract: Contract, address: str) -> Delivery:
    source = _shown(address)
    try:
        system, path = fsspec.core.url_to_fs(address)
        payload: bytes | Path = Path(path) if address.startswith("file://") else system.cat_file(path)
        head = _head(payload)
    except (OSError, ValueError) as error:
        return Delivery(source=source, problem=_unreadable(error))
    problem = None
    if not head:
        problem = FetchProblem("empty_body", "the file is empty")
    elif looks_like_html(head):
        problem = FetchProblem("html_instead_of_data", "the file is an HTML page")
    form = contract.form_of(source, head=head)
    return Delivery(source=source, payload=payload, form=form, synthetic=contract.synthetic, problem=problem)


def _head(payload: bytes | Path) -> bytes:
    if isinstance(payload, bytes):
        return payload[:2048]
    with payload.open("rb") as file:
        return file.read(2048)


def _unreadable(error: Exception) -> FetchProblem:
    reason = "not_found" if isinstance(error, FileNotFoundError) else "unreadable"
    text = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return FetchProblem(reason, text)


def _shown(address: str) -> str:
    """An address without user, password or query, which may hold secrets."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2] if scheme != 'file' else rest}"
