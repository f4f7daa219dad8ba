"""Who answers for an element: the department with the lead duty."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

_RANK: Final = ("lead", "joint", "support", "provides_data")
NOBODY: Final = "unassigned"


def owner_of(city: Path, element: str) -> str:
    """The department whose duty for the element weighs most; among equals the first by name."""
    with (city / "duties.csv").open(encoding="utf-8-sig", newline="") as file:
        found = [
            (_RANK.index(row["kind"]), row["department"])
            for row in csv.DictReader(file)
            if row["element"] == element and row["kind"] in _RANK
        ]
    return min(found)[1] if found else NOBODY
