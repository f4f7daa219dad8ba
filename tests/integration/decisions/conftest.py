"""A released house for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecowarehouse.postgres import roles
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.prepare import create_database
from tests.conftest import own_database
from tests.integration.decisions.decision_house import DecisionHouse, decision_house
from tests.integration.feed_house import feed_house

RELEASED = "eco_released"


@pytest.fixture(scope="session")
def released_template(deployed_template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database in which the first pull is released, and nobody has decided anything."""
    with own_database(deployed_template) as settings:
        with decision_house(settings, tmp_path_factory.mktemp("released")):
            pass
        with connect(application="tests", admin=True, autocommit=True, database="postgres") as connection:
            create_database(connection, RELEASED, owner=roles.OWNER, template=settings.database)
    return RELEASED


@pytest.fixture
def house(released_template: str, tmp_path: Path) -> Iterator[DecisionHouse]:
    """The first pull is released; nobody has decided anything."""
    with own_database(released_template) as settings, feed_house(settings, tmp_path) as air:
        yield DecisionHouse(air, settings, pulls=1)
