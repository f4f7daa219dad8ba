"""Marts are a pure function of what landed: sites that are new, moved or renamed, over days, in any order and pace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecowarehouse import marts
from ecowarehouse.postgres import migrate
from tests.content import relation_hash
from tests.integration.feed_house import FeedHouse, Row, row

SIX: dict[str, Any] = {"so2": 10, "no2": 20, "co": "0.5", "o3_24h": 80, "pm10": 40, "pm2_5": 20, "aqi": 40}
MARTS = ("station_hour", "station_day", "area_day", "area_month", "area_year")


def said(code: str, day: int, **values: Any) -> Row:
    """One hour at noon of a day of July."""
    return row(code, 12 + 24 * (day - 18), **{**SIX, **values})


#: When each content was known, and what it says. S2 comes on the second day, S3 moves on the third, S4 is silent there,
#: S1 turns out to be older, and S5 becomes a site that takes no part.
HISTORY: list[tuple[str, list[Row]]] = [
    ("18 12:10", [said("S1", 18), said("S3", 18, pm10=80), said("S4", 18), said("S5", 18)]),
    ("19 12:10", [said("S1", 19), said("S2", 19), said("S3", 19), said("S4", 19), said("S5", 19)]),
    (
        "20 12:10",
        [
            said("S1", 20),
            said("S2", 20),
            said("S3", 20, area="桂林市"),
            said("S5", 20, positionname="对照点"),
        ],
    ),
    ("20 18:10", [said("S1", 16), said("S2", 20)]),
]
#: The same moment said something else of S3 too: the larger hash holds, and an area may be left without a version.
TIE: list[tuple[str, list[Row]]] = [
    ("18 12:10", [said("S1", 18), said("S2", 18)]),
    ("18 12:10", [said("S1", 18), said("S2", 18, area="桂林市")]),
]


def build(house: FeedHouse) -> None:
    marts.build(house.conn, "air", settings=house.settings)
    assert marts.recompute_check(house.conn, "air", settings=house.settings) == []


def contents(house: FeedHouse) -> dict[str, str]:
    return {mart: relation_hash(house.admin, f"air.{mart}", ("build_id",)) for mart in MARTS}


def points(house: FeedHouse) -> list[tuple[Any, ...]]:
    return house.all(
        "select area_name, day::text, expected_points, pm10_points from air.area_day order by 2, 1"
    )


ONCE = (0, 1, 2, 3)
_FOUND: dict[str, Any] = {}


@pytest.mark.parametrize("order", [ONCE, (3, 2, 1, 0), (1, 3, 0, 2)], ids=str)
def test_new_moved_and_older_sites_in_any_order_built_after_each(
    house: FeedHouse, order: tuple[int, ...]
) -> None:
    for place in order:
        house.load(*HISTORY[place])
        build(house)
    assert house.sound()
    assert points(house) == [
        ("贵港市", "2019-07-16", 1, 0), ("桂林市", "2019-07-18", 1, 0), ("贵港市", "2019-07-18", 2, 0),
        ("桂林市", "2019-07-19", 1, 0), ("贵港市", "2019-07-19", 3, 0), ("桂林市", "2019-07-20", 1, 0),
        ("贵港市", "2019-07-20", 3, 0),
    ]  # fmt: skip
    assert contents(house) == _FOUND.setdefault("history", contents(house)), "as in the orders before"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=str)
def test_an_area_that_no_version_names_any_more_is_built_again(
    house: FeedHouse, order: tuple[int, ...]
) -> None:
    for place in order:
        house.load(*TIE[place])
        build(house)
    assert contents(house) == _FOUND.setdefault("tie", contents(house))


def test_a_history_built_at_once_is_the_same(house: FeedHouse) -> None:
    for known, content in HISTORY:
        house.load(known, content)
    build(house)
    assert contents(house) == _FOUND.setdefault("history", contents(house))


def test_a_site_that_was_heard_of_earlier_than_it_was_known_counts_from_then(house: FeedHouse) -> None:
    house.load("19 12:10", [said("S1", 18), said("S1", 19), said("S2", 19)])
    build(house)
    assert [row[2] for row in points(house)] == [1, 2]
    house.load("20 12:10", [said("S2", 17)])
    build(house)
    assert [row[1:3] for row in points(house)] == [("2019-07-17", 1), ("2019-07-18", 2), ("2019-07-19", 2)]
    first = "select to_char(known_at, 'DD'), to_char(valid_from at time zone 'Asia/Shanghai', 'DD') from core.site"
    assert house.all(first + " where site_code = 'S2' order by known_at") == [("19", "19"), ("20", "17")]


def test_an_older_warehouse_is_brought_there_by_its_migration(house: FeedHouse) -> None:
    for place in (1, 3, 0):
        house.load(*HISTORY[place])
    house.admin.execute(
        "delete from core.site as s using core.site as b where b.feed = s.feed and b.site_code = s.site_code"
        " and b.known_at < s.known_at and b.site_name = s.site_name and b.area_name = s.area_name"
    )
    house.admin.execute("update core.site set valid_from = '-infinity'")
    house.admin.execute("update core.change set built_in = 0")
    house.admin.execute("drop table core.site_retired cascade")
    folder = Path(migrate.__file__).parents[1] / "migrations"
    with house.admin.transaction():
        house.admin.execute("set local role eco_owner")
        house.admin.execute((folder / "0015_first_period_of_a_site.sql").read_bytes())
    assert house.sound()
    assert (
        house.one(
            "select count(distinct site_code) from core.change where built_in is null and element = 'air'"
        )
        == 5
    )
