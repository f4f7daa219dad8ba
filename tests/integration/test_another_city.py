"""A second city is another folder: files of many places become versions in core by their contracts alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse import deployment
from ecowarehouse.contracts import ContractSet, load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.core.result import NotDeployed
from ecowarehouse.pipeline import run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings

CITY = Path(__file__).resolve().parents[1] / "cities" / "elsewhere"
FILES = {
    "meuse_topsoil": "soil/meuse_topsoil_metals.csv",
    "jura_topsoil": "soil/jura_soil_metals_prediction_set.csv",
    "german_dose_rate": "radiation/sic2004_gamma_dose_200stations_10days.csv",
    "malaga_noise": "noise/malaga_noise_daily_lden_first_half.csv",
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
def loaded(
    shared: Path, elsewhere: Settings, conn: psycopg.Connection[Any], contracts: ContractSet
) -> dict[str, Any]:
    return {
        feed: run_feed(conn, elsewhere, contracts[feed], paths=[str(shared / "data" / path)])
        for feed, path in FILES.items()
    }


def test_every_contract_of_the_city_has_a_file(contracts: ContractSet) -> None:
    assert set(contracts.contracts) == set(FILES)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("feed", "rows", "rejects", "versions"),
    [
        ("meuse_topsoil", 155, 0, 155 * 5),
        ("jura_topsoil", 259 * 7, 0, 259 * 7),
        ("german_dose_rate", 200 * 10, 0, 200 * 10),
        ("malaga_noise", 1358, 0, 1358 * 4),
    ],
)
def test_a_real_file_loads_by_its_contract_alone(
    loaded: dict[str, Any], feed: str, rows: int, rejects: int, versions: int
) -> None:
    [batch] = loaded[feed].batches
    assert (batch.outcome, batch.rows, batch.rejects) == ("loaded", rows, rejects), batch
    assert loaded[feed].core.versions == versions


@pytest.mark.shared
@pytest.mark.parametrize("feed", FILES)
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
def test_what_lands_before_the_deployment_waits_and_the_message_says_what_to_run(
    fresh_database: Settings, shared: Path, contracts: ContractSet
) -> None:
    with closing(connect(application="tests", settings=fresh_database)) as own:
        path = str(shared / "data" / FILES["meuse_topsoil"])
        with pytest.raises(NotDeployed, match="run `eco up`"):
            run_feed(own, fresh_database, contracts["meuse_topsoil"], paths=[path])
        own.rollback()
    with connect(application="tests", admin=True, settings=fresh_database) as admin:
        assert admin.execute("select outcome, core_step_id from landing.batch").fetchall() == [
            ("loaded", None)
        ]
