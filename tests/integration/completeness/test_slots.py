"""How many periods a feed promises a day, whatever clock the city and its feeds have."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ecowarehouse.core import feeds
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from tests.integration.completeness.books import WEATHER


@pytest.mark.parametrize(("averaging", "slots"), [("1 day", 1), ("1 hour", 24)])
def test_a_day_is_one_slot_when_the_city_moves_its_clock_and_the_feed_does_not(
    fresh_database: Settings, averaging: str, slots: int
) -> None:
    with connect(application="tests", admin=True, settings=fresh_database) as admin:
        admin.execute("set timezone to 'Europe/Amsterdam'")
        assert admin.execute(
            "select count(*) from core.slots_of('2020-03-29', 'Asia/Hong_Kong', '0', %s::interval)",
            [averaging],
        ).fetchone() == (slots,)


def test_the_same_promise_is_written_once(fresh_database: Settings) -> None:
    monthly = WEATHER.model_copy(
        update={"period": WEATHER.period.model_copy(update={"sampled_every": timedelta(days=31)})}
    )
    with connect(application="tests", admin=True, settings=fresh_database) as admin:
        assert [feeds.apply(admin, one) for one in (WEATHER, WEATHER, monthly, monthly)] == [
            True,
            False,
            True,
            False,
        ]
        assert admin.execute("select counted_by_day from core.feed").fetchall() == [(False,)]
