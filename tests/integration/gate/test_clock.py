"""Open or closed: what the feeds' clocks say of a period."""

from __future__ import annotations

from datetime import UTC, datetime

from ecowarehouse.gate.clock import closed_before
from tests.integration.toy_mart import HOUR, T0, Toy


def test_a_feed_whose_contract_cannot_be_read_closes_nothing(toy: Toy) -> None:
    toy.clock(T0)
    assert closed_before(toy.admin, ["toy"], {"toy": 3 * HOUR}) == T0 - 3 * HOUR
    assert closed_before(toy.admin, ["toy"], {}) == datetime.min.replace(tzinfo=UTC)
    assert closed_before(toy.admin, ["never"], {}) is None
