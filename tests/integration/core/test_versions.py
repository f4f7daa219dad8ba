"""Which versions exist is a pure function of all sightings of a key: never of the order in which they came."""

from __future__ import annotations

import itertools

import pytest

from tests.content import core_hashes
from tests.integration.feed_house import FeedHouse, Row, row

A, B, C = (row(so2=value) for value in (10, 20, 30))


def said(value: int, hour: int = 12) -> list[Row]:
    return [row(hour=hour, so2=value)]


def test_a_value_that_changes_and_returns_is_three_versions(house: FeedHouse) -> None:
    # Three contents: another station makes each file another one.
    for known, value, other in (("12:10", 10, 1), ("12:20", 20, 2), ("12:30", 10, 3)):
        run = house.load(known, [row(so2=value), row("S2", so2=other)])
        assert [batch.outcome for batch in run.batches] == ["loaded"]
    assert house.versions() == [("12:10", "10"), ("12:20", "20"), ("12:30", "10")]
    assert house.sound()


def test_the_very_bytes_seen_again_after_others_are_a_third_version(house: FeedHouse) -> None:
    first, second = house.write([A]), house.write([B])
    assert house.load("12:10", first).core.versions == 17
    assert house.load("12:20", second).core.revised == 1
    again = house.load("12:30", first)
    assert [(batch.outcome, batch.reason) for batch in again.batches] == [("unchanged", "same_bytes")]
    assert (again.core.versions, again.core.revised) == (1, 1)
    assert house.versions() == [("12:10", "10"), ("12:20", "20"), ("12:30", "10")]
    assert house.one("select count(*) from landing.cnemc_air_hourly") == 2
    assert house.sound()


def test_a_content_that_says_the_same_is_no_version(house: FeedHouse) -> None:
    house.load("12:10", [row(so2=10)])
    run = house.load("12:20", [row(so2="10.0", no2=5)])
    assert run.core.versions == 1, "no2 alone: 10.0 is 10"
    assert house.versions() == [("12:10", "10")]


def test_a_value_between_two_equal_ones_that_comes_late_makes_three_versions(house: FeedHouse) -> None:
    house.load("12:10", [A])
    house.load("12:30", [{**A, "no2": "1"}])
    assert house.versions() == [("12:10", "10")]
    late = house.load("12:20", [B])
    assert house.versions() == [("12:10", "10"), ("12:20", "20"), ("12:30", "10")]
    assert (late.core.versions, late.core.retired) == (2, 0)
    assert late.core.revised == 2, "so2 twice; of no2 nothing new was said"
    assert house.sound()


def test_a_version_that_an_earlier_equal_one_makes_superfluous_is_retired(house: FeedHouse) -> None:
    house.load("12:10", [A])
    standing = house.load("12:30", [B])
    late = house.load("12:20", [{**B, "no2": "7"}])
    assert house.versions() == [("12:10", "10"), ("12:20", "20")]
    assert late.core.retired == 1
    retired = house.all(
        "select value, batch_id, retired_for, retired_at is not null from core.observation_retired"
    )
    assert retired == [(20, standing.batches[0].batch_id, late.batches[0].batch_id, True)]
    assert house.versions(channel="no2") == [("12:10", None), ("12:20", "7"), ("12:30", None)]
    assert house.sound()


def test_the_first_thing_said_may_come_last(house: FeedHouse) -> None:
    house.load("12:30", [B])
    late = house.load("12:10", [A])
    assert house.versions() == [("12:10", "10"), ("12:30", "20")]
    assert late.core.versions == 17
    assert late.core.retired == 16, "what it says alike was known earlier"
    assert house.sound()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_of_contents_of_one_moment_the_one_with_the_largest_hash_holds(
    house: FeedHouse, order: tuple[int, ...]
) -> None:
    contents = [house.write([content]) for content in (A, B, C)]
    for place in order:
        house.load("12:10", contents[place])
    winner = max(house.all("select sha256, source from landing.batch"))[1]
    value = {path.as_uri(): text for path, text in zip(contents, ("10", "20", "30"), strict=True)}[winner]
    assert house.versions() == [("12:10", value)]
    assert house.sound()


