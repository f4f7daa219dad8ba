"""The demo, step by step: the house is made, the sources speak, the real scheduler does the work."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from rich.console import Console

from ecowarehouse import secrets, services
from ecowarehouse.airflow.names import element_dag_id, ingest_dag_id
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.datasets import has_dataset
from ecowarehouse.demo import figures, source, tell
from ecowarehouse.demo.figures import Figures
from ecowarehouse.demo.source import Pull, Source
from ecowarehouse.deployment import deploy, take_up_registers
from ecowarehouse.elements import following_all
from ecowarehouse.postgres import backup, connect
from ecowarehouse.services import ServiceError, airflow, config, processes
from ecowarehouse.services.api import Api, Run
from ecowarehouse.settings import Settings

_RUN_TIMEOUT: Final = 240.0
_PATIENCE: Final = 10.0  # an asset's event brings a run in a second
_DATA: Final = ("core.observation", "core.quality_flag", "published.")
_BOOKS: Final = (
    "published.governance_"  # to be asked once more is an event of its own, and stands in the books
)


class DemoFailed(RuntimeError):
    """Something of the main job did not end as it must; the message says where to look."""


@dataclass
class Result:
    """What one demo did."""

    pulls: list[tuple[str, Figures]] = field(default_factory=list)
    total: Figures = field(default_factory=Figures)
    before: str = ""
    after: str = ""
    midway: datetime | None = None
    seconds: float = 0.0
    memory_mb: int = 0
    url: str = ""


def run(
    settings: Settings,
    data: Path | None,
    console: Console,
    feeds: list[str] | None = None,
    pulls: int | None = None,
) -> Result:
    """All of it, or only these feeds and the first so many pulls; services are left running.

    Raises `DemoFailed`, `ServiceError` and what the steps raise.
    """
    started = time.monotonic()
    result = Result()
    stand_in, result.url = _set_up(settings, data, console)
    contracts = _contracts(settings, stand_in, feeds)
    api = Api(result.url, config.password(settings))
    with connect("eco_engineer", application="demo", autocommit=True, settings=settings) as conn:
        result.before = _data_hash(conn)
        done = _Done(source.state_folder(settings, data) / "done.json")
        shown = stand_in.pulls()[:pulls]
        new = [pull for pull in shown if pull.stamp.isoformat() not in done.stamps] or shown[-1:]
        result.midway = shown[len(shown) // 2].stamp
        stand_in.go_to(new[0].stamp)
        begun = _switch_on(api, contracts, console)
        for pull in new:
            asked = contracts if pull in (new[0], new[-1]) else _of_hours(contracts)
            followed = _waited_for(settings, asked)
            line = _one_pull(
                conn, api, stand_in, asked, followed, pull, console, begun if pull == new[0] else set()
            )
            done.add(pull)
            result.pulls.append((pull.description, line))
            result.total.add(line)
            result.memory_mb = max(result.memory_mb, _memory(settings))
        _keep_books(conn, api, settings, console)
        result.after = _data_hash(conn)
    api.close()
    result.seconds = time.monotonic() - started
    return result


def _set_up(settings: Settings, data: Path | None, console: Console) -> tuple[Source, str]:
    """Database, standards and views; the sources and Airflow start beside them."""
    with console.status("PostgreSQL"):
        services.up(settings, airflow=False)
    tell.step(console, "PostgreSQL runs, migrations are applied")
    with (
        ThreadPoolExecutor(2) as beside,
        console.status("standards, views; sources and Airflow start beside"),
    ):
        speaking = beside.submit(source.start, settings, data)
        starting = beside.submit(airflow.start, settings)
        deploy(settings)
        take_up_registers(settings)
        tell.step(console, "standards and views are in the database")
        stand_in = speaking.result()
        secrets.put(settings.secrets_file, stand_in.addresses())
        tell.step(console, f"stand-in sources speak at {stand_in.url}")
        url = starting.result()
    tell.step(console, f"Airflow runs at {url}")
    return stand_in, url


def _contracts(settings: Settings, stand_in: Source, feeds: list[str] | None) -> list[Contract]:
    """Feeds whose source speaks here: the house knows it by the secrets that the contract names."""
    known = stand_in.addresses()
    found = load_contracts(settings.city)
    if found.broken:
        raise DemoFailed("\n".join(broken.message for broken in found.broken.values()))
    speak = {f: one for f, one in found.contracts.items() if known.keys() >= set(one.connector.secret_names)}
    if unknown := sorted(set(feeds or ()) - speak.keys()):
        raise DemoFailed(
            f"no source speaks here for {', '.join(unknown)}; there are: {', '.join(sorted(speak))}"
        )
    return [one for feed, one in speak.items() if not feeds or feed in feeds]


def _of_hours(contracts: list[Contract]) -> list[Contract]:
    """Feeds that have something new each hour; the others are asked at the first moment and at the last."""
    return [one for one in contracts if one.schedule.freshness < timedelta(days=1)]


def _waited_for(settings: Settings, contracts: list[Contract]) -> list[str]:
    """Elements whose values go on from core at once: not those without dataset, nor those that follow all feeds."""
    later = following_all(settings)
    return [one for one in _elements(contracts) if one not in later and has_dataset(settings, one)]


def _switch_on(api: Api, contracts: list[Contract], console: Console) -> set[str]:
    """The DAGs that were off: Airflow begins a run of each by the clock."""
    dags = [element_dag_id(element) for element in _elements(contracts)]
    dags += [ingest_dag_id(contract.feed) for contract in contracts]
    with console.status("Airflow reads the DAGs"):
        api.wait_for_dags(dags)
        switched = [dag for dag in dags if api.switch_on(dag)]
    tell.step(console, f"{len(dags)} DAGs are on ({len(switched)} switched on now)")
    return set(switched)


def _one_pull(
    conn: psycopg.Connection[Any],
    api: Api,
    stand_in: Source,
    contracts: list[Contract],
    elements: list[str],
    pull: Pull,
    console: Console,
    begun: set[str],
) -> Figures:
    """The sources move to a moment; the feeds are asked; what follows is waited for.

    Of the DAGs in `begun` a run by the clock is under way at this moment of the sources; it is not asked for again.
    """
    start = figures.mark(conn)
    old = {run.run_id for element in elements for run in api.newest(element_dag_id(element)) if run.ended}
    with console.status(f"{pull.stamp:%Y-%m-%d %H:%M} {pull.description}"):
        stand_in.go_to(pull.stamp)
        asked = []
        for dag_id in (ingest_dag_id(contract.feed) for contract in contracts):
            by_clock = api.newest(dag_id) if dag_id in begun else []
            asked.append(by_clock[0] if by_clock else api.trigger(dag_id))
        for one in asked:
            _wait_for_run(api, one)
        for element in elements:
            _wait_for_element(conn, api, element, old)
        line = figures.since(conn, start)
    tell.pull(console, pull, line)
    return line


def _keep_books(conn: psycopg.Connection[Any], api: Api, settings: Settings, console: Console) -> None:
    """What follows all feeds goes by the clock, and the demo does not wait an hour: once, when all has come in."""
    for element in sorted(following_all(settings)):
        dag_id = element_dag_id(element)
        old = {run.run_id for run in api.newest(dag_id) if run.ended}
        with console.status(f"{element}: completeness of all feeds"):
            api.wait_for_dags([dag_id])
            api.switch_on(dag_id)
            _wait_for_element(conn, api, element, old)
        tell.step(console, f"{element} has taken up what came of all feeds")


def _wait_for_run(api: Api, asked: Run) -> None:
    deadline = time.monotonic() + _RUN_TIMEOUT
    while not (now := api.run(asked)).ended:
        if time.monotonic() > deadline:
            raise DemoFailed(f"{asked.dag_id} {asked.run_id} is {now.state} after {_RUN_TIMEOUT:.0f} s")
        time.sleep(0.3)
    if now.state == "failed":
        raise DemoFailed(f"{asked.dag_id} failed: look at its run {asked.run_id} in Airflow")


def _wait_for_element(conn: psycopg.Connection[Any], api: Api, element: str, old: set[str]) -> None:
    """Until no change waits and no run of the element is under way; `old` runs ended before and don't count."""
    began = time.monotonic()
    dag_id = element_dag_id(element)
    asked = False
    while True:
        # First the runs, then the ledger: a change that waits has not been overlooked by a run that just ended.
        runs = [run for run in api.newest(dag_id) if run.run_id not in old]
        _stop_at_failure(api, runs)
        busy = not all(run.ended for run in runs)
        if not busy and not figures.waiting(conn, element):
            return
        waited = time.monotonic() - began
        if waited > _RUN_TIMEOUT:
            raise DemoFailed(
                f"{dag_id} does not end: {runs[:1]}, changes wait: {figures.waiting(conn, element)}"
            )
        if not busy and not asked and waited > _PATIENCE:
            api.trigger(dag_id)  # left over from a demo that was interrupted: no event will come
            asked = True
        time.sleep(0.3)


