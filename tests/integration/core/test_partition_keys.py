"""Partitions get their key after the content that made them; nobody ever sees one without."""

from __future__ import annotations

from typing import Any

from tests.integration.feed_house import FeedHouse, row

WITHOUT_KEY = """
select tree.relid::regclass::text from pg_partition_tree('core.observation') as tree
where tree.isleaf
    and not exists (select from pg_constraint as c where c.conrelid = tree.relid and c.contype = 'p')
"""


def _leaves(house: FeedHouse) -> list[Any]:
    return house.all("select relid from pg_partition_tree('core.observation') where isleaf")


def test_every_partition_has_its_key_after_the_content_that_made_it(house: FeedHouse) -> None:
    house.load("12:10", [row(so2=1)])
    assert len(_leaves(house)) == 1
    assert house.all(WITHOUT_KEY) == []


def test_a_later_sighting_finds_the_keys(house: FeedHouse) -> None:
    house.load("12:10", [row(so2=1)])
    house.load("12:20", [row(so2=2)])
    assert house.all(WITHOUT_KEY) == []


def test_a_partition_made_by_hand_has_its_key(house: FeedHouse) -> None:
    house.admin.execute("select core.ensure_partitions('air', '2031-01-01', '2032-01-02', 'Asia/Shanghai')")
    assert len(_leaves(house)) == 2
    assert house.all(WITHOUT_KEY) == []
