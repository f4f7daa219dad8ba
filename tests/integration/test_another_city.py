"""A second city is another folder: files of many places become versions in core by their contracts alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse import cycle, deployment, exports
from ecowarehouse.contracts import ContractSet, load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.core.result import NotDeployed
from ecowarehouse.elements import choose
from ecowarehouse.pipeline import run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from tests.integration.elsewhere import (
    CITY,
    ENTITIES,
    FEEDS,
    isd_lines,
    isd_rows,
    make_files,
    occurrences,
    paths_of,
    rows_of,
    waterml_values,
    whales,
)  # fmt: skip

# What core has of a feed, by whether it delivers entities.
_KEPT = {
    False: "select count(value) from core.observation inner join core.series using (series_id) where feed = %s",
    True: "select count(*) from core.entity where feed = %s",
}


@pytest.fixture(scope="module")
def elsewhere(module_deployed: Settings) -> Iterator[Settings]:
    """The house, deployed for the other city."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ECO_CITY", str(CITY))
        settings = Settings.load()
        deployment.deploy(settings)
        yield settings


@pytest.fixture(scope="module")
def conn(elsewhere: Settings) -> Iterator[psycopg.Connection[Any]]:
    with closing(connect(application="tests", settings=elsewhere)) as connection:
        yield connection


@pytest.fixture(scope="module")
def contracts() -> ContractSet:
    found = load_contracts(CITY)
    assert not found.broken, "\n".join(broken.message for broken in found.broken.values())
    return found


