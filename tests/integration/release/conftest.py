"""A toy house with a database of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecowarehouse.settings import Settings
from tests.integration.toy_mart import Toy, toy_house


@pytest.fixture
def toy(fresh_database: Settings, tmp_path: Path) -> Iterator[Toy]:
    """Two marts, a suite that they pass, no build yet."""
    with toy_house(tmp_path / "expectations") as house:
        yield house
