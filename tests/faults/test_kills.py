"""A process that is killed in any step leaves what was, and the same command run again makes what should be."""

from __future__ import annotations

from random import Random

import pytest

from tests.faults.house import House
from tests.faults.kills import POINTS, Tally, kill_at

_BY_NAME = {point.name: point for point in POINTS}
_IN_EVERY_RUN = (
    "land, bytes kept, ledger not told", "land, in COPY", "core", "mart, dbt writing", "gate", "release",
    "release, server stopped",
    "standards, views dropped",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", _IN_EVERY_RUN)
def test_a_kill_and_a_rerun_leave_what_one_run_leaves(house: House, tally: Tally, name: str) -> None:
    kill_at(house, _BY_NAME[name], Random(f"{tally.seed}:{name}"), tally)
