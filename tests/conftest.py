"""What all tests share: a server of the session's own, a database of each test's own, and no network."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from psycopg import sql

from ecowarehouse import deployment
from ecowarehouse.postgres import cluster, roles
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.prepare import create_database
from ecowarehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
ORDER = ("unit", "dbt", "integration", "end_to_end", "faults")  # fast first
# Files of more than a minute, longest first.
LONG = (
    "test_demo", "test_real_air_feed", "test_decisions_last", "test_kills", "test_failing_systems",
    "test_real_water_feed", "test_two_writers", "test_departments", "test_cluster", "test_add_a_feed",
    "test_order_of_sites", "test_entities", "test_detection", "test_another_city", "test_whose_fault",
    "test_by_command_line",
)  # fmt: skip
TEMPLATE = "eco_template"
DEPLOYED = "eco_deployed"
_IN_USE: set[str] = set()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fast folders first; inside a folder the order of collection stays.

    Where several processes share the tests, the longest files come first, or the others would wait for them in the end.
    """
    long = LONG if hasattr(config, "workerinput") else ()

    def rank(item: pytest.Item) -> tuple[int, int]:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        return (
            long.index(item.path.stem) if item.path.stem in long else len(long),
            ORDER.index(folder) if folder in ORDER else len(ORDER),
        )

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """A connection to anything but this machine is a failure, whatever library asks for it."""
    guard = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex"):
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: Any, _original: Any = original) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
                raise RuntimeError(f"a test may not use the network: {address[0]!r}")
            return _original(self, address)

        guard.setattr(socket.socket, name, guarded)
    yield
    guard.undo()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and standards that may lie beside the clone."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs ../shared beside the clone")
    return folder


@pytest.fixture(scope="session")
def eco_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An ECO_HOME of the session with a running server; what a test changes in it, others see."""
    home = tmp_path_factory.mktemp("home")
    environment = pytest.MonkeyPatch()
    environment.setenv("ECO_HOME", str(home))
    for name in ("ECO_DATABASE_URL", "ECO_DATABASE", "ECO_CITY"):
        environment.delenv(name, raising=False)
    settings = Settings.load()
    cluster.ensure_running(settings)
    try:
        with connect(application="tests", admin=True, autocommit=True, database="postgres") as connection:
            create_database(connection, TEMPLATE, owner=roles.OWNER, template=settings.database)
        yield home
    finally:
        cluster.stop(settings, immediate=True)
        environment.undo()


@pytest.fixture
def fresh_database(eco_home: Path) -> Iterator[Settings]:
    """A migrated, empty database for one test; `Settings.load()` and child processes see it too."""
    with own_database() as settings:
        yield settings


@pytest.fixture(scope="module")
def module_database(eco_home: Path) -> Iterator[Settings]:
    """The same for all tests of a module, which then build on each other."""
    with own_database() as settings:
        yield settings


@pytest.fixture(scope="session")
def deployed_template(eco_home: Path) -> str:
    """Name of a database as `eco up` leaves it: standards, landing tables, channels and views; nothing loaded."""
    with connect(application="tests", admin=True, autocommit=True, database="postgres") as connection:
        create_database(connection, DEPLOYED, owner=roles.OWNER, template=TEMPLATE)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ECO_DATABASE", DEPLOYED)
        with connect(application="tests", admin=True, autocommit=True) as connection:
            roles.grant(connection)
        deployment.deploy(Settings.load())
    return DEPLOYED


@pytest.fixture
def deployed(deployed_template: str) -> Iterator[Settings]:
    """A deployed warehouse of one test's own, cloned in a moment."""
    with own_database(deployed_template) as settings:
        yield settings


@pytest.fixture(scope="module")
def module_deployed(deployed_template: str) -> Iterator[Settings]:
    """The same for all tests of a module, which then build on each other."""
    with own_database(deployed_template) as settings:
        yield settings


@contextmanager
def own_database(template: str = TEMPLATE) -> Iterator[Settings]:
    """Clone a template, point this process at the clone, drop it at the end.

    Names come again: dbt parses the project anew for each name of a database that it has not met.
    """
    name = next(name for number in count(1) if (name := f"test_{number}") not in _IN_USE)
    before = os.environ.get("ECO_DATABASE")
    _IN_USE.add(name)
    with connect(application="tests", admin=True, autocommit=True, database="postgres") as connection:
        create_database(connection, name, owner=roles.OWNER, template=template)
    os.environ["ECO_DATABASE"] = name
    try:
        # Grants on a database are not cloned with it.
        with connect(application="tests", admin=True, autocommit=True) as connection:
            roles.grant(connection)
        yield Settings.load()
    finally:
        _IN_USE.remove(name)
        if before is None:
            del os.environ["ECO_DATABASE"]
        else:
            os.environ["ECO_DATABASE"] = before
        with connect(application="tests", admin=True, autocommit=True, database="postgres") as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


# The same examples in every run, so that a red run is the change's doing; `make fuzz` looks for new ones.
hypothesis.settings.register_profile("steady", derandomize=True)
hypothesis.settings.register_profile("fuzz", max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
