"""A department's real PostgreSQL, asked by a login that can only read: what comes, and how it can fail."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse.connectors import FetchProblem, asking, fetch
from ecowarehouse.contracts import Contract
from ecowarehouse.postgres.connection import connect, endpoint
from ecowarehouse.settings import Settings
from tests.integration.department_house import (
    NEVER_SHOWN,
    assert_no_secret,
    department,
    ends,
    temperatures,
    weather_by,
)
from tests.integration.feed_house import FeedHouse

COLUMNS = (
    "station_id, station_name, township, lon, lat, observed as time, temperature, humidity, pressure, wind_speed,"
    " wind_direction, precipitation"
)
QUERY = f"select {COLUMNS} from weather where observed >= :since order by station_id, observed"
UPDATED = (
    f"select {COLUMNS}, updated_at from weather where updated_at >= :since order by station_id, observed"
)
DROP = {"transport": "drop"}
BY_PERIOD = {"look_back": "PT6H"}
BY_COLUMN = {"from": "column", "column": "updated_at", "look_back": "PT1H"}
_OWNED = "department_source"
Secrets = Callable[[str], str]


@pytest.fixture(scope="module")
def source(eco_home: Path) -> Iterator[psycopg.Connection[Any]]:
    """The department's database, as its owner."""
    with connect(application="tests", admin=True, autocommit=True, database="postgres") as server:
        server.execute(f"create database {_OWNED}")
        server.execute(f"create role department_reader login password '{NEVER_SHOWN}'")
    with connect(application="owner", admin=True, autocommit=True, database=_OWNED) as owner:
        owner.execute(
            "create table weather (station_id text, station_name text, township text, lon numeric, lat numeric,"
            " observed timestamptz, temperature numeric(5, 2), humidity integer, pressure numeric, wind_speed real,"
            " wind_direction integer, precipitation double precision, updated_at timestamp)"
        )
        owner.execute("grant select on weather to department_reader")
        yield owner
    with connect(application="tests", admin=True, autocommit=True, database="postgres") as server:
        server.execute(f"drop database {_OWNED} with (force)")
        server.execute("drop role department_reader")


@pytest.fixture
def url(source: psycopg.Connection[Any]) -> str:
    where = endpoint(Settings.load()).parameters
    source.execute("truncate weather")
    return f"postgresql://department_reader:{NEVER_SHOWN}@{where['host']}:{where['port']}/{_OWNED}"


@pytest.fixture
def house(
    deployed: Settings, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FeedHouse]:
    monkeypatch.setenv("ECO_SECRET_DEPARTMENT_URL", url)
    with department(deployed, tmp_path, by_sql()) as made:
        yield made


def by_sql(query: str = QUERY, cursor: dict[str, str] | None = BY_PERIOD, **changes: Any) -> Contract:
    connector = {"transport": "sql", "url": "${department.url}", "query": query, **changes}
    return weather_by(connector if cursor is None else {**connector, "cursor": cursor})


def with_update() -> Contract:
    connector = {"transport": "sql", "url": "${department.url}", "query": UPDATED, "cursor": BY_COLUMN}
    return weather_by(connector, header=[*weather_by(DROP).header, "updated_at"])


def observed(
    source: psycopg.Connection[Any], hour: int, temperature: str | None, updated: str = "08:00"
) -> None:
    source.execute(
        "insert into weather values ('W1', '站', E'a \"b\"\\nc', 110.10, 23.4, %s, %s, 80, 1001.20, 2.1, 90, 0.1, %s)",
        [f"2026-03-01T{hour:02}:00:00+08:00", temperature, f"2026-03-01 {updated}"],
    )


def test_cells_are_as_the_database_writes_them(source: psycopg.Connection[Any], url: str) -> None:
    observed(source, 8, "1.50")
    observed(source, 9, None)
    contract = by_sql(null_text="null")
    payloads = [
        [
            one.payload.read_bytes()
            for one in fetch(contract, resolve=lambda _: url)
            if isinstance(one.payload, Path)
        ]
        for _ in range(2)
    ]
    assert payloads[0] == payloads[1]
    start = 'W1,站,"a ""b""\nc",110.10,23.4,2026-03-01T'
    assert payloads[0][0].decode().split("\n", 1)[1] == (
        f"{start}08:00:00+08:00,1.50,80,1001.20,2.1,90,0.1\n{start}09:00:00+08:00,null,80,1001.20,2.1,90,0.1\n"
    )


def test_rows_come_once_and_revised_ones_again(house: FeedHouse, source: psycopg.Connection[Any]) -> None:
    observed(source, 8, "1.50")
    assert ends(house) == [("loaded", None, 1)]
    assert ends(house) == [("unchanged", "same_bytes", 1)]
    observed(source, 9, "2.50")
    source.execute("update weather set temperature = 1.75 where temperature = 1.5")
    assert ends(house) == [("loaded", None, 2)]
    assert temperatures(house) == [("W1", 8, "1.75"), ("W1", 9, "2.50")]


def test_a_source_behind_the_cursor_is_told_and_asked_for_everything(
    house: FeedHouse, source: psycopg.Connection[Any]
) -> None:
    house.contract = with_update()
    observed(source, 8, "1.50", "08:00")
    observed(source, 20, "2.50", "20:00")
    assert ends(house) == [("loaded", None, 2)]
    source.execute("truncate weather")  # restored from yesterday, and written again under old stamps
    observed(source, 8, "1.50", "08:00")
    observed(source, 9, "3.50", "08:10")
    assert ends(house) == [("loaded", "cursor_went_back", 2)]
    assert ("W1", 9, "3.50") in temperatures(house)
    observed(source, 10, "4.50", "08:20")
    assert ends(house) == [("loaded", None, 3)]


