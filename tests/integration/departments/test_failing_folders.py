"""Files laid into a drop folder fail in each way they can: the right outcome, whose fault it is, and nothing lost."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from simulation.city.city import City
from simulation.systems.folders import DROPS
from simulation.systems.moments import moment_of
from simulation.systems.running import FIRST_DAY
from simulation.systems.state import Now
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

CITY = load_contracts(Settings.load().city)
FOLDERS = {
    "tap_water": "tap_water",  # a workbook of samples
    "groundwater_quality": "groundwater",  # CSV of samples
    "land_use": "land_use",  # GeoPackage, a register by rows
    "red_line": "red_line",  # GeoJSON, a register that is always whole
}
SAMPLES = ("tap_water", "groundwater_quality")
DAY = "采样日期"
FIRST_HEADING = {
    "tap_water": "样品编号",
    "groundwater_quality": "统一编号",
    "land_use": "BSM",
    "red_line": "HXBM",
}
_SAMPLES = (
    "select site_code, channel, period_start, value, value_text, qualifier from core.observation_current"
    " inner join core.series using (series_id) where feed = %s order by 1, 2, 3"
)
_SPANS = "select code, valid_from::text, content::text from core.entity_current where feed = %s order by 1, 2"
_TODAY = (
    "select code, content::text from core.entity_current"
    " where feed = %s and current_date between valid_from and valid_to order by 1"
)
NEWEST = dict.fromkeys(SAMPLES, _SAMPLES) | {"land_use": _SPANS, "red_line": _TODAY}

EXPECTED: dict[str, dict[str, tuple[str, str | None, str]]] = {
    "no such folder": dict.fromkeys(FOLDERS, ("failed", "unreadable", OURS)),
    "still being written": dict.fromkeys(FOLDERS, ("failed", "unfinished", NOTHING_CAME)),
    "cut": dict.fromkeys(FOLDERS, ("rejected", "truncated", UNUSABLE)),
    "empty": dict.fromkeys(FOLDERS, ("failed", "empty_body", UNUSABLE)),
    "another form": dict.fromkeys(FOLDERS, ("rejected", "not_the_format", UNUSABLE)),
    "schema changed": dict.fromkeys(FOLDERS, ("rejected", "header_changed", UNUSABLE)),
    "clock off": dict.fromkeys(SAMPLES, ("rejected", "no_rows", UNUSABLE)),
    "the same twice": dict.fromkeys(FOLDERS, ("unchanged", "same_bytes", ANSWERED)),
    "gone back": dict.fromkeys(FOLDERS, ("unchanged", "same_bytes", ANSWERED)),
}
CASES = [(failure, feed) for failure, feeds in EXPECTED.items() for feed in feeds]


class _Shown(Now):
    """The department's table up to some row, or with something wrong in it."""

    def __init__(self, now: Now, change: Callable[[pa.Table], pa.Table]) -> None:
        super().__init__(now.city, now.at)
        self._change = change

    def rows(
        self, feed: str, since: datetime | None = None, changed_after: datetime | None = None
    ) -> pa.Table:
        return self._change(super().rows(feed, since, changed_after))


@dataclass
class Tried:
    """A house with the drop folders of four feeds, and the departments that fill them."""

    now: Now
    settings: Settings
    conn: psycopg.Connection[Any]
    root: Path
    step: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FOLDERS, 0))
    first: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def folder(self, feed: str) -> Path:
        return self.root / feed

    def document(self, feed: str, step: int, change: Callable[[pa.Table], pa.Table] = lambda t: t) -> bytes:
        """What the department lays down at a step: a row more each time, or, of few rows, a corrected one."""
        [folder] = [one for one in DROPS if one.name == FOLDERS[feed]]
        [(_, content)] = folder.documents(_Shown(self.now, lambda table: change(_at_step(feed, table, step))))
        return content

    def lay(self, feed: str, content: bytes, name: str = "文件") -> Path:
        suffix = Path(str(CITY[feed].connector.pattern)).suffix
        path = self.folder(feed) / f"{name}{suffix}"
        path.write_bytes(content)
        return path

    def run(self, contract: Contract) -> list[tuple[str, str | None]]:
        return ends(self.conn, self.settings, contract)

    def newest(self, feed: str, settings: Settings | None = None) -> list[tuple[Any, ...]]:
        with connect(application="tests", admin=True, settings=settings or self.settings) as admin:
            return admin.execute(NEWEST[feed], [feed]).fetchall()


def _at_step(feed: str, table: pa.Table, step: int) -> pa.Table:
    if feed != "red_line":
        return table.slice(0, table.num_rows - len(EXPECTED) - 1 + step)
    place = table.column_names.index("MJ_KM2")
    return table.set_column(place, "MJ_KM2", pa.array([area.as_py() + step for area in table["MJ_KM2"]]))


