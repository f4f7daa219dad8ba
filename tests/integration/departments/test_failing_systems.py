"""Each system of the departments fails in each way it can: the right outcome, whose fault it is, and nothing lost."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from ecowarehouse import secrets
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.pipeline import run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from simulation.systems.running import Systems
from tests.integration.departments.lines import HttpLine, Line
from tests.integration.departments.outcomes import (
    ANSWERED,
    NOTHING_CAME,
    OURS,
    UNUSABLE,
    at_once,
    ends,
    first_asking,
    taken_for,
)

CONTRACTS = load_contracts(Settings.load().city)
ADDRESS = {
    "station_air_hourly": "ecology_air.url",  # pages of JSON behind a token
    "reservoir_hourly": "reservoir.url",  # WaterML for everybody
    "river_hourly": "water_resources.database",
    "noise_hourly": "noise.sftp",  # delimited text
    "radiation_dose_hourly": "radiation.sftp",  # EURDEP
}
HTTP = ("station_air_hourly", "reservoir_hourly")
FOLDERS = {"noise_hourly": ("noise", "*.csv"), "radiation_dose_hourly": ("radiation", "*.EUR")}
LOGIN = {
    "station_air_hourly": "ecology_air.token",
    **dict.fromkeys(FOLDERS, "sftp.password"),
}
NEWEST = (
    "select site_code, channel, period_start, value, value_text from ("
    " select distinct on (series_id, period_start) site_code, channel, period_start, value, value_text"
    " from core.observation inner join core.series using (series_id) where feed = %s"
    " order by series_id, period_start, known_at desc) as newest order by 1, 2, 3"
)

# What the ledger says of each failure, and what the books of completeness take the attempt for.
EXPECTED = {
    "down": dict.fromkeys(ADDRESS, ("failed", "connect_error", NOTHING_CAME)),
    "silent": dict.fromkeys(ADDRESS, ("failed", "timeout", NOTHING_CAME)),
    "half an answer": dict.fromkeys(ADDRESS, ("failed", "truncated", UNUSABLE)),
    "wrong login": dict.fromkeys(
        (feed for feed in ADDRESS if feed != "reservoir_hourly"), ("failed", "unauthorised", OURS)
    ),
    "schema changed": {
        **dict.fromkeys(ADDRESS, ("rejected", "header_changed", UNUSABLE)),
        "river_hourly": ("failed", "header_changed", UNUSABLE),
        "reservoir_hourly": ("rejected", "no_rows", UNUSABLE),  # each point is refused and says why
    },
    "clock off": {
        "station_air_hourly": ("failed", "known_at_implausible", UNUSABLE),
        "reservoir_hourly": ("rejected", "no_rows", UNUSABLE),
        "river_hourly": ("loaded", None, ANSWERED),  # one row of it, which is refused
        "noise_hourly": ("rejected", "no_rows", UNUSABLE),
        "radiation_dose_hourly": ("rejected", "no_rows", UNUSABLE),
    },
    "the same twice": {
        "station_air_hourly": ("failed", "inconsistent_pages", UNUSABLE),
        "reservoir_hourly": ("loaded", None, ANSWERED),
        "river_hourly": ("loaded", None, ANSWERED),
        "noise_hourly": ("unchanged", "same_bytes", ANSWERED),
        "radiation_dose_hourly": ("unchanged", "same_bytes", ANSWERED),
    },
    "gone back": {
        "station_air_hourly": ("loaded", "cursor_went_back", ANSWERED),
        "reservoir_hourly": ("loaded", None, ANSWERED),
        "river_hourly": ("loaded", "cursor_went_back", ANSWERED),
        "noise_hourly": ("unchanged", "same_bytes", ANSWERED),
        "radiation_dose_hourly": ("unchanged", "same_bytes", ANSWERED),
    },
}
DAYS = 4
CASES = [(failure, feed) for failure, feeds in EXPECTED.items() for feed in feeds]
STEPS = len(CASES) + 2


@dataclass
class Tried:
    """A house whose departments fail, moved on by an hour for each failure."""

    systems: Systems
    settings: Settings
    conn: psycopg.Connection[Any]
    lines: dict[str, Line]
    answers: HttpLine
    step: int = 0

    def hour(self) -> None:
        """An hour goes by, so that there is something to lose."""
        self.step += 1
        self.systems.at_step(self.step)

    def run(self, contract: Contract) -> list[tuple[str, str | None]]:
        """One run of a feed: how each delivery ended."""
        return ends(self.conn, self.settings, contract)

    def newest(self, feed: str) -> list[tuple[Any, ...]]:
        """The newest value of all that came."""
        return _newest(self.settings, feed)


def _newest(settings: Settings, feed: str) -> list[tuple[Any, ...]]:
    with connect(application="tests", admin=True, settings=settings) as admin:
        return admin.execute(NEWEST, [feed]).fetchall()


def _impatient(feed: str) -> Contract:
    """The city's contract with short waits, and with pages so small that there are several."""
    contract = at_once(CONTRACTS[feed])
    update: dict[str, Any] = {"timeout_seconds": 1.0, "total_seconds": 8.0, "retries": 0}
    if feed == "station_air_hourly":
        update["paging"] = contract.connector.paging.model_copy(update={"size": 400})
    return contract.model_copy(update={"connector": contract.connector.model_copy(update=update)})


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory, eco_home: Path) -> Iterator[Systems]:
    made = Systems.of_seed(1, tmp_path_factory.mktemp("failing"), 0, STEPS, days=DAYS)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tried(systems: Systems, module_deployed: Settings) -> Iterator[Tried]:
    """All feeds have delivered once, through lines that let everything through."""
    secrets.put(module_deployed.secrets_file, systems.addresses)
    port = {feed: urlsplit(systems.addresses[name]).port or 0 for feed, name in ADDRESS.items()}
    with ExitStack() as closes:
        lines = {feed: Line(number) for feed, number in port.items()}
        answers = HttpLine(f"http://127.0.0.1:{port['station_air_hourly']}")
        for line in (*lines.values(), answers):
            closes.callback(line.close)
        conn = closes.enter_context(closing(connect(application="tests", settings=module_deployed)))
        made = Tried(systems, module_deployed, conn, lines, answers)
        for feed, line in lines.items():
            with pytest.MonkeyPatch.context() as addresses:
                _lead(addresses, made, feed, line.port)
                made.run(_impatient(feed))
        yield made


