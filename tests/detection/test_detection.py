"""Planted faults of another seed than the one by which the thresholds were set, found by the house itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from ecowarehouse import deployment
from ecowarehouse.core import recompute
from ecowarehouse.settings import Settings
from simulation.city.city import City
from simulation.city.delivery.faults import Faults
from tests.detection.running import CITY, connections, contract_of, detect
from tests.detection.scoring import KINDS, Score
from tests.detection.showing import Case, case_of

DAYS = 15
SEED = 7


@pytest.fixture(scope="module")
def settings(module_deployed: Settings) -> Iterator[Settings]:
    """The house, deployed for the city of detection."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ECO_CITY", str(CITY))
        deployed = Settings.load()
        deployment.deploy(deployed)
        yield deployed


@pytest.fixture(scope="module")
def case() -> Case:
    """Two weeks of river gauges, with three times as many faults as usual."""
    draft = City(seed=SEED, first_day=date(2024, 7, 1), days=DAYS, months=1).feed("hydrology").draft
    return case_of("hydrology", "river_hour", draft, DAYS, SEED, Faults(scale=3))


@pytest.fixture(scope="module")
def scores(settings: Settings, case: Case, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Score]:
    return detect(case, settings, tmp_path_factory.mktemp("pulls"), steps=3)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "drift"])
def test_planted_faults_are_found_and_nothing_else(scores: dict[str, Score], kind: str) -> None:
    score = scores[kind]
    assert score.planted > 0
    least = 0.9 if kind in ("spike", "flat_line") else 0.95
    assert (score.recall or 0) >= least, score
    assert (score.precision or 0) >= least, score


@pytest.mark.usefixtures("scores")
def test_flags_that_grew_pull_by_pull_are_those_of_a_full_recompute(settings: Settings) -> None:
    with connections(settings) as (conn, _):
        assert recompute.check(conn, contract_of("river_hour")) == []
