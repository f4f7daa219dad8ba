"""A warehouse with two months of the air feed and a folder to export into."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ecowarehouse.settings import Settings
from tests.integration.exports.export_house import ExportHouse, export_house


@pytest.fixture(scope="module")
def house(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportHouse]:
    """July and August, released and exported once; a test that changes it says so by its place in the module."""
    with export_house(module_deployed, tmp_path_factory.mktemp("exports")) as found:
        found.load(38, range(1, 25))
        found.load(340, range(337, 339))
        found.release()
        found.export()
        yield found


@pytest.fixture(scope="module")
def address(house: ExportHouse) -> Iterator[str]:
    """The open face as a web server of the public would serve it."""
    with served(house.out / "open") as url:
        yield url


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A plain file server on the loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