@pytest.fixture(scope="module")
def made(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the files that are made of real ones."""
    folder = tmp_path_factory.mktemp("made")
    make_files(shared, folder)
    return folder


@pytest.fixture(scope="module")
def loaded(
    shared: Path, made: Path, elsewhere: Settings, conn: psycopg.Connection[Any], contracts: ContractSet
) -> dict[str, Any]:
    return {
        feed: run_feed(
            conn,
            elsewhere,
            contracts[feed],
            paths=[str(path) for path in paths_of(feed, shared, made)],
            known_at=datetime.fromisoformat(f"{one.known_at}T12:00:00+00:00"),
        )
        for feed, one in FEEDS.items()
    }


def test_every_contract_of_the_city_has_a_file(contracts: ContractSet) -> None:
    assert set(contracts.contracts) == set(FEEDS)


@pytest.mark.shared
@pytest.mark.parametrize("feed", FEEDS)
def test_a_real_file_loads_by_its_contract_alone(
    loaded: dict[str, Any], elsewhere: Settings, shared: Path, made: Path, feed: str
) -> None:
    expected = FEEDS[feed].count(paths_of(feed, shared, made))
    batches = loaded[feed].batches
    assert {batch.outcome for batch in batches} == {"loaded"}, batches
    assert (sum(b.rows for b in batches), sum(b.rejects for b in batches)) == (
        expected.rows,
        expected.rejects,
    )
    with connect(application="tests", admin=True, settings=elsewhere) as admin:
        assert admin.execute(_KEPT[feed in ENTITIES], [feed]).fetchone() == (expected.values,)


@pytest.mark.shared
@pytest.mark.parametrize("feed", FEEDS)
def test_all_worked_out_again_is_the_same(
    loaded: dict[str, Any], conn: psycopg.Connection[Any], contracts: ContractSet, feed: str
) -> None:
    assert not recompute.check(conn, contracts[feed]), feed


@pytest.mark.shared
def test_values_have_the_unit_of_the_vocabulary_and_the_day_of_their_zone(
    loaded: dict[str, Any], elsewhere: Settings
) -> None:
    with connect(application="tests", admin=True, settings=elsewhere) as admin:

        def values(site: str, channel: str) -> list[tuple[str, Decimal]]:
            return admin.execute(
                "select to_char(period_start at time zone 'Europe/Berlin', 'YYYY-MM-DD HH24:MI'), value"
                " from core.observation inner join core.series using (series_id)"
                " where site_code = %s and channel = %s order by period_start limit 2",
                [site, channel],
            ).fetchall()

        assert values("13", "dose_rate") == [
            ("2004-01-01 00:00", Decimal("76.9") * Decimal("0.8333333333")),
            ("2004-01-02 00:00", Decimal("75.6") * Decimal("0.8333333333")),
        ]
        assert values("2.386:3.077", "soil_cadmium") == [("1992-01-01 00:00", Decimal("1.74"))]
        assert values("181072.0:333611.0", "om") == [("1990-01-01 00:00", Decimal("136.0"))]
        assert values("Calle Andrómeda 7", "lden")[-1:] != []


@pytest.mark.shared
def test_the_city_runs_from_core_to_its_index_and_says_what_has_no_dataset(
    loaded: dict[str, Any], elsewhere: Settings, conn: psycopg.Connection[Any]
) -> None:
    # Without the books of completeness: a slot a second for as long as a meter ran takes them minutes.
    elements = [one for one in choose(elsewhere).elements if one != "governance"]
    done = cycle.run(conn, elsewhere, elements, fetch_feeds=False)
    assert not done.problems
    without = {one.element for one in done.elements if one.build.outcome == "no_dataset"}
    assert without == {"ecology", "hydrology", "noise", "pollution", "radiation", "soil"}
    assert all(one.build.told for one in done.elements if one.element in without)
    [weather] = [one for one in done.elements if one.element == "weather"]
    assert weather.release is not None
    assert weather.release.inserted == {"weather.station_hour": 376}
    shared_face = exports.export(conn, elsewhere, face="shared")
    listed = {
        one["dataset"]: one
        for one in json.loads((shared_face.folder / "index.json").read_bytes())["datasets"]
    }
    assert {name.split(".")[0] for name in listed} == {"governance", "weather"}
    assert (listed["weather.station_hour"]["rows"], shared_face.failed) == (376, {})
    with connect(application="tests", admin=True, settings=elsewhere) as admin:
        assert {
            subject
            for (subject,) in admin.execute(
                "select subject from governance.attempt where kind = 'build' and outcome = 'no_dataset'"
            )
        } == without
        # What is known of plants and whales are entities, whose changes wait for the element governance.
        assert admin.execute(
            "select element from core.change where built_in is null and element <> 'governance' group by 1 order by 1"
        ).fetchall() == [(element,) for element in sorted(without - {"ecology"})]


@pytest.mark.shared
def test_what_lands_before_the_deployment_waits_and_the_message_says_what_to_run(
    fresh_database: Settings, shared: Path, contracts: ContractSet
) -> None:
    with closing(connect(application="tests", settings=fresh_database)) as own:
        [path] = map(str, paths_of("meuse_topsoil", shared, shared))
        with pytest.raises(NotDeployed, match="run `eco up`"):
            run_feed(own, fresh_database, contracts["meuse_topsoil"], paths=[path])
        own.rollback()
    with connect(application="tests", admin=True, settings=fresh_database) as admin:
        assert admin.execute("select outcome, core_step_id from landing.batch").fetchall() == [
            ("loaded", None)
        ]


@pytest.mark.shared
def test_channels_take_their_numbers_from_where_the_files_have_them(
    loaded: dict[str, Any], elsewhere: Settings, shared: Path, made: Path
) -> None:
    def only(feed: str) -> Path:
        return paths_of(feed, shared, made)[0]

    cubic_foot = Decimal("0.028316846592")
    madrid = rows_of(only("madrid_noise"), delimiter=";")
    turbine = [row for path in paths_of("gas_turbine", shared, made) for row in rows_of(path, header=False)]
    pod = [row["WND"].split(",")[3:] for row in isd_rows(only("pod_weather"))]
    year_1928 = [line[87:92] for line in isd_lines(only("weather_1928")) if line[92] == "1"]
    expected = {
        ("madrid_noise", "l90_night"): sum(
            Decimal(row[9]) for row in madrid if row[4].strip() == "N"
        ),
        ("meter_minutes", "leq"): sum(Decimal(row[1]) for row in rows_of(only("meter_minutes"))),
        ("choptank_flow", "discharge"): cubic_foot * sum(Decimal(v) for _, v in waterml_values(only("choptank_flow"))),
        ("potomac_flow", "discharge"): cubic_foot * sum(Decimal(v) for _, v in waterml_values(only("potomac_flow"))),
        ("river_level", "level"): sum(Decimal(row[5]) for row in rows_of(only("river_level"))),
        ("pod_weather", "wind_speed"): sum(Decimal(v) for v, code in pod if code in "01459" and v != "9999") / 10,
        ("weather_1928", "air_temperature"): sum(map(Decimal, year_1928)) / 10,
        ("gas_turbine", "nox"): sum(Decimal(row[10]) for row in turbine),
        ("eurdep_dose_rate", "dose_rate"): Decimal("0.8333333333") * (72 + 75 + Decimal("61.5")),
    }  # fmt: skip
    with connect(application="tests", admin=True, settings=elsewhere) as admin:
        found = admin.execute(
            "select feed, channel, sum(value) from core.observation inner join core.series using (series_id)"
            " group by feed, channel"
        ).fetchall()
    sums = {(feed, channel): total for feed, channel, total in found}
    assert {name: sums[name] for name in expected} == expected


@pytest.mark.shared
def test_periods_lie_where_the_files_say(loaded: dict[str, Any], elsewhere: Settings) -> None:
    with connect(application="tests", admin=True, settings=elsewhere) as admin:

        def first(feed: str, zone: str) -> tuple[str, str, Decimal | None]:
            row = admin.execute(
                "select site_code, to_char(period_start at time zone %s, 'YYYY-MM-DD HH24:MI'), trim_scale(value)"
                " from core.observation inner join core.series using (series_id)"
                " where feed = %s and value is not null order by period_start, channel limit 1",
                [zone, feed],
            ).fetchone()
            assert row is not None
            return row

        assert first("meter_minutes", "Etc/GMT-1") == (
            "noisemonitor", "2025-03-21 00:00", Decimal("47.36041774214498"),
        )  # fmt: skip
        assert first("hong_kong_temperature", "Asia/Hong_Kong") == (
            "HKO",
            "1884-04-01 00:00",
            Decimal("17.8"),
        )
        assert first("choptank_flow", "UTC") == ("01491000", "2012-05-12 05:00", Decimal("2.350298267136"))
        assert first("weather_1928", "UTC") == ("10427099999", "1928-04-01 05:00", Decimal("4.6"))
        assert first("gas_turbine", "Etc/GMT-2")[1] == "2011-01-01 00:00"
        assert first("eurdep_dose_rate", "UTC")[:2] == ("DE0001", "2023-12-08 00:00")


@pytest.mark.shared
def test_species_stand_in_core_as_their_archives_have_them(
    loaded: dict[str, Any], elsewhere: Settings, shared: Path, made: Path
) -> None:
    specimen = occurrences(paths_of("plant_occurrences", shared, made)[0])[0]
    taxon = whales(made / "whales.zip", "DarwinCore.txt")[5]
    names = whales(made / "whales.zip", "VernacularName.txt")
    with connect(application="tests", admin=True, settings=elsewhere) as admin:
        assert admin.execute(
            "select scientific_name, observed_on::text, longitude, latitude, datum from core.occurrence_current"
            " where code = %s",
            [specimen["GUID"]],
        ).fetchone() == (
            specimen["SCIENTIFIC_NAME"], specimen["EARLIEST_DATE_COLLECTED"][:10],
            Decimal(specimen["DECIMAL_LONGITUDE"]).normalize(), Decimal(specimen["DECIMAL_LATITUDE"]), "WGS84",
        )  # fmt: skip
        assert admin.execute(
            "select scientific_name, parent, rank, status from core.taxon_current where code = %s", [taxon[0]]
        ).fetchone() == (taxon[2], taxon[3], taxon[4], taxon[8])
        assert admin.execute(
            "select taxon, count(*) from core.taxon_name_current group by 1 order by 1"
        ).fetchall() == [
            (code, sum(name[0] == code for name in names)) for code in sorted({name[0] for name in names})
        ]


@pytest.mark.shared
def test_a_suspect_cell_is_a_reject_with_its_quality_code(
    loaded: dict[str, Any], elsewhere: Settings
) -> None:
    with connect(application="tests", admin=True, settings=elsewhere) as admin:
        assert admin.execute(
            "select column_name, received from landing.reject inner join landing.batch using (batch_id)"
            " where feed = 'pod_weather' and column_name = 'air_temperature' group by 1, 2 order by 2 limit 1"
        ).fetchone() == ("air_temperature", "+0200,2")
