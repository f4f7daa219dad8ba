"""HTTP over a real socket against the stand-in: every reason for failure, and no secret anywhere."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ecowarehouse import formats
from ecowarehouse.connectors import Cursor, Delivery, FetchProblem, Validators, fetch, known_at
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.formats import FormatProblem
from ecowarehouse.landing.check import check
from ecowarehouse.secrets import SecretError
from simulation import server as stand_in

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = load_contracts(ROOT / "city")
TOKEN = "t0ken-that-must-not-show"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[stand_in.Server]:
    server = stand_in.build(tmp_path / "state", seed=7)
    server.start()
    yield server
    server.stop()


def tuned(feed: str, **changes: Any) -> Contract:
    """A contract with a connector that gives up sooner."""
    contract = CONTRACTS[feed]
    values = {"timeout_seconds": 1.0, "total_seconds": 20.0, "retries": 1, **changes}
    return contract.model_copy(update={"connector": contract.connector.model_copy(update=values)})


def resolver(server: stand_in.Server, token: str | None = None) -> Callable[[str], str]:
    values = {
        "cnemc_air.url": f"{server.url}/air/feed",
        "weather.url": f"{server.url}/weather/observations",
        "weather.token": token or server.world.weather_token,
    }
    return values.__getitem__


def one(contract: Contract, resolve: Callable[[str], str], cursor: Cursor | None = None) -> Delivery:
    (delivery,) = fetch(contract, cursor=cursor, resolve=resolve)
    return delivery


def bytes_of(delivery: Delivery) -> bytes:
    assert delivery.problem is None, delivery.problem
    assert isinstance(delivery.payload, bytes)
    return delivery.payload


def test_the_feed_comes_with_what_the_source_says_of_it(source: stand_in.Server) -> None:
    contract = CONTRACTS["cnemc_air_hourly"]
    delivery = one(contract, resolver(source))
    moment, rule = known_at(contract, delivery)
    assert (moment, rule) == (source.world.clock.astimezone(UTC), "header")
    assert (delivery.form, delivery.synthetic, delivery.source) == ("xml", True, f"{source.url}/air/feed")
    received = formats.read_table(contract, "xml", bytes_of(delivery))
    found = check(contract, received.table, known_at=moment)
    assert (len(found.table), received.rejects, found.rejects) == (60, [], [])


@pytest.mark.parametrize("by", ["etag", "last_modified"])
def test_nothing_new_is_unchanged(source: stand_in.Server, by: str) -> None:
    contract = CONTRACTS["cnemc_air_hourly"]
    first = one(contract, resolver(source))
    validators = Validators(first.etag) if by == "etag" else Validators(None, source.world.clock)
    again = one(contract, resolver(source), Cursor(None, validators))
    assert again.unchanged
    assert again.problem is None
    source.world.advance()
    assert not one(contract, resolver(source), Cursor(None, validators)).unchanged


@pytest.mark.parametrize(
    ("fault", "reason", "asked"),
    [
        ("500", "http_500", 2),
        ("502", "http_502", 2),
        ("429", "http_429", 2),
        ("404", "http_404", 1),
        ("400", "http_400", 1),
        ("401", "unauthorised", 1),
        ("timeout", "timeout", 2),
        ("truncated", "truncated", 2),
        ("html", "html_instead_of_data", 1),
        ("empty", "empty_body", 2),
    ],
)
def test_every_failure_has_its_reason(source: stand_in.Server, fault: str, reason: str, asked: int) -> None:
    source.world.plan_fault("air", fault, 5)
    delivery = one(tuned("cnemc_air_hourly"), resolver(source))
    assert delivery.problem is not None
    assert delivery.problem.reason == reason
    assert source.world.requests == asked


@pytest.mark.parametrize("fault", ["500", "429", "timeout", "truncated", "empty"])
def test_a_passing_fault_is_overcome(source: stand_in.Server, fault: str) -> None:
    source.world.plan_fault("air", fault, 1)
    started = time.monotonic()
    assert bytes_of(one(tuned("cnemc_air_hourly"), resolver(source)))
    if fault == "429":
        assert time.monotonic() - started >= 1  # Retry-After


@pytest.mark.parametrize(("fault", "reason"), [("cut", "truncated"), ("header", "header_changed")])
def test_damage_inside_is_found_by_the_reader(source: stand_in.Server, fault: str, reason: str) -> None:
    source.world.plan_fault("air", fault, 1)
    contract = CONTRACTS["cnemc_air_hourly"]
    body = bytes_of(one(contract, resolver(source)))
    with pytest.raises(FormatProblem) as problem:
        formats.read_table(contract, "xml", body)
    assert problem.value.reason == reason


def test_a_slow_source_is_heard_out_but_not_for_ever(source: stand_in.Server) -> None:
    source.world.plan_fault("air", "slow", 2)
    assert bytes_of(one(tuned("cnemc_air_hourly"), resolver(source)))
    started = time.monotonic()
    delivery = one(tuned("cnemc_air_hourly", total_seconds=0.5), resolver(source))
    assert delivery.problem is not None
    assert delivery.problem.reason == "timeout"
    assert time.monotonic() - started < 3


def test_nobody_there() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/air/feed"
    delivery = one(tuned("cnemc_air_hourly"), {"cnemc_air.url": url}.__getitem__)
    assert delivery.problem is not None
    assert delivery.problem.reason == "connect_error"


def test_tls_is_verified(source: stand_in.Server) -> None:
    url = source.url.replace("http:", "https:") + "/air/feed"
    delivery = one(tuned("cnemc_air_hourly"), {"cnemc_air.url": url}.__getitem__)
    assert delivery.problem is not None
    assert delivery.problem.reason == "tls_error"


def test_a_missing_secret_is_named() -> None:
    def missing(name: str) -> str:
        raise SecretError(f"secret {name!r} is not set")

    delivery = one(CONTRACTS["cnemc_air_hourly"], missing)
    assert delivery.problem is not None
    assert delivery.problem.reason == "secret_missing"


def test_pages_become_one_content(source: stand_in.Server) -> None:
    contract = CONTRACTS["weather_hourly"]
    delivery = one(contract, resolver(source))
    assert known_at(contract, delivery) == (source.world.clock.astimezone(UTC), "content")
    received = formats.read_table(contract, "json", bytes_of(delivery))
    found = check(contract, received.table, known_at=source.world.clock)
    assert (len(found.table), found.rejects) == (73 * 5, [])
    assert source.world.requests == 2


def test_the_cursor_asks_for_what_may_have_been_revised(source: stand_in.Server) -> None:
    newest = source.world.clock.replace(minute=0)
    delivery = one(CONTRACTS["weather_hourly"], resolver(source), Cursor(newest))
    items = json.loads(bytes_of(delivery))["items"]
    assert min(item["time"] for item in items) == (newest - timedelta(hours=6)).isoformat()


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (["slow", "duplicate_page"], "inconsistent_pages"),
        (["slow", "changing_total"], "inconsistent_pages"),
        (["changing_total", "changing_total"], "truncated"),
        (["cut"], "truncated"),
        (["401"], "unauthorised"),
    ],
)
def test_pages_that_do_not_fit(source: stand_in.Server, faults: list[str], reason: str) -> None:
    for fault in faults:
        source.world.plan_fault("weather", fault, 1)
    delivery = one(tuned("weather_hourly", timeout_seconds=5.0), resolver(source))
    assert delivery.problem is not None
    assert delivery.problem.reason == reason


@contextmanager
def answering(*bodies: bytes) -> Iterator[Callable[[str], str]]:
    """A source of weather that gives these answers one after the other, then the last again."""
    waiting = list(bodies)

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        values = {"weather.url": f"http://127.0.0.1:{server.server_address[1]}/", "weather.token": TOKEN}
        yield values.__getitem__
        server.shutdown()


def page(stations: str, following: int | None = None, total: int = 6) -> bytes:
    """A page with an item for each letter."""
    items = [{"station_id": station} for station in stations]
    return json.dumps({"total": total, "items": items, "next_page": following}).encode()


def stations_of(delivery: Delivery) -> str:
    return "".join(item["station_id"] for item in json.loads(bytes_of(delivery))["items"])


def test_half_a_character_on_a_page_reaches_the_reader_as_in_a_file() -> None:
    with answering(page("\ud800", total=1)) as resolve:
        delivery = one(tuned("weather_hourly"), resolve)
    assert bytes_of(delivery) == b'{"total": "1", "items": [{"station_id": "\\ud800"}]}'


def test_a_next_page_does_not_go_back() -> None:
    with answering(page("abc", 2), page("def", 1)) as resolve:
        delivery = one(tuned("weather_hourly"), resolve)
    assert delivery.problem is not None
    assert (delivery.problem.reason, delivery.problem.detail) == (
        "inconsistent_pages",
        "page 1 is said to follow page 2",
    )


def test_a_row_that_slid_from_page_to_page_is_no_answer() -> None:
    # What stood on page 2 when page 1 was read stands on page 1 now, and was never seen.
    with answering(page("abc", 2), page("cef"), page("abd", 2), page("dcf")) as resolve:
        delivery = one(tuned("weather_hourly"), resolve)
    assert delivery.problem is not None
    assert delivery.problem.reason == "inconsistent_pages"
    with answering(page("abc", 2), page("cef"), page("abc", 2), page("def")) as resolve:
        delivery = one(tuned("weather_hourly"), resolve)
    assert (stations_of(delivery), delivery.note) == ("abcdef", None)


def test_a_source_that_keeps_saying_a_row_twice_is_taken_and_told() -> None:
    with answering(page("abc", 2), page("cef"), page("abc", 2), page("cef")) as resolve:
        delivery = one(tuned("weather_hourly"), resolve)
    assert (stations_of(delivery), delivery.note) == ("abccef", "row_on_two_pages")
    with answering(page("aab", 2), page("cde")) as resolve:
        assert one(tuned("weather_hourly"), resolve).note is None


def test_no_secret_shows(source: stand_in.Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    values = {
        "weather.url": source.url.replace("http://", f"http://user:{TOKEN}@")
        + f"/weather/observations?key={TOKEN}",
        "weather.token": TOKEN,
    }
    for fault in ("500", "timeout", "truncated", "html", "401"):
        source.world.plan_fault("weather", fault, 2)
        delivery = one(tuned("weather_hourly", retries=1), values.__getitem__)
        source.world.clear_faults()
        assert delivery.problem is not None
        assert TOKEN not in repr(delivery)
        assert TOKEN not in str(delivery.problem)
    ours = [record.getMessage() for record in caplog.records]
    assert not [line for line in ours if TOKEN in line]


def test_a_secret_inside_an_address_stays_a_name(source: stand_in.Server) -> None:
    contract = tuned("cnemc_air_hourly", url=source.url + "/air/${cnemc_air.key}/feed")
    delivery = one(contract, {"cnemc_air.key": TOKEN}.__getitem__)
    assert delivery.source == f"{source.url}/air/cnemc_air.key/feed"
    assert delivery.problem is not None
    assert TOKEN not in repr(delivery)


def test_a_redirect_is_not_followed_with_our_token() -> None:
    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirect) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        delivery = one(tuned("cnemc_air_hourly"), {"cnemc_air.url": url}.__getitem__)
        server.shutdown()
    assert delivery.problem is not None
    assert delivery.problem.reason == "http_302"


def test_a_clock_ahead_of_ours_is_refused(source: stand_in.Server) -> None:
    ahead = source.world.set_clock(datetime.now(UTC) + timedelta(days=30))
    source.world.pulls[-1] = source.world.pulls[-1].__class__(ahead, "future", b"<x/>", (), synthetic=True)
    contract = CONTRACTS["cnemc_air_hourly"]
    with pytest.raises(FetchProblem) as problem:
        known_at(contract, one(contract, resolver(source)))
    assert problem.value.reason == "known_at_implausible"


@pytest.mark.shared
def test_the_real_pulls_come_in_order(shared: Path, tmp_path: Path) -> None:
    server = stand_in.build(tmp_path / "state", data=shared / "data")
    server.start()
    contract = CONTRACTS["cnemc_air_hourly"]
    seen = []
    try:
        while True:
            delivery = one(contract, resolver(server))
            moment, _ = known_at(contract, delivery)
            received = formats.read_table(contract, "xml", bytes_of(delivery))
            found = check(contract, received.table, known_at=moment)
            assert (delivery.synthetic, received.rejects, found.rejects) == (False, [], [])
            seen.append((f"{moment.astimezone(contract.period.zone):%H:%M}", len(found.table), found.partial))
            if server.world.advance() is None:
                break
    finally:
        server.stop()
    assert seen == [
        ("13:04", 1499, False), ("13:39", 1499, False), ("14:26", 1476, True),
        ("14:50", 1499, False), ("16:26", 1474, True), ("16:29", 1499, False),
    ]  # fmt: skip
