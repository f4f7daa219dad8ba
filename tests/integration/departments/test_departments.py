"""Every department of the synthetic city delivers through its own protocol, by its contract, into core."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse import completeness, secrets
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.pipeline import FeedRun, run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from simulation.systems.running import Systems
from tests.conftest import own_database
from tests.content import core_hashes, entity_hash
from tests.integration.departments.outcomes import at_once

CITY = load_contracts(Settings.load().city)
DAYS = 10
STEPS = 6


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    # Received as soon as in the demo: a period that would end after its receipt is refused.
    made = Systems.up_to_yesterday(1, tmp_path_factory.mktemp("systems"), 0, STEPS, days=DAYS)
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


CONTRACTS = {feed: at_once(contract) for feed, contract in CITY.contracts.items()}


def _feeds(contracts: Mapping[str, Contract]) -> list[str]:
    """Those whose contracts ask for a secret; the others are the city's own files and the national network."""
    return sorted(
        feed
        for feed, one in contracts.items()
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


@pytest.fixture(scope="module")
def again(
    first: dict[str, FeedRun], systems: Systems, house: Settings, conn: psycopg.Connection[Any]
) -> dict[str, FeedRun]:
    """What came hours later."""
    systems.at_step(STEPS - 1)
    return {feed: run_feed(conn, house, CONTRACTS[feed]) for feed in FEEDS}


def test_another_moment_brings_what_is_new(again: dict[str, FeedRun]) -> None:
    lost = {feed: one.batches for feed, one in again.items() if not all(b.usable for b in one.batches)}
    assert not lost
    for feed in ("station_air_hourly", "river_hourly", "rain_hourly", "noise_hourly", "reservoir_hourly"):
        assert sum(batch.rows for batch in again[feed].batches) > 0, feed


def test_status_has_a_line_for_every_feed_by_what_it_promises(
    again: dict[str, FeedRun], house: Settings
) -> None:
    with connect("eco_engineer", application="tests", settings=house) as engineer:
        found = completeness.standing(engineer, CITY)
    lines = {one.feed: one.line() for one in found}
    assert sorted(lines) == sorted(CITY.contracts)
    assert "never asked" in lines["cnemc_air_hourly"]
    for feed, said in {
        "device_list": "register",
        "soil_sample": "not counted by day; newest until",
        "yearly_statistics": "not counted by day; newest until",
        "river_hourly": "no day in the books yet",
    }.items():
        assert "delivered 0 h" in lines[feed]
        assert said in lines[feed]
    assert not [one.feed for one in found if one.silent]


def test_the_whole_history_in_another_order_is_the_same(
    again: dict[str, FeedRun], house: Settings, deployed_template: str, tmp_path: Path
) -> None:
    """All contents of all feeds, as they were kept, shuffled; and a full recompute finds no difference."""
    with connect(application="tests", admin=True, settings=house) as admin:
        contents = admin.execute(
            "select feed, bytes_address, known_at, source from landing.batch where bytes_address is not null"
            " and outcome in ('loaded', 'partial') order by batch_id"
        ).fetchall()
        wanted = (core_hashes(admin), entity_hash(admin))
    assert {feed for feed, *_ in contents} == set(FEEDS)
    random.Random(20261126).shuffle(contents)
    with (
        own_database(deployed_template) as settings,
        closing(connect(application="tests", settings=settings)) as other,
    ):
        for number, (feed, address, known_at, source) in enumerate(contents):
            path = tmp_path / f"{number}{Path(source).suffix}"
            path.write_bytes((house.bytes_store / address).read_bytes())
            [batch] = run_feed(other, settings, CONTRACTS[feed], paths=[str(path)], known_at=known_at).batches
            assert batch.outcome == "loaded", (feed, batch)
        with connect(application="tests", admin=True, settings=settings) as admin:
            assert (core_hashes(admin), entity_hash(admin)) == wanted
        for feed in FEEDS:
            assert not recompute.check(other, CONTRACTS[feed]), feed


def test_the_plan_of_the_network_has_a_span_for_each_stage_that_was_reached(
    first: dict[str, FeedRun], house: Settings
) -> None:
    stages = ("planned", "approved", "built", "accepted", "running")
    with connect(application="tests", admin=True, settings=house) as admin:
        [(address,)] = admin.execute(
            "select distinct bytes_address from landing.batch"
            " where feed = 'site_plan_list' and outcome = 'loaded'"
        ).fetchall()
        found = admin.execute("select code, state, valid_from::text from core.site_plan_current").fetchall()
    wanted = {
        (row["plan_no"], stage, row[stage])
        for row in csv.DictReader((house.bytes_store / address).open(encoding="utf-8"))
        for stage in stages
        if row[stage]
    }
    counts = [sum(stage == reached for _, reached, _ in wanted) for stage in stages]
    assert counts == sorted(set(counts), reverse=True), "each stage is reached by fewer"
    assert set(found) == wanted


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