# --- the failures: each is a contract to run while it lasts ---

Spoiling = Iterator[Contract]
Addresses = pytest.MonkeyPatch
Failure = Callable[[Tried, str, Contract, Addresses], AbstractContextManager[Contract]]


def _set(addresses: Addresses, name: str, value: str) -> None:
    addresses.setenv(f"ECO_SECRET_{name.replace('.', '_').upper()}", value)


def _lead(addresses: Addresses, tried: Tried, feed: str, port: int) -> None:
    """The feed asks at another port of this machine."""
    address = tried.systems.addresses[ADDRESS[feed]]
    _set(addresses, ADDRESS[feed], re.sub(r":\d+/", f":{port}/", address, count=1))


@contextmanager
def _down(tried: Tried, feed: str, contract: Contract, addresses: Addresses) -> Spoiling:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        _lead(addresses, tried, feed, free.getsockname()[1])
    yield contract


@contextmanager
def _silent(tried: Tried, feed: str, contract: Contract, addresses: Addresses) -> Spoiling:
    tried.lines[feed].most = 0
    yield contract
    tried.lines[feed].most = None


@contextmanager
def _half(tried: Tried, feed: str, contract: Contract, addresses: Addresses) -> Spoiling:
    """The line breaks in the middle of what is told."""
    line = tried.lines[feed]
    if feed in FOLDERS:
        folder, pattern = FOLDERS[feed]
        files = list(tried.systems.sent(folder).glob(pattern))
        for path in files:
            path.touch()  # all of them are to be had again
        line.most = sum(path.stat().st_size for path in files) // 2
    elif feed in HTTP:
        line.most = 2000
    else:
        with closing(tried.systems.owner("water_resources")) as owner:
            newest = owner.execute("select stcd from st_river_r order by moditime desc, stcd desc limit 1")
            line.last = str(newest.fetchone()[0]).encode()
    yield contract
    line.most = line.last = None


