"""A deployed warehouse for each test, fed by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecowarehouse.settings import Settings
from tests.integration.feed_house import FeedHouse, feed_house


@pytest.fixture
def house(deployed: Settings, tmp_path: Path) -> Iterator[FeedHouse]:
    """Nothing is loaded yet."""
    with feed_house(deployed, tmp_path) as made:
        yield made
