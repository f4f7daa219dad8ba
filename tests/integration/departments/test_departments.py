"""Every department of the synthetic city delivers through its own protocol, by its contract, into core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from ecowarehouse import secrets
from ecowarehouse.contracts import ContractSet, load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.pipeline import FeedRun, run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from simulation.systems.running import Systems

CONTRACTS = load_contracts(Settings.load().city)
STEPS = 3


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    made = Systems.of_seed(1, tmp_path_factory.mktemp("systems"), 0, STEPS)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def house(systems: Systems, module_deployed: Settings) -> Settings:
    secrets.put(module_deployed.secrets_file, systems.addresses)
    return module_deployed


@pytest.fixture(scope="module")
def conn(house: Settings) -> Iterator[psycopg.Connection[Any]]:
    with closing(connect(application="tests", settings=house)) as connection:
        yield connection


def _feeds(contracts: ContractSet) -> list[str]:
    """Those whose contracts ask for a secret; the others are the city's own files and the national network."""
    return sorted(
        feed
        for feed, one in contracts.contracts.items()
        if one.connector.secret_names and not feed.startswith("cnemc") and feed != "weather_hourly"
    )


FEEDS = _feeds(CONTRACTS)


@pytest.fixture(scope="module")
def first(house: Settings, conn: psycopg.Connection[Any]) -> dict[str, FeedRun]:
    return {feed: run_feed(conn, house, CONTRACTS[feed]) for feed in FEEDS}


@pytest.mark.parametrize("feed", FEEDS)
def test_it_delivers_and_little_is_refused(first: dict[str, FeedRun], house: Settings, feed: str) -> None:
    batches = first[feed].batches
    assert batches, "nothing came"
    assert {batch.outcome for batch in batches} == {"loaded"}, [(b.outcome, b.reason) for b in batches]
    rows = sum(b.rows for b in batches)
    assert rows > 0
    # The city plants rows that come twice; of those the last is kept, and they are told.
    refused = [one for one in _refused(house, feed) if one[0] != "duplicate_row"]
    assert sum(count for *_, count in refused) <= 0.01 * rows, (rows, refused)


def test_another_moment_brings_what_is_new_and_all_is_what_a_recompute_says(
    first: dict[str, FeedRun], systems: Systems, house: Settings, conn: psycopg.Connection[Any]
) -> None:
    systems.at_step(STEPS - 1)
    again = {feed: run_feed(conn, house, CONTRACTS[feed]) for feed in FEEDS}
    lost = {feed: one.batches for feed, one in again.items() if not all(b.usable for b in one.batches)}
    assert not lost
    for feed in ("station_air_hourly", "river_hourly", "rain_hourly", "noise_hourly", "reservoir_hourly"):
        assert sum(batch.rows for batch in again[feed].batches) > 0, feed
    for feed in FEEDS:
        assert not recompute.check(conn, CONTRACTS[feed]), feed


def test_all_of_it_is_labelled_synthetic(first: dict[str, FeedRun], house: Settings) -> None:
    with connect(application="tests", admin=True, settings=house) as admin:
        found = admin.execute("select distinct synthetic from landing.batch where feed = any(%s)", [FEEDS])
        assert found.fetchall() == [(True,)]


def _refused(house: Settings, feed: str) -> list[tuple[Any, ...]]:
    """What was refused and why, for the message."""
    with connect(application="tests", admin=True, settings=house) as admin:
        return admin.execute(
            "select r.reason, r.column_name, count(*)"
            " from landing.reject as r inner join landing.batch as b using (batch_id)"
            " where b.feed = %s group by 1, 2 order by 3 desc",
            [feed],
        ).fetchall()