@contextmanager
def _wrong_login(tried: Tried, feed: str, contract: Contract, addresses: Addresses) -> Spoiling:
    if feed in LOGIN:
        _set(addresses, LOGIN[feed], "expired")
    else:
        address = tried.systems.addresses[ADDRESS[feed]]
        _set(addresses, ADDRESS[feed], re.sub(r"(//\w+:)[^@]+@", r"\1expired@", address))
    yield contract


@contextmanager
def _in_folder(tried: Tried, feed: str, spoil: Callable[[Path], None]) -> Iterator[None]:
    """The newest file is spoiled, and afterwards put down again."""
    folder, pattern = FOLDERS[feed]
    newest = max(tried.systems.sent(folder).glob(pattern))
    content = newest.read_bytes()
    spoil(newest)
    yield
    for path in newest.parent.glob("copy-*"):
        path.unlink()
    newest.write_bytes(content)


@contextmanager
def _in_answer(
    tried: Tried, feed: str, addresses: Addresses, spoil: Callable[[str, bytes], bytes]
) -> Iterator[None]:
    """Answers over HTTP are spoiled."""
    _lead(addresses, tried, feed, tried.answers.port)
    tried.answers.spoil = spoil
    yield
    tried.answers.spoil = lambda _, body: body


@contextmanager
def _in_database(tried: Tried, spoil: str, mend: str) -> Iterator[None]:
    """A table of the water resources bureau is spoiled by one statement, and mended by another."""
    with closing(tried.systems.owner("water_resources")) as owner:
        owner.execute(spoil)
        yield
        owner.execute(mend)


def _replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def replace(content: bytes) -> bytes:
        assert old in content, content[:500]
        return content.replace(old, new)

    return replace


def _by_content(changes: dict[str, Callable[[bytes], bytes]], spoil: str, mend: str) -> Failure:
    """A failure of what is said: another content of answers and files, another state of the database."""

    @contextmanager
    def failure(tried: Tried, feed: str, contract: Contract, addresses: Addresses) -> Spoiling:
        if feed in HTTP:
            holds = _in_answer(tried, feed, addresses, lambda _, body: changes[feed](body))
        elif feed in FOLDERS:
            holds = _in_folder(tried, feed, lambda path: _rewrite(path, changes[feed]))
        else:
            holds = _in_database(tried, spoil, mend)
        with holds:
            yield contract

    return failure


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


_schema_changed = _by_content(
    {
        "station_air_hourly": _replaced(b'"PM10"', b'"PM_10"'),
        "reservoir_hourly": _replaced(b"wml2:value", b"wml2:amount"),
        "noise_hourly": _replaced(b"LAeq", b"Leq"),
        "radiation_dose_hourly": _replaced(b"LOCALITY_CODE", b"LOCALITY_NUMBER"),
    },
    "alter table st_river_r rename column z to water_level",
    "alter table st_river_r rename column water_level to z",
)

_clock_off = _by_content(
    {
        "station_air_hourly": _replaced(b'"generatedAt":"2026', b'"generatedAt":"2027'),
        "reservoir_hourly": _replaced(b"2026-", b"2027-"),
        "noise_hourly": _replaced(b"2026/", b"2027/"),
        "radiation_dose_hourly": _replaced(b"2026", b"2027"),
    },
    "insert into st_river_r (stcd, tm, z, moditime)"
    " select stcd, tm + interval '1 year', z, moditime + interval '1 year'"
    " from st_river_r order by moditime desc limit 1",
    "delete from st_river_r where tm > timestamp '2027-01-01'",
)