def test_a_stamp_of_a_clock_that_is_ahead_hides_nothing(
    house: FeedHouse, source: psycopg.Connection[Any]
) -> None:
    house.contract = with_update()
    observed(source, 8, "1.50")
    source.execute("update weather set updated_at = '2999-01-01'")
    assert ends(house) == [("loaded", None, 1)]
    observed(source, 9, "2.50")
    source.execute(
        "update weather set updated_at = now() at time zone 'Asia/Shanghai' where updated_at < '2990-01-01'"
    )
    assert ends(house) == [("loaded", None, 2)]


def test_the_session_cannot_write(house: FeedHouse, source: psycopg.Connection[Any]) -> None:
    source.execute("create function sneak() returns int language sql security definer as"
                   " $$ insert into weather (station_id) values ('x'); select 1 $$")  # fmt: skip
    house.contract = by_sql("select sneak() order by 1", None)
    [(outcome, reason, _)] = ends(house)
    assert (outcome, reason) == ("failed", "query_failed")
    assert source.execute("select count(*) from weather").fetchone() == (0,)


DYING = QUERY.replace(
    "from weather",
    "from (select w.* from weather w, generate_series(1, 6000) n"
    " where case when n = 5000 then pg_terminate_backend(pg_backend_pid()) else true end) weather",
).replace("order by station_id, observed", "/* order by: as they come */")


SLOW = QUERY.replace("where", "where pg_sleep(9) is not null and")


def _faults(url: str) -> dict[str, tuple[str, Contract, str]]:
    rename = by_sql(QUERY.replace("temperature,", "t_air as temperature,"))
    return {
        "wrong login": (url.replace(NEVER_SHOWN, "another-" + NEVER_SHOWN), by_sql(), "unauthorised"),
        "no right": (url, by_sql("select * from pg_authid where :since is not null order by 1"), "unauthorised"),
        "column gone": (url, rename, "header_changed"),
        "table gone": (url, by_sql(QUERY.replace("from weather", "from rain")), "header_changed"),
        "slow": (url, by_sql(SLOW, timeout_seconds=0.3), "timeout"),
        "half an answer": (url, by_sql(DYING), "truncated"),
        "no such database": (url + "x", by_sql(), "connect_error"),
        "no address": ("nothing://x/y", by_sql(), "connect_error"),
    }  # fmt: skip


def test_every_fault_is_told_and_the_next_pull_loads(
    house: FeedHouse,
    source: psycopg.Connection[Any],
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    good = house.contract
    for hour, (fault, (address, contract, reason)) in enumerate(_faults(url).items(), start=1):
        observed(source, hour, f"{hour}.50")
        before = temperatures(house)
        monkeypatch.setenv("ECO_SECRET_DEPARTMENT_URL", address)
        house.contract = contract
        assert (fault, ends(house)) == (fault, [("failed", reason, 0)])
        assert temperatures(house) == before
        monkeypatch.setenv("ECO_SECRET_DEPARTMENT_URL", url)
        house.contract = good
        assert [outcome for outcome, _, _ in ends(house)] == ["loaded"]
        assert temperatures(house) == [*before, ("W1", hour, f"{hour}.50")]
    assert_no_secret(house, caplog.text, NEVER_SHOWN)


def test_a_renamed_column_of_the_answer_is_a_changed_header(
    house: FeedHouse, source: psycopg.Connection[Any]
) -> None:
    observed(source, 8, "1.50")
    assert "12 columns, as the contract says" in asking.ask(house.contract)
    house.contract = by_sql(QUERY.replace("humidity", "humidity as rh"))
    with pytest.raises(FetchProblem, match=r"header_changed.*rh"):
        asking.ask(house.contract)
    assert ends(house) == [("rejected", "header_changed", 0)]


def test_a_database_that_is_down_is_told(house: FeedHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("ECO_SECRET_DEPARTMENT_URL", f"postgresql://a:b@127.0.0.1:{port}/x")
    assert ends(house) == [("failed", "connect_error", 0)]


def test_a_server_that_falls_silent_is_not_waited_for(
    house: FeedHouse, source: psycopg.Connection[Any], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = url.rpartition("@")[2]
    host, _, port = where.partition("/")[0].partition(":")
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(
            target=_forward_until_asked, args=(listener, (host, int(port))), daemon=True
        )
        thread.start()
        through = url.replace(f"{host}:{port}", f"127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("ECO_SECRET_DEPARTMENT_URL", f"{through}?sslmode=disable&gssencmode=disable")
        house.contract = by_sql(total_seconds=1)
        assert ends(house) == [("failed", "timeout", 0)]


def _forward_until_asked(listener: socket.socket, server: tuple[str, int]) -> None:
    """A line to the server that swallows everything from the first cursor on."""
    here, _ = listener.accept()
    with here, socket.create_connection(server) as there:

        def back() -> None:
            with suppress(OSError):  # the end of the test closes both
                while chunk := there.recv(65536):
                    here.sendall(chunk)

        threading.Thread(target=back, daemon=True).start()
        while chunk := here.recv(65536):
            if b"DECLARE" not in chunk.upper():
                there.sendall(chunk)
