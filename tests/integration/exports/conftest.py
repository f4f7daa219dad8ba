"""A warehouse with two months of the air feed and a folder to export into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecowarehouse.settings import Settings
from tests.integration.exports.export_house import ExportHouse, export_house


@pytest.fixture
def house(deployed: Settings, tmp_path: Path) -> Iterator[ExportHouse]:
    """Two months, nothing released yet."""
    with export_house(deployed, tmp_path) as found:
        yield found