@contextmanager
def _the_same_twice(tried: Tried, feed: str, contract: Contract, addresses: Addresses) -> Spoiling:
    """A page again, a row again, a file again under another name."""
    if feed == "station_air_hourly":
        _lead(addresses, tried, feed, tried.answers.port)
        tried.answers.ask = lambda path: path.replace("page=2", "page=1")
        yield contract
        tried.answers.ask = lambda path: path
    elif feed == "reservoir_hourly":
        with _in_answer(tried, feed, addresses, lambda _, body: _point_twice(body)):
            yield contract
    elif feed == "river_hourly":
        query = contract.connector.query
        doubled = (
            f"select * from ({query}) as once union all select * from ({query}) as again order by 5, 1, 2"
        )
        yield contract.model_copy(
            update={"connector": contract.connector.model_copy(update={"query": doubled})}
        )
    else:
        with _in_folder(
            tried, feed, lambda path: path.with_name(f"copy-{path.name}").write_bytes(path.read_bytes())
        ):
            yield contract


def _point_twice(document: bytes) -> bytes:
    found = re.search(rb"<wml2:point>.*?</wml2:point>", document, re.DOTALL)
    assert found, document[:500]
    return document.replace(found[0], found[0] * 2, 1)


@contextmanager
def _gone_back(tried: Tried, feed: str, contract: Contract, addresses: Addresses) -> Spoiling:
    """The system was restored from a copy of days ago: what it had told is not there any more."""
    if feed in HTTP:
        with _in_answer(tried, feed, addresses, _of_days_ago):
            yield contract
    elif feed in FOLDERS:
        with _in_folder(tried, feed, lambda path: path.write_bytes(min(path.parent.iterdir()).read_bytes())):
            yield contract
    else:
        newest = "(select max(moditime) - interval '4 days' from st_river_r)"
        with _in_database(
            tried,
            f"create table kept as select * from st_river_r where moditime > {newest};"
            f" delete from st_river_r where moditime > {newest}",
            "insert into st_river_r select * from kept; drop table kept",
        ):
            yield contract


def _of_days_ago(asked: str, body: bytes) -> bytes:
    """Without the last four days."""
    if not body.lstrip().startswith(b"{"):
        return re.sub(
            rb"<wml2:point>((?!</wml2:point>).)*</wml2:point>\s*(?=</wml2:Meas)", b"", body, flags=re.DOTALL
        )
    content = json.loads(body)
    content["items"] = [] if "since=" in asked else content["items"][:100]
    content.update(total=len(content["items"]), nextPage=None)
    return json.dumps(content, ensure_ascii=False).encode()


FAILURES: dict[str, Failure] = {
    "down": _down,
    "silent": _silent,
    "half an answer": _half,
    "wrong login": _wrong_login,
    "schema changed": _schema_changed,
    "clock off": _clock_off,
    "the same twice": _the_same_twice,
    "gone back": _gone_back,
}


@pytest.mark.parametrize(("failure", "feed"), CASES)
def test_a_failure_is_told_harms_nothing_and_is_made_good(
    tried: Tried, failure: str, feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, reason, answer = EXPECTED[failure][feed]
    contract = _impatient(feed)
    _lead(monkeypatch, tried, feed, tried.lines[feed].port)
    tried.hour()
    before = tried.newest(feed)
    with monkeypatch.context() as addresses, FAILURES[failure](tried, feed, contract, addresses) as spoiled:
        ends = tried.run(spoiled)
    assert ends[-1] == (outcome, reason), ends
    assert taken_for(tried.settings, feed) == answer
    if "loaded" not in {ended for ended, _ in ends}:
        assert tried.newest(feed) == before
    assert tried.run(contract)[-1][0] in ("loaded", "unchanged")
    assert {row[:3] for row in before} <= {row[:3] for row in tried.newest(feed)}


def test_after_all_of_it_the_house_knows_what_one_knows_that_asks_for_the_first_time(
    tried: Tried, deployed_template: str
) -> None:
    with first_asking(deployed_template) as (settings, conn):
        for feed in ADDRESS:
            run_feed(tried.conn, tried.settings, _impatient(feed))
            run_feed(conn, settings, _impatient(feed))
            held = {row[:3]: row[3:] for row in _newest(tried.settings, feed)}
            told = {row[:3]: row[3:] for row in _newest(settings, feed)}
            assert told, feed
            assert not {key for key in held if key[2].year > 2026}, "of a clock that was off"
            assert {key: held.get(key) for key in told} == told, feed
            assert not recompute.check(tried.conn, CONTRACTS[feed])
