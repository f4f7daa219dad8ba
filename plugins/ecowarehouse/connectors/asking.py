"""Is a source there, and is it as its contract says: asked without landing anything."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from ecowarehouse import formats, secrets
from ecowarehouse.connectors import drop_folder, fetch
from ecowarehouse.connectors.access import Access
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.transport import DropConnector, SftpConnector, SqlConnector
from ecowarehouse.settings import Settings


def ask(
    contract: Contract,
    *,
    resolve: Callable[[str], str] = secrets.resolve,
    settings: Settings | None = None,
) -> str:
    """One line about what the source would give.

    Raises:
        FetchProblem: why it would give nothing; its detail holds no secret.
    """
    connector = contract.connector
    try:
        access = Access.of(contract, resolve)
    except secrets.SecretError as error:
        raise FetchProblem("secret_missing", str(error)) from None
    try:
        if isinstance(connector, SqlConnector):
            return _columns(contract, connector, access)
        if isinstance(connector, SftpConnector):
            from ecowarehouse.connectors import sftp

            choice = sftp.ask(contract, connector, access)
            return f"{len(choice.ready)} finished file(s), {len(choice.unfinished)} unfinished"
        if isinstance(connector, DropConnector):
            folder = drop_folder(contract, access.url, settings)
            if not folder.is_dir():
                raise FetchProblem("not_found", f"no folder {folder}; the feed's first run makes it")
            return f"folder {folder} is there"
        return _fetched(contract, resolve)
    except FetchProblem as problem:
        raise FetchProblem(problem.reason, access.clean(problem.detail)) from None


def _columns(contract: Contract, connector: SqlConnector, access: Access) -> str:
    from ecowarehouse.connectors import sql

    names = sql.ask(contract, connector, access)
    with tempfile.TemporaryDirectory(prefix="eco-ask-") as folder:
        # Read as a delivery would be, so that there is one opinion about headers.
        path = Path(folder) / "header.csv"
        path.write_text(",".join(names) + "\n", encoding="utf-8")
        try:
            list(formats.read(contract, "csv", path))
        except formats.FormatProblem as problem:
            if problem.reason != "no_rows":
                raise FetchProblem(problem.reason, problem.detail) from None
    return f"logged in; the query gives {len(names)} columns, as the contract says"


def _fetched(contract: Contract, resolve: Callable[[str], str]) -> str:
    size = number = 0
    for delivery in fetch(contract, resolve=resolve):
        if delivery.problem is not None:
            raise delivery.problem
        number += 1
        size += (
            len(delivery.payload) if isinstance(delivery.payload, bytes) else delivery.payload.stat().st_size
        )
    return f"{number} delivery(ies), {size:,} bytes; nothing was landed"
