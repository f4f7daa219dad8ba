"""A released house for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecowarehouse.settings import Settings
from tests.integration.decisions.decision_house import DecisionHouse, decision_house


@pytest.fixture
def house(deployed: Settings, tmp_path: Path) -> Iterator[DecisionHouse]:
    """The first pull is released; nobody has decided anything."""
    with decision_house(deployed, tmp_path) as made:
        yield made
