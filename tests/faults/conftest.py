"""One house for all tests that break something, and what was broken told at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import SystemRandom
from typing import Any

import pytest

from tests.faults.house import House
from tests.faults.kills import Tally

_tallies: list[Tally] = []


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Apart from the other tests' server: this one is stopped in the middle of work."""
    made = House.make(tmp_path_factory.mktemp("faults"))
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(scope="session")
def tally() -> Tally:
    """Counts kills; the seed is `FAULT_SEED`, or another one each time."""
    found = Tally(int(os.environ.get("FAULT_SEED") or SystemRandom().randrange(1_000_000)))
    _tallies.append(found)
    return found


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The seed is what repeats a failure: FAULT_SEED=... make test TESTS=tests/faults."""
    for found in _tallies:
        terminalreporter.section("kills")
        for line in found.lines():
            terminalreporter.write_line(line)
