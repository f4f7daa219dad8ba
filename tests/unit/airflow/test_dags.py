"""DAGs as the DAG processor reads them: complete, stable, light, and none of them asks database or network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.airflow

# A process of its own: Airflow reads its configuration at import, and must not read the tests' one.
_READ = """
import json, socket, sys, time
def refuse(*_, **__):
    raise RuntimeError("a parse may not connect")
import airflow
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
socket.socket.connect = refuse
import psycopg
psycopg.connect = psycopg.Connection.connect = refuse
def read():
    began = time.perf_counter()
    bag = DagBag(dag_folder=sys.argv[1], bundle_name="dags-folder")
    return bag, time.perf_counter() - began
bag, first = read()
again, second = read()
def hash_of(dag):
    return json.dumps(DagSerialization.to_dict(dag), sort_keys=True, default=str)
print("RESULT" + json.dumps({
    "errors": bag.import_errors, "seconds": [first, second],
    "same": {d: hash_of(bag.dags[d]) == hash_of(again.dags[d]) for d in bag.dags},
    "heavy": sorted({"dbt", "great_expectations", "pandas"} & set(sys.modules)),
    "dags": {d: {"owner": dag.owner, "tags": sorted(dag.tags), "doc": dag.doc_md or "", "description": dag.description,
        "catchup": dag.catchup, "active": dag.max_active_runs, "callback": bool(dag.on_failure_callback),
        "tasks": {t.task_id: sorted(t.downstream_task_ids) for t in dag.tasks}, "cycle": dag.topological_sort() is None,
        "retries": {t.task_id: t.retries for t in dag.tasks}}
        for d, dag in bag.dags.items()}}))
"""


def _read(city: Path, home: Path) -> dict[str, Any]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW_")}
    environment |= {
        "ECO_HOME": str(home), "ECO_CITY": str(city), "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/none.db",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(ROOT / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    content: dict[str, Any] = json.loads(line.removeprefix("RESULT"))
    return content


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The DAGs of this city."""
    return _read(ROOT / "city", tmp_path_factory.mktemp("home"))


def test_every_file_is_read_and_gives_its_dags(read: dict[str, Any]) -> None:
    assert read["errors"] == {}
    # A file a contract, named as its feed; an element for each of them.
    said = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "city/sources").rglob("*.yml")
    ]
    assert len(said) > 30
    assert set(read["dags"]) == {
        *(f"ingest__{one['feed']}" for one in said),
        *(f"element__{one['element']}" for one in said),
        "governance__freshness",
    }


def test_every_dag_says_who_answers_what_it_does_and_what_to_do(read: dict[str, Any]) -> None:
    for name, dag in read["dags"].items():
        assert dag["owner"] not in ("", "airflow", "unassigned"), name
        assert dag["tags"], name
        assert "If it fails" in dag["doc"], name
        assert dag["callback"], name
        assert any(ord(c) > 0x4E00 for c in dag["description"]), name
        assert not dag["catchup"], name
        assert dag["active"] == 1, name


def test_what_follows_all_feeds_goes_by_the_clock_alone(read: dict[str, Any]) -> None:
    doc = read["dags"]["element__governance"]["doc"]
    assert "every delivery of every feed is work for it" in doc
    assert "asset `" not in doc
    assert "asset `" in read["dags"]["element__air"]["doc"]


def test_the_element_of_air_belongs_to_the_department_with_the_lead(read: dict[str, Any]) -> None:
    assert read["dags"]["element__air"]["owner"] == "ecology_environment"


def test_the_house_belongs_to_the_department_that_the_city_names(tmp_path: Path) -> None:
    city = Path(shutil.copytree(ROOT / "city", tmp_path / "city"))
    file = city / "city.yml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("department: ecology_environment", "department: cnemc")
    )
    assert _read(city, tmp_path / "home")["dags"]["governance__freshness"]["owner"] == "cnemc"


def test_an_element_is_one_chain_that_ends_in_files_and_a_report(read: dict[str, Any]) -> None:
    assert read["dags"]["element__air"]["tasks"] == {
        "has_work": ["build"], "build": ["gate"], "gate": ["release"], "release": ["export", "report"],
        "export": [], "report": [],
    }  # fmt: skip


def test_only_asking_a_source_is_tried_again(read: dict[str, Any]) -> None:
    retries = {t: n for dag in read["dags"].values() for t, n in dag["retries"].items() if n}
    assert retries == {"load": 2}


def test_two_parses_give_the_same_dags(read: dict[str, Any]) -> None:
    assert all(read["same"].values()), read["same"]


def test_a_parse_is_light(read: dict[str, Any]) -> None:
    assert read["heavy"] == []
    assert read["seconds"][1] < 1.0 * len(list((ROOT / "dags").glob("*.py")))


def test_a_broken_contract_gets_a_dag_of_its_own_and_the_others_stand(tmp_path: Path) -> None:
    city = tmp_path / "city"
    shutil.copytree(ROOT / "city", city)
    path = city / "sources" / "meteorology" / "weather_hourly.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("series_kind:", "serieskind:"), encoding="utf-8")
    found = _read(city, tmp_path / "home")
    assert found["errors"] == {}
    assert found["dags"]["ingest__weather_hourly"]["tasks"] == {"contract_is_broken": []}
    assert "broken" in found["dags"]["ingest__weather_hourly"]["tags"]
    assert "serieskind" in found["dags"]["ingest__weather_hourly"]["doc"]
    assert found["dags"]["ingest__cnemc_air_hourly"]["tasks"] == {"load": ["lost"], "lost": []}
    assert "element__weather" in found["dags"], "what stands of the element is still judged and released"


def test_minutes_are_spread_and_fixed() -> None:
    began = time.perf_counter()
    from ecowarehouse.airflow.names import broken_dag_id, core_uri

    assert broken_dag_id("a b/中") == "ingest__a_b_"
    assert core_uri("air") == "eco://core/air"
    assert time.perf_counter() - began < 1