def test_a_wait_of_several_contents_is_taken_up_like_one_after_the_other(house: FeedHouse) -> None:
    paths = [str(house.write([content])) for content in (A, B, {**A, "no2": "1"})]
    from ecowarehouse import core
    from ecowarehouse.connectors import fetch_paths
    from ecowarehouse.landing.load import load
    from tests.integration.feed_house import at

    for path, known in zip(paths, ("12:30", "12:10", "12:20"), strict=True):
        load(
            house.conn, house.contract, fetch_paths(house.contract, [path]),
            byte_store=house.settings.bytes_store, known_at_option=at(known),
        )  # fmt: skip
    assert core.build(house.conn, house.contract).sightings == 3
    assert house.versions() == [("12:10", "20"), ("12:20", "10")]
    assert core.build(house.conn, house.contract).sightings == 0
    assert house.sound()


def test_only_periods_that_a_content_speaks_of_are_touched(house: FeedHouse) -> None:
    house.load("14:10", said(10, 13) + said(11, 14))
    before = house.newest_change()
    house.load("14:20", said(10, 13) + said(12, 14))
    assert house.versions(hour=13) == [("14:10", "10")]
    assert house.versions(hour=14) == [("14:10", "11"), ("14:20", "12")]
    assert house.changes_since(before) == [("S1", 14, 14)]


def test_a_missing_value_that_comes_later_is_a_version_of_its_own(house: FeedHouse) -> None:
    house.load("12:10", [row()])
    house.load("12:20", [A])
    house.load("12:30", [row(so2="")])
    assert house.versions() == [("12:10", None), ("12:20", "10"), ("12:30", None)]
    marks = "select source_mark from core.observation inner join core.series using (series_id) where channel = 'so2'"
    assert house.all(marks + " order by known_at") == [("—",), (None,), (None,)]


def test_a_site_gets_a_version_for_what_is_said_of_it_anew_and_no_other(house: FeedHouse) -> None:
    renamed = row(positionname="新名", so2=1)
    for known, content in (
        ("12:30", renamed),
        ("12:10", row(so2=2)),
        ("12:20", row(so2=3)),
        ("12:40", renamed),
    ):
        house.load(known, [content])
    names = "select to_char(known_at, 'HH24:MI'), site_name from core.site order by known_at"
    assert house.all(names) == [("12:10", "站点S1"), ("12:30", "新名")]


def test_a_site_of_which_nothing_is_said_has_one_version(house: FeedHouse) -> None:
    bare = {"area": "", "positionname": "", "longitude": "", "latitude": ""}
    for known, value in (("12:10", 1), ("12:30", 2), ("12:20", 3)):
        house.load(known, [row(so2=value, **bare)])
    assert house.one("select count(*) from core.site") == 1


def test_content_hashes_do_not_depend_on_ids(house: FeedHouse) -> None:
    house.load("12:30", [B])
    house.load("12:10", [A])
    hashes = core_hashes(house.admin)
    assert all(not value.startswith("0:") for name, value in hashes.items() if name != "core.quality_flag")
    house.load("12:40", [C])
    assert core_hashes(house.admin)["core.observation"] != hashes["core.observation"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_cell_that_nobody_can_read_is_no_version_whatever_the_order(
    house: FeedHouse, order: tuple[int, ...]
) -> None:
    sightings = [("12:10", row(so2=10)), ("12:20", row(so2="1O", no2=7)), ("12:30", row(so2=10, no2="x"))]
    for number in order:
        known, content = sightings[number]
        house.load(known, [content])
    assert house.versions() == [("12:10", "10")]
    assert house.versions(channel="no2") == [("12:10", None), ("12:20", "7")]
    assert (
        house.all(
            "select detail from core.quality_flag join core.series using (series_id) where channel = 'so2' and flag = 9"
        )
        == []
    )
    assert house.sound()
