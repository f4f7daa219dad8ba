"""What is retracted is readable by no role but eco_auditor, on no relation, as of no moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from ecowarehouse import exports
from ecowarehouse.decisions import datasets
from ecowarehouse.decisions.withdrawing import enforce
from ecowarehouse.postgres.connection import connect
from ecowarehouse.postgres.roles import STEP_ROLES
from ecowarehouse.settings import Settings
from tests.integration.decisions.decision_house import BEFORE, NOON, PERIOD, DecisionHouse, decision_house

AUDITOR = "eco_auditor"
#: The steps between core and release work on whole candidates: without them there were nothing to judge or compare.
MACHINES = {"eco_dbt", "eco_gate", "eco_release"}


@pytest.fixture(scope="module")
def house(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecisionHouse]:
    """S1's hour is exported, then retracted."""
    with decision_house(module_deployed, tmp_path_factory.mktemp("contents")) as made:
        for face in exports.FACES:
            exports.export(made.air.conn, made.settings, ["air.station_hour"], face=face)
        datasets.withdraw(
            made.air.conn, made.dataset(), periods=PERIOD, kind="retracted", reason="wrong inlet", by="Chen",
            zone="Asia/Shanghai", rows={"station_code": "S1"},
        )  # fmt: skip
        enforce(made.air.conn, made.settings, made.dataset())
        yield made


def relations(house: DecisionHouse) -> list[str]:
    """Every table and view that has stations by hour."""
    found = house.air.all(
        "select format('%%I.%%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'v', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema')"
        " and (select count(*) from pg_attribute a where a.attrelid = c.oid and not a.attisdropped"
        "      and a.attname in ('station_code', 'period_start')) = 2 order by 1"
    )
    return [name for (name,) in found]


def rows(house: DecisionHouse, role: str, relation: str, as_of: datetime | None) -> int | None:
    """How many rows of the retracted hour the role reads; None where it may not read at all."""
    with connect(role, application="test", settings=house.settings) as conn:
        conn.execute("select set_config('eco.as_of', %s, false)", [as_of.isoformat() if as_of else ""])
        try:
            found = conn.execute(
                f"select count(*) from {relation} where station_code = 'S1' and period_start = %s".encode(),
                [NOON],
            ).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            return None
        assert found
        return int(found[0])


@pytest.mark.parametrize("as_of", [None, BEFORE], ids=["now", "before"])
@pytest.mark.parametrize("role", STEP_ROLES)
def test_no_role_reads_it_on_any_relation(house: DecisionHouse, role: str, as_of: datetime | None) -> None:
    seen = {name: count for name in relations(house) if (count := rows(house, role, name, as_of))}
    if role == AUDITOR:
        expected = {"published.air_station_hour__retracted"}
        if as_of is not None:
            expected |= {"shared.air_station_hour", "open.air_station_hour"}
        assert set(seen) == expected
    else:
        candidates = {"air.station_hour"} if role in MACHINES else set()
        candidates |= {"as_of.air__station_hour"} if role == "eco_dbt" else set()
        assert set(seen) == candidates


def test_the_matrix_has_the_relations_it_is_about(house: DecisionHouse) -> None:
    assert {
        "air.station_hour", "as_of.air__station_hour", "open.air_station_hour", "published.air_station_hour",
        "published.air_station_hour__retracted", "shared.air_station_hour",
    } <= set(relations(house))  # fmt: skip


def test_its_neighbours_are_read_as_before(house: DecisionHouse) -> None:
    assert house.read("shared.air_station_hour", "pm2_5", "S2") == 8
    assert house.read("air.station_hour", "pm2_5", "S2", as_of=BEFORE) == 8


def test_exported_files_that_held_it_are_taken_back(house: DecisionHouse) -> None:
    for face in exports.FACES:
        folder = house.settings.exports / face / "air_station_hour"
        assert len(list(folder.glob("v*.datapackage.json"))) == 1, "the version after the retraction"
        assert list(folder.glob("v*.removed.json"))
        assert not any(
            f"S1,{label}" in text
            for text in map(_text, folder.glob("files/*.csv.gz"))
            for label in ("2019-07-18T02:00", "2019-07-17T18:00")
        )


def _text(path: Path) -> str:
    import gzip

    return gzip.decompress(path.read_bytes()).decode()
