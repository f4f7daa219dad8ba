"""Whatever a source sends: the ledger says what became of it, core keeps what it had, and the next good pull loads."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse import ledger
from ecowarehouse.connectors import fetch_paths
from ecowarehouse.contracts import load_contracts
from ecowarehouse.landing import store
from ecowarehouse.landing.load import ABORTED, load
from ecowarehouse.pipeline import FeedRun, run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from simulation import server as stand_in
from simulation.national import feed_csv
from tests.content import core_hashes
from tests.integration.feed_house import DAY, FEED, FeedHouse, at, feed_house, row

ROOT = Path(__file__).resolve().parents[3]
BATCH = "select outcome, reason, rows, bytes_address is not null, core_step_id is not null from landing.batch"
NEWEST = BATCH + " order by batch_id desc limit 1"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stand_in.Server]:
    server = stand_in.build(tmp_path_factory.mktemp("source"), seed=7)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def source(served: stand_in.Server, monkeypatch: pytest.MonkeyPatch) -> stand_in.Server:
    """The stand-in on a socket of this machine, with the feed's address pointing at it."""
    monkeypatch.setenv("ECO_SECRET_CNEMC_AIR_URL", f"{served.url}/air/feed")
    return served


@pytest.fixture(scope="module")
def lived(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedHouse]:
    """One house for all faults: each must leave it as it was."""
    with feed_house(module_deployed, tmp_path_factory.mktemp("contents")) as made:
        changes = {"timeout_seconds": 0.5, "total_seconds": 5.0, "retries": 0}
        connector = made.contract.connector.model_copy(update=changes)
        made.contract = made.contract.model_copy(update={"connector": connector})
        yield made


def pull(house: FeedHouse) -> FeedRun:
    return run_feed(house.conn, house.settings, house.contract)


def content(house: FeedHouse) -> dict[str, Any]:
    counts = house.one(
        "select (select count(*) from core.change where element = 'air'), (select count(*) from core.series)"
    )
    return {**core_hashes(house.admin), "counts": counts}


FAULTS = [
    ("500", "failed", "http_500", False),
    ("timeout", "failed", "timeout", False),
    ("truncated", "failed", "truncated", False),
    ("html", "failed", "html_instead_of_data", True),
    ("empty", "failed", "empty_body", False),
    ("401", "failed", "unauthorised", False),
    ("429", "failed", "http_429", False),
    ("header", "rejected", "header_changed", True),
    ("cut", "rejected", "truncated", True),
]


