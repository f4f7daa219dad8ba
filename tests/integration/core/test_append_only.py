"""What core was told and what people decided stays: no role can change or empty it, not even the superuser."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from ecowarehouse.settings import Settings
from tests.integration.feed_house import FeedHouse, feed_house, row

CHANGES = [
    "update {} set {} = {}",
    "delete from {}",
    "truncate {} cascade",
]


@pytest.fixture(scope="module")
def house(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedHouse]:
    with feed_house(module_deployed, tmp_path_factory.mktemp("contents")) as made:
        made.load("12:10", [row(so2=1)])
        made.load("12:20", [row(so2=2)])
        made.admin.execute(
            "insert into decision.waiver (dataset, period_from, period_to, expectation, reason, decided_by, until)"
            " values ('air.station_hour', now(), now(), 'x', 'x', 'Li', now());"
            " insert into decision.standards_approval (file, sha256, reason, decided_by) values ('f', 's', 'r', 'Li')"
        )
        yield made


def as_role(house: FeedHouse, role: str, statements: str) -> None:
    """Run statements in one transaction as a role; `none` is the superuser."""
    with house.admin.transaction():
        house.admin.execute(f"set local role {role}")
        house.admin.execute(statements)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("relation", "column"),
    [
        ("core.observation", "value"),
        ("core.observation_air", "value"),
        ("core.observation_air_2019", "value"),
        ("decision.waiver", "reason"),
        ("decision.standards_approval", "reason"),
    ],
)
@pytest.mark.parametrize("role", ["eco_core", "eco_steward", "eco_owner", None])
def test_nobody_changes_or_empties_it(
    house: FeedHouse, relation: str, column: str, change: str, role: str | None
) -> None:
    before = house.all(f"select * from {relation}")
    assert before
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)) as refused:
        as_role(house, role or "none", change.format(relation, column, column))
    if role in ("eco_owner", None):
        assert "append-only" in str(refused.value)
    assert house.all(f"select * from {relation}") == before


@pytest.mark.parametrize("change", ["update core.observation set value = 0", "truncate core.observation"])
def test_the_setting_of_the_function_opens_nothing_else(house: FeedHouse, change: str) -> None:
    for role in ("eco_owner", "none"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            as_role(house, role, f"set local eco.resequencing = 'on'; {change}")
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        as_role(house, "none", "set local eco.resequencing = 'on'; delete from core.observation")


@pytest.mark.parametrize(
    "role", ["eco_landing", "eco_dbt", "eco_gate", "eco_release", "eco_steward", "eco_engineer"]
)
def test_only_the_core_step_may_retire_a_version(house: FeedHouse, role: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(house, role, "select core.retire(array[1], array[now()], array[now()], 'air', 1)")


def test_what_was_retired_is_kept_by_the_core_step(house: FeedHouse) -> None:
    for change in ("delete from core.observation_retired", "update core.observation_retired set value = 0"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role(house, "eco_core", change)


def test_a_partition_of_another_year_is_guarded_as_well(house: FeedHouse) -> None:
    house.admin.execute("select core.ensure_partitions('air', '2031-01-01', '2031-01-02', 'Asia/Shanghai')")
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        house.admin.execute("truncate core.observation_air_2031")
