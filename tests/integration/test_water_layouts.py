"""The national water feed in other layouts, of made-up sections: the same values or a refusal that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ecowarehouse import marts, query
from ecowarehouse.contracts import load_contracts
from ecowarehouse.settings import Settings
from simulation.air import CHINA
from simulation.surface_water import HEADINGS, feed_csv, synthetic_rows
from tests.integration.feed_house import FeedHouse, feed_house

CLOCK = datetime(2026, 3, 1, 13, 0, tzinfo=CHINA)
RAW = tuple(heading for heading in HEADINGS if heading.endswith("_raw"))
LEAVES_OUT = (
    "snapshot",
    *RAW,
    "basin",
    "city",
    "river",
    "official_class",
    "总氮_mgL",
    "叶绿素a_mgL",
    "藻密度_cellsL",
)
SHOWN = {
    "water_temperature": "水温_C", "ph": "pH", "dissolved_oxygen": "溶解氧_mgL", "conductivity": "电导率_uScm",
    "turbidity": "浊度_NTU", "codmn": "高锰酸盐指数_mgL", "ammonia_nitrogen": "氨氮_mgL",
    "total_phosphorus": "总磷_mgL",
}  # fmt: skip
Rows = list[dict[str, str]]


def served(clock: datetime = CLOCK) -> Rows:
    return [dict(row) for row in synthetic_rows(clock, seed=7)]


@pytest.fixture(scope="module")
def house(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedHouse]:
    with feed_house(module_deployed, tmp_path_factory.mktemp("layouts")) as found:
        found.contract = load_contracts(module_deployed.city)["cnemc_water_station"]
        yield found


def load(house: FeedHouse, content: bytes, known: datetime) -> tuple[str, str | None, str | None]:
    [batch] = house.load(known, house.write(content)).batches
    return batch.outcome, batch.reason, batch.error


def values(house: FeedHouse, sampled: datetime) -> dict[tuple[str, str], Decimal | None]:
    """Values shown that hold of one moment of sampling, by section and channel."""
    found = house.all(
        "select distinct on (site_code, channel) site_code, channel, value"
        " from core.observation inner join core.series using (series_id)"
        " where series.element = 'water' and period_start = %s and channel = any(%s) order by 1, 2, known_at desc",
        sampled, list(SHOWN),
    )  # fmt: skip
    return {(section, channel): value for section, channel, value in found}


def expected(rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], Decimal | None]:
    return {
        (f"{row['province']}:{row['section']}", channel): Decimal(row[heading])
        for row in rows
        for channel, heading in SHOWN.items()
    }


def finer(rows: Rows) -> Rows:
    """The values shown with as many digits as the readings behind them, as if the page had stopped rounding."""
    return [
        {**row, **{heading: row[f"{heading}_raw"] + "0" for heading in SHOWN.values() if row[heading] != "*"}}
        for row in rows
    ]


@pytest.mark.parametrize(
    ("hours", "content", "meant"),
    [
        pytest.param(0, feed_csv, lambda rows: rows, id="as it is"),
        pytest.param(4, lambda rows: feed_csv(rows, LEAVES_OUT), lambda rows: rows, id="columns missing"),
        pytest.param(8, lambda rows: feed_csv(finer(rows)), finer, id="more decimals"),
        pytest.param(
            12, lambda rows: feed_csv([{**r, "river": ""} for r in rows]), lambda rows: rows, id="river empty"
        ),
        pytest.param(
            16, lambda rows: turned(feed_csv(rows)), lambda rows: rows, id="columns in another order"
        ),
    ],
)
def test_a_layout_that_the_contract_knows_gives_the_same_values(
    house: FeedHouse, hours: int, content: Callable[[Rows], bytes], meant: Callable[[Rows], Rows]
) -> None:
    clock = CLOCK + timedelta(hours=hours)
    rows = [row for row in served(clock) if row["time"]]
    assert load(house, content(rows), clock) == ("loaded", None, None)
    sampled = datetime.strptime(rows[0]["time"], "%Y-%m-%d %H:%M").replace(tzinfo=CHINA)
    assert values(house, sampled) == expected(meant(rows))


def turned(content: bytes) -> bytes:
    lines = content.decode().splitlines()
    return "\n".join(",".join(reversed(line.split(","))) for line in lines).encode() + b"\n"


def test_what_a_layout_leaves_out_is_remembered_and_more_digits_are_rounded_before_they_are_judged(
    house: FeedHouse,
) -> None:
    marts.build(house.conn, "water", settings=house.settings)
    answer = query.run(
        "select section_name, river, basin, count(*) as samples, bool_and(class_agrees) as agree,"
        " count(water_class_reported) as reported, count(water_class) as classed"
        " from water.section_sample where is_current group by 1, 2, 3 order by 1"
    )
    found: dict[str, tuple[Any, ...]] = {row[0]: tuple(row[1:]) for row in answer.rows}
    rows = served()
    assert {name: said[:2] for name, said in found.items()} == {
        row["section"]: (row["river"], "珠江流域") for row in rows
    }
    assert {said[3] for said in found.values()} == {True}
    for name, (_, _, samples, _, reported, classed) in found.items():
        assert classed == samples, name
        assert reported == samples - 1, name  # one layout had no published class


def changed(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda content: content.decode().replace(old, new).encode()


@pytest.mark.parametrize(
    ("change", "reason", "told"),
    [
        (lambda content: feed_csv(served(), ["高锰酸盐指数_mgL"]), "header_changed", "missing: codmn"),
        (changed("总磷_mgL", "总磷_ugL"), "header_changed", "missing: total_phosphorus; unknown: 总磷_ugL"),
        (changed("氨氮_mgL,", "总磷_mgL,"), "header_changed", "missing: ammonia_nitrogen; twice: total_phosphorus"),
        (changed("status\n", "status,石油类_mgL\n"), "header_changed", "unknown: 石油类_mgL"),
        (changed(",", ";"), "header_changed", "missing: "),
        (lambda content: content.decode().encode("gb18030"), "encoding", ""),
        (lambda content: content.partition(b"\n")[2], "header_changed", "missing: "),
        (changed("2026-03-01 12:00", "2026/3/1 12:00"), "no_rows", "none of 10 received rows can be used"),
        (changed(",2026-03-01 12:00,", ","), "no_rows", "none of 10 received rows can be used"),
        (lambda content: content[:-40], "truncated", ""),
    ],
    ids=[
        "a needed column left out", "a unit in a heading", "two headings of one name", "a new column", "semicolons",
        "another encoding", "no headings", "another form of time", "a cell less in each row", "cut",
    ],
)  # fmt: skip
def test_any_other_layout_is_refused_with_what_differs(
    house: FeedHouse, change: Callable[[bytes], bytes], reason: str, told: str
) -> None:
    before = house.all("select count(*), sum(value) from core.observation where element = 'water'")
    outcome, found, error = load(house, change(feed_csv(served())), CLOCK + timedelta(days=1))
    assert (outcome, found) == ("rejected", reason), error
    assert told in str(error)
    assert house.all("select count(*), sum(value) from core.observation where element = 'water'") == before