@pytest.mark.parametrize(("fault", "outcome", "reason", "kept"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_is_told_changes_nothing_and_the_next_pull_loads(
    lived: FeedHouse, source: stand_in.Server, fault: str, outcome: str, reason: str, kept: bool
) -> None:
    if lived.one("select count(*) from landing.batch") == 0:
        pull(lived)
    source.world.advance()  # so that there is something to send
    before = content(lived)
    source.world.plan_fault("air", fault, 1)
    run = pull(lived)
    assert not run.changed
    assert [(batch.outcome, batch.reason, batch.usable) for batch in run.batches] == [
        (outcome, reason, False)
    ]
    assert lived.one(NEWEST) == (outcome, reason, 0, kept, False)
    assert content(lived) == before
    if kept:
        address, digest = lived.one(
            "select bytes_address, sha256 from landing.batch order by batch_id desc limit 1"
        )
        assert sha256((lived.settings.bytes_store / address).read_bytes()).hexdigest() == digest
    assert pull(lived).core.versions > 0
    assert lived.one(NEWEST)[0] in ("loaded", "partial")


def test_a_refused_connection_is_told(lived: FeedHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(lived)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ECO_SECRET_CNEMC_AIR_URL", f"http://127.0.0.1:{free.getsockname()[1]}/air/feed")
        assert not pull(lived).changed
    assert lived.one(NEWEST) == ("failed", "connect_error", 0, False, False)
    assert content(lived) == before


def test_a_missing_secret_is_told(lived: FeedHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECO_SECRET_CNEMC_AIR_URL", raising=False)
    assert not pull(lived).changed
    assert lived.one(NEWEST)[:2] == ("failed", "secret_missing")


def test_all_of_that_leaves_a_sound_core(lived: FeedHouse) -> None:
    assert lived.sound()
    assert lived.one("select count(*) from governance.attempt where outcome = 'running'") == 0
    assert lived.one("select count(*) from pg_locks where locktype = 'advisory'") == 0
    assert [path for path in lived.settings.bytes_store.iterdir() if not path.is_dir()] == []


def test_what_the_source_says_is_unmodified_is_a_row_and_nothing_else(
    house: FeedHouse, source: stand_in.Server
) -> None:
    assert pull(house).changed
    before = content(house)
    assert not pull(house).changed
    assert house.one(NEWEST) == ("unchanged", "not_modified", 60, False, True)
    assert content(house) == before


def test_unmodified_speaks_of_the_source_and_not_of_a_file_by_hand(
    house: FeedHouse, source: stand_in.Server
) -> None:
    said = "select sha256, known_at, rows, synthetic from landing.batch order by batch_id desc limit 1"
    assert pull(house).changed
    answered = house.one(said)
    house.load("12:20", [row("F1", so2=5)])
    assert not pull(house).changed
    assert house.one(NEWEST)[:2] == ("unchanged", "not_modified")
    assert house.one(said) == answered


UNSTORABLE = {
    "header.csv": (b"a\0b\x1b,c\n1,2\n", "rejected", "header_changed"),
    "empty.zip": (b"PK\x05\x06" + b"\0" * 18, "rejected", "not_the_format"),
    "half.json": (b'{"items": [{"a": "\\ud800"}]}', "rejected", "not_the_format"),
    "page.csv": (b"<!DOCTYPE html><html>\0</html>", "failed", "html_instead_of_data"),
}


@pytest.mark.parametrize("name", UNSTORABLE)
def test_whatever_comes_has_an_outcome_and_its_bytes_are_kept(house: FeedHouse, name: str) -> None:
    payload, outcome, reason = UNSTORABLE[name]
    run = house.load("12:10", payload, "-" + name)
    assert [(batch.outcome, batch.reason) for batch in run.batches] == [(outcome, reason)]
    address = house.one("select bytes_address from landing.batch")
    assert (house.settings.bytes_store / address).read_bytes() == payload


def test_text_that_nothing_can_hold_has_an_outcome(house: FeedHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house.contract = load_contracts(ROOT / "city")["weather_hourly"]
    item = dict.fromkeys(house.contract.header, "1") | {
        "station_name": "\ud800",
        "time": "2019-07-18T12:00:00",
    }
    run = house.load("12:10", json.dumps({"items": [item], "total": 1}).encode(), ".json")
    assert [(batch.outcome, batch.reason) for batch in run.batches] == [("rejected", "not_text")]


def test_rows_with_nul_and_of_a_wrong_width_are_kept_as_received(house: FeedHouse) -> None:
    rows = feed_csv([row("S1", so2=1), row("S2", positionname="a\0b"), row("S3")])
    run = house.load("12:10", rows + b"2019-07-18T12:00:00,S4,\0\n")
    assert [(b.outcome, b.rows, b.rejects) for b in run.batches] == [("loaded", 2, 2)]
    assert house.all("select row_number, reason, received from landing.reject order by 1") == [
        (2, "not_text", rows.decode().splitlines()[2].replace("\0", "\u2400")),
        (4, "ragged_row", "2019-07-18T12:00:00,S4,\u2400"),
    ]


def test_bytes_of_a_killed_attempt_are_removed_by_the_next(house: FeedHouse) -> None:
    house.settings.bytes_store.mkdir(exist_ok=True)
    of_this, of_another = (house.settings.bytes_store / f".incoming.{feed}.x" for feed in (FEED, "another"))
    of_this.write_bytes(b"half")
    of_another.write_bytes(b"half")
    house.load("12:10", [row(so2=1)])
    assert (of_this.exists(), of_another.exists()) == (False, True)
    of_another.unlink()


def test_the_same_bytes_at_the_same_time_are_unchanged(house: FeedHouse) -> None:
    path = house.write([row(so2=10)])
    house.load("12:10", path)
    before = content(house)
    assert not house.load("12:10", path).changed
    assert house.one(NEWEST) == ("unchanged", "same_bytes", 1, True, True)
    assert content(house) == before
    assert house.one("select count(*) from landing.cnemc_air_hourly") == 1


def test_rows_and_cells_that_cannot_be_used_are_kept_as_received(house: FeedHouse) -> None:
    good = row("S1", so2=10)
    strange = [
        {**good, "stationcode": "  "},
        {**good, "stationcode": "S2", "timepoint": "2019-07-18 noon"},
        {**good, "stationcode": "S3", "timepoint": "2099-01-01T00:00:00"},
        {**good, "stationcode": "S4", "so2": "1O", "no2": "7"},
    ]
    run = house.load("12:10", [good, *strange])
    assert [(batch.outcome, batch.rows, batch.rejects) for batch in run.batches] == [("loaded", 2, 4)]
    lines = feed_csv(strange).decode().splitlines()[1:]
    assert house.all(
        "select row_number, column_name, reason, received from landing.reject order by row_number"
    ) == [
        (2, None, "key_missing", lines[0]),
        (3, None, "period_unparsable", lines[1]),
        (4, None, "period_implausible", lines[2]),
        (5, "so2", "not_a_number", "1O"),
    ]
    assert house.versions("S4", "so2") == []
    assert run.core.versions == 2 * 17 - 1
    assert house.versions("S4", "no2") == [("12:10", "7")]
    assert house.one("select count(*) from core.site") == 2
    assert house.sound()


def test_a_content_without_a_usable_row_is_rejected_and_kept(house: FeedHouse) -> None:
    run = house.load("12:10", [row("", so2=1)])
    assert [(b.outcome, b.reason, b.rejects) for b in run.batches] == [("rejected", "no_rows", 1)]
    assert house.one("select reason from landing.reject") == "key_missing"
    assert house.one(NEWEST)[3]


def test_a_pull_caught_mid_update_is_partial_and_taken_up(house: FeedHouse) -> None:
    rows = [row(f"S{n}", 13 if n else 14, so2=n) for n in range(8)]
    run = house.load("14:26", rows)
    assert [(b.outcome, b.reason, b.rows) for b in run.batches] == [("partial", "caught_mid_update", 8)]
    assert house.versions("S0", hour=14) == [("14:26", "0")]
    assert house.versions("S7", hour=13) == [("14:26", "7")]


@pytest.mark.parametrize("order", [("10:00", "12:10"), ("12:10", "10:00")], ids=["early first", "late first"])
def test_rows_too_far_ahead_for_one_sighting_are_taken_from_another(
    house: FeedHouse, order: tuple[str, str]
) -> None:
    # Label 13:00 is further ahead of 10:00 than a source may be, and fine at 12:10.
    path = house.write([row(hour=11, so2=11), row(hour=13, so2=13)])
    for known in order:
        house.load(known, path)
    assert house.versions(hour=11) == [("10:00", "11")]
    assert house.versions(hour=13) == [("12:10", "13")]
    again = house.load("12:20", path)
    assert [(b.outcome, b.rows) for b in again.batches] == [("unchanged", 2)]
    assert house.sound()


def test_a_row_is_open_while_the_source_is_asked(house: FeedHouse, source: stand_in.Server) -> None:
    source.world.plan_fault("air", "timeout", 1)
    asked, original = threading.Event(), source.world.next_fault

    def noticed(feed: str) -> str | None:
        asked.set()
        return original(feed)

    source.world.next_fault = noticed  # type: ignore[method-assign]
    killed = start_load(house)
    try:
        assert asked.wait(60), "nobody asked"
        assert house.all("select outcome, source, bytes from landing.batch") == [
            ("running", "${cnemc_air.url}", None)
        ]
    finally:
        killed.kill()
        killed.wait()
    source.world.clear_faults()
    assert pull(house).changed
    assert house.all("select outcome, error from landing.batch order by batch_id") == [
        ("aborted", ABORTED), ("loaded", None),
    ]  # fmt: skip


def start_load(house: FeedHouse) -> subprocess.Popen[bytes]:
    """`eco load` in a process of its own, which may be killed."""
    command = [sys.executable, "-m", "ecowarehouse.cli.app", "load", FEED]
    return subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_broken_side_of_ours_raises_and_is_closed_by_the_next(
    house: FeedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> store.KeptBytes:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(store, "keep", full)
        with pytest.raises(OSError, match="No space"):
            house.load("12:10", [row(so2=1)])
    assert house.one(NEWEST)[0] == "running"
    assert house.one("select count(*) from pg_locks where locktype = 'advisory'") == 0
    assert house.load("12:10", [row(so2=1)]).changed
    assert house.all("select outcome from landing.batch order by batch_id") == [("aborted",), ("loaded",)]


def test_one_lost_file_of_several_does_not_hide_behind_the_others(house: FeedHouse) -> None:
    paths = [str(house.write([row(so2=1)])), "/nowhere/to/be/found.csv", str(house.write([row(so2=2)]))]
    deliveries = fetch_paths(house.contract, paths)
    ended = load(
        house.conn,
        house.contract,
        deliveries,
        byte_store=house.settings.bytes_store,
        known_at_option=at("12:10"),
    )
    assert [batch.outcome for batch in ended] == ["loaded", "failed", "loaded"]
    assert ended[1].reason == "not_found"


def test_a_clock_far_ahead_of_ours_is_refused_and_the_bytes_are_kept(house: FeedHouse) -> None:
    run = house.load(DAY.replace(year=2099) + timedelta(hours=1), [row(so2=1)])
    assert [(b.outcome, b.reason) for b in run.batches] == [("failed", "known_at_implausible")]
    assert house.one(NEWEST)[3]
    assert not run.changed


def test_a_failed_step_is_told_and_leaves_the_sightings_waiting(
    house: FeedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecowarehouse.core import flags

    def broken(*_: object) -> int:
        raise psycopg.errors.DiskFull("no space")

    with monkeypatch.context() as patched:
        patched.setattr(flags, "judge", broken)
        with pytest.raises(psycopg.errors.DiskFull):
            house.load("12:10", [row(so2=1)])
    assert house.all("select kind, outcome, error from governance.step where kind = 'core'") == [
        ("core", "failed", "DiskFull: no space")
    ]
    assert house.one("select count(*) from core.series") == 0
    assert house.one(NEWEST) == ("loaded", None, 1, True, False)
    assert house.load("12:10", [row(so2=1)]).core.versions == 17, (
        "the waiting sighting is taken up by the next run"
    )
    assert house.sound()


def test_a_killed_step_is_closed_by_the_next_holder_of_its_lock(house: FeedHouse) -> None:
    for kind in ("core", "build"):
        house.admin.execute(
            "insert into governance.step (kind, subject, code_version) values (%s, %s, 'x')", [kind, FEED]
        )
    house.load("12:10", [row(so2=1)])
    steps = "select kind, outcome from governance.step where subject = %s order by step_id"
    assert house.all(steps, FEED) == [
        ("core", "aborted"), ("build", "running"), ("core", "done"),
    ]  # fmt: skip


def test_two_loads_of_one_feed_come_one_after_the_other(
    house: FeedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "LOCK_WAIT", "50ms")
    with (
        connect(application="the other", settings=house.settings) as other,
        ledger.lock(other, "core", FEED),
        pytest.raises(ledger.LockNotObtained, match=r"is held by eco the other \(pid \d+, since 20"),
    ):
        house.load("12:10", [row(so2=1)])
    assert house.one("select count(*) from landing.batch") == 0
    assert house.load("12:10", [row(so2=1)]).changed