@pytest.fixture(scope="module")
def tried(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """All four have delivered once."""
    root = tmp_path_factory.mktemp("folders")
    city = City(1, first_day=FIRST_DAY, days=4)
    now = Now(city, moment_of(city, 0, 1))
    with (
        pytest.MonkeyPatch.context() as addresses,
        closing(connect(application="tests", settings=module_deployed)) as conn,
    ):
        made = Tried(now, module_deployed, conn, root)
        for feed, name in FOLDERS.items():
            made.folder(feed).mkdir()
            addresses.setenv(f"ECO_SECRET_{name.upper()}_FOLDER", str(made.folder(feed)))
            made.lay(feed, made.document(feed, 0))
            assert made.run(at_once(CITY[feed])) == [("loaded", None)], feed
            made.first[feed] = made.newest(feed)
        yield made


# --- the failures: each is a contract to run while it lasts, with what the department meant to lay down ---

Failure = Callable[[Tried, str, bytes], AbstractContextManager[Contract]]


@contextmanager
def _no_such_folder(tried: Tried, feed: str, meant: bytes) -> Iterator[Contract]:
    """The share is not mounted; of registers something else stands in its place."""
    away = tried.folder(feed).rename(tried.root / f"{feed}-away")
    if feed not in SAMPLES:
        tried.folder(feed).touch()
    yield at_once(CITY[feed])
    tried.folder(feed).unlink(missing_ok=True)
    away.rename(tried.folder(feed))


@contextmanager
def _still_written(tried: Tried, feed: str, meant: bytes) -> Iterator[Contract]:
    """Its program ended in the middle of it two days ago: the name says so."""
    path = tried.lay(feed, meant[: len(meant) // 2])
    part = path.rename(path.with_name(f"{path.name}.part"))
    ended = time.time() - 2 * 86_400
    os.utime(part, (ended, ended))
    yield at_once(CITY[feed])
    part.unlink()


def _laid(change: Callable[[Tried, str, bytes], bytes]) -> Failure:
    """A failure of what is in the file."""

    @contextmanager
    def failure(tried: Tried, feed: str, meant: bytes) -> Iterator[Contract]:
        tried.lay(feed, change(tried, feed, meant))
        yield at_once(CITY[feed])

    return failure


def _with_another_heading(tried: Tried, feed: str, meant: bytes) -> bytes:
    first = FIRST_HEADING[feed]
    return tried.document(
        feed,
        tried.step[feed],
        lambda table: table.rename_columns(
            ["NUMBER" if name == first else name for name in table.column_names]
        ),
    )


def _of_another_century(tried: Tried, feed: str, meant: bytes) -> bytes:
    def ahead(table: pa.Table) -> pa.Table:
        place = table.column_names.index(DAY)
        return table.set_column(place, DAY, pa.array(["2126" + str(day)[4:] for day in table[DAY]]))

    return tried.document(feed, tried.step[feed], ahead)


def _inside_a_character(content: bytes) -> int:
    """About the middle, between the bytes of a character of several where there is one."""
    middle = len(content) // 2
    return next((place for place in range(middle, len(content)) if content[place - 1] > 0x80), middle)


FAILURES: dict[str, Failure] = {
    "no such folder": _no_such_folder,
    "still being written": _still_written,
    "cut": _laid(lambda tried, feed, meant: meant[: _inside_a_character(meant)]),
    "empty": _laid(lambda tried, feed, meant: b""),
    "another form": _laid(lambda tried, feed, meant: b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"),
    "schema changed": _laid(_with_another_heading),
    "clock off": _laid(_of_another_century),
    "the same twice": _laid(lambda tried, feed, meant: tried.document(feed, tried.step[feed] - 1)),
    "gone back": _laid(lambda tried, feed, meant: tried.document(feed, 0)),
}


@pytest.mark.parametrize(("failure", "feed"), CASES)
def test_a_failure_is_told_harms_nothing_and_is_made_good(tried: Tried, failure: str, feed: str) -> None:
    outcome, reason, answer = EXPECTED[failure][feed]
    tried.step[feed] += 1
    meant = tried.document(feed, tried.step[feed])
    before = tried.newest(feed)
    with FAILURES[failure](tried, feed, meant) as contract:
        assert tried.run(contract) == [(outcome, reason)]
    assert taken_for(tried.settings, feed) == answer
    # A register that is always whole is taken at its word: it says again what it said at first.
    says = tried.first[feed] if (failure, feed) == ("gone back", "red_line") else before
    assert tried.newest(feed) == says
    tried.lay(feed, meant)
    assert tried.run(at_once(CITY[feed])) == [("loaded", None)]
    assert tried.newest(feed) != before
    assert sorted(path.name for path in tried.folder(feed).iterdir()) == ["taken"]


def test_after_all_of_it_the_house_knows_what_one_knows_that_asks_for_the_first_time(
    tried: Tried, deployed_template: str
) -> None:
    with first_asking(deployed_template) as (settings, conn):
        for feed in FOLDERS:
            shutil.rmtree(tried.folder(feed) / "taken")
            tried.lay(feed, tried.document(feed, tried.step[feed]))
            assert ends(conn, settings, at_once(CITY[feed])) == [("loaded", None)]
            told = tried.newest(feed, settings)
            assert told, feed
            assert tried.newest(feed) == told
            assert not recompute.check(tried.conn, CITY[feed])