def _stop_at_failure(api: Api, runs: list[Run]) -> None:
    """A run whose `report` failed has released; any other failure ends the demo."""
    for run in runs:
        if run.state == "failed" and (tasks := api.failed_tasks(run)) != ["report"]:
            raise DemoFailed(f"{run.dag_id} failed in {', '.join(tasks)}: run {run.run_id} in Airflow")


def _elements(contracts: list[Contract]) -> list[str]:
    return sorted({contract.element for contract in contracts})


def _memory(settings: Settings) -> int:
    return round(processes.memory(processes.records(airflow.folder(settings))) / 2**20)


def _data_hash(conn: psycopg.Connection[Any]) -> str:
    """One hash over observations, flags and all that is published; the ledger may grow."""
    found = backup.content(conn).tables
    data = {n: value for n, value in found.items() if n.startswith(_DATA) and not n.startswith(_BOOKS)}
    return str(hash_of(data))


def hash_of(tables: dict[str, tuple[int, str]]) -> str:
    """A short hash over counts and hashes of tables."""
    import hashlib

    return hashlib.sha256(json.dumps(sorted(tables.items())).encode()).hexdigest()[:16]


class _Done:
    """The moments that an earlier demo has brought in; kept beside the stand-in's clock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.stamps: list[str] = json.loads(path.read_text()) if path.exists() else []

    def add(self, pull: Pull) -> None:
        stamp = pull.stamp.isoformat()
        if stamp not in self.stamps:
            self.stamps.append(stamp)
            self._path.write_text(json.dumps(self.stamps))


__all__ = ["DemoFailed", "Result", "ServiceError", "run"]
