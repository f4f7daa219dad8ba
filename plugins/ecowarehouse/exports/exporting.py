"""One face brought up to what is released, dataset by dataset, the index last; repeatable without effect."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from filelock import FileLock

from ecowarehouse import ledger
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.datasets import Dataset, load_datasets
from ecowarehouse.exports import faces, files, index, manifest, purging
from ecowarehouse.exports.faces import ExportError, Face
from ecowarehouse.exports.facts import Facts, facts_of, folder_name, of_city
from ecowarehouse.exports.gate_state import gate_state
from ecowarehouse.exports.page import write_page
from ecowarehouse.exports.writing import Written, write_dataset
from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import City, Settings

ROLE = "eco_release"


@dataclass
class ExportResult:
    """What one export did, by dataset: versions that stand, reasons why nothing is shown, what went wrong."""

    face: Face
    folder: Path
    outcome: ledger.Outcome = "nothing_to_do"
    elements: list[str] = field(default_factory=list)
    seconds: float = 0.0
    written: dict[str, Written] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """For the ledger and for --json."""
        return {
            "face": self.face,
            "folder": str(self.folder),
            "outcome": self.outcome,
            "elements": self.elements,
            "datasets": {name: asdict(one) for name, one in sorted(self.written.items())},
            "seconds": round(self.seconds, 3),
            "withheld": self.withheld,
            "failed": self.failed,
        }


@dataclass(frozen=True, slots=True)
class _House:
    """What is declared, read once."""

    settings: Settings
    city: City
    datasets: Sequence[Dataset]
    contracts: dict[str, Contract]
    today: date
    keep: timedelta | None


def export(
    conn: psycopg.Connection[Any],
    settings: Settings | None = None,
    datasets: Collection[str] = (),
    *,
    elements: Collection[str] = (),
    face: Face = "open",
    out: Path | None = None,
    today: date | None = None,
    keep: timedelta | None = None,
    run_id: str | None = None,
) -> ExportResult:
    """Write the newest released version of these datasets, or of all, into `<out>/<face>/`.

    What has not changed keeps its files and every byte of them. A kill at any moment leaves what was readable;
    running it again completes it. One broken dataset does not stop the others.

    Args:
        conn: a connection whose login may act as `eco_release`, not in autocommit.
        settings: this process's by default.
        datasets: all of the face if neither these nor elements are given.
        elements: all datasets of these elements; an element may have none on the face.
        face: `open` for the public, `shared` for departments.
        out: `ECO_HOME/export` by default.
        today: the date by which the validity of publishing is judged; the city's by default.
        keep: how long files of a version stay after a newer one came; what the city declares by default.
        run_id: the run that asks, for the ledger.

    Raises:
        ExportError: an unknown dataset; or one that could not be exported, after the others and the index were.
        LockNotObtained: another export of the same folder has been running for too long.
    """
    settings = settings or Settings.load()
    house = _house(conn, settings, today, keep)
    wanted = _wanted(house, datasets, elements, face)
    root = (out or settings.exports).expanduser().resolve()
    result = ExportResult(face, root / face, elements=_elements(house, datasets, elements))
    with (
        acting_as(conn, ROLE),
        ledger.step(conn, "export", subject(settings, face, root), run_id=run_id) as attempt,
        _alone(root, face),
    ):
        conn.execute("set transaction isolation level repeatable read")
        began = time.perf_counter()
        _export(conn, house, wanted, result)
        result.seconds = time.perf_counter() - began
        attempt.outcome, attempt.figures = result.outcome, result.summary()
        if result.failed:
            # The index was written all the same: what could be exported, is.
            told = "; ".join(f"{name}: {problem}" for name, problem in sorted(result.failed.items()))
            raise ExportError(f"not exported: {told}")
    return result


def subject(settings: Settings, face: Face, root: Path | None = None) -> str:
    """How the ledger names exports into a folder: by the face alone where they belong."""
    return face if root is None or root == settings.exports else f"{face} {root}"


def _house(
    conn: psycopg.Connection[Any], settings: Settings, today: date | None, keep: timedelta | None
) -> _House:
    city = City.read(settings.city)
    contracts = load_contracts(settings.city)
    here = today or datetime.now(ZoneInfo(city.timezone)).date()
    declared = load_datasets(settings)
    # A proposed contract that nobody has finished is no source; one that broke after it had delivered still is.
    delivered = _delivered(conn, {feed for dataset in declared for feed in dataset.feeds})
    datasets = of_city(declared, {*contracts.contracts, *delivered})
    return _House(
        settings, city, datasets, contracts.contracts, here, city.keep_exports if keep is None else keep
    )


def _delivered(conn: psycopg.Connection[Any], feeds: Collection[str]) -> set[str]:
    """Feeds that ever delivered something, whether the city still has their contracts or not."""
    with acting_as(conn, ROLE):
        rows = conn.execute(
            "select f.feed from unnest(%s::text[]) as f (feed) where exists ("
            "select from landing.batch as b where b.feed = f.feed and b.outcome in ('loaded', 'partial', 'unchanged'))",
            [sorted(feeds)],
        ).fetchall()
    return {feed for (feed,) in rows}


def export_standing(
    conn: psycopg.Connection[Any],
    settings: Settings,
    elements: Collection[str] = (),
    *,
    run_id: str | None = None,
) -> list[ExportResult]:
    """What a cycle exports: the open face, and the other one where somebody has exported it before.

    Raises:
        ExportError, LockNotObtained: as `export`.
    """
    chosen = [
        face for face in faces.FACES if face == "open" or (settings.exports / face / index.INDEX).exists()
    ]
    return [export(conn, settings, elements=elements, face=face, run_id=run_id) for face in chosen]


def _elements(house: _House, datasets: Collection[str], elements: Collection[str]) -> list[str]:
    """Elements that are exported in full, which is what the element's DAG asks the ledger for."""
    if datasets:
        return []
    return sorted(elements or {one.element for one in house.datasets})


def _wanted(house: _House, datasets: Collection[str], elements: Collection[str], face: Face) -> list[Dataset]:
    shown = [one for one in house.datasets if faces.is_shown(one, face)]
    if elements:
        shown = [one for one in shown if one.element in elements]
    if unknown := sorted(set(datasets) - {one.dataset for one in shown}):
        known = ", ".join(one.dataset for one in shown)
        raise ExportError(f"the face {face} has no dataset {', '.join(unknown)}; it has: {known}")
    return [one for one in shown if not datasets or one.dataset in datasets]


def _alone(root: Path, face: Face) -> FileLock:
    """The lock of a folder, beside it: two databases may be told to write one folder."""
    root.mkdir(parents=True, exist_ok=True)
    return FileLock(root / f".{face}.lock")


def _export(
    conn: psycopg.Connection[Any], house: _House, wanted: Sequence[Dataset], result: ExportResult
) -> None:
    root = result.folder
    root.mkdir(parents=True, exist_ok=True)
    changed = files.sweep(root) > 0
    changed = _close(house, result) or changed
    for dataset in wanted:
        changed = _one(conn, house, dataset, result) or changed
    if result.face == "open":
        changed = write_page(conn, house.settings, house.city, house.datasets, root) or changed
    changed = _write_index(conn, house, result) or changed
    result.outcome = "done" if changed else "nothing_to_do"


def _close(house: _House, result: ExportResult) -> bool:
    """Remove folders of datasets that the face does not show, or not on this day; returns whether there was one."""
    offered = {
        folder_name(one)
        for one in house.datasets
        if faces.is_shown(one, result.face) and not faces.withheld(one, result.face, house.today)
    }
    gone = [
        path.parent for path in result.folder.glob(f"*/{manifest.LATEST}") if path.parent.name not in offered
    ]
    for folder in gone:
        (folder / manifest.LATEST).unlink()
        shutil.rmtree(folder)
    return bool(gone)


def _one(conn: psycopg.Connection[Any], house: _House, dataset: Dataset, result: ExportResult) -> bool:
    """Bring one dataset up; returns whether anything a reader sees is different."""
    reason = faces.withheld(dataset, result.face, house.today)
    if reason is not None:
        result.withheld[dataset.dataset] = reason.en
        return False
    folder = result.folder / folder_name(dataset)
    before = manifest.read(folder / manifest.LATEST)
    try:
        facts = facts_of(dataset, result.face, house.city, house.contracts)
        written = write_dataset(conn, house.settings, facts, folder)
    except ExportError as problem:
        result.failed[dataset.dataset] = str(problem)
        return False
    if written is None:
        return False
    result.written[dataset.dataset] = written
    taken_back = purging.purge_what_may_not_stand(conn, dataset, folder, house.keep)
    return bool(taken_back) or before != manifest.read(folder / manifest.LATEST)


def _write_index(conn: psycopg.Connection[Any], house: _House, result: ExportResult) -> bool:
    entries = []
    for dataset in house.datasets:
        if not faces.is_shown(dataset, result.face):
            continue
        facts: Facts = facts_of(dataset, result.face, house.city, house.contracts)
        withheld = faces.withheld(dataset, result.face, house.today)
        state = gate_state(conn, dataset.dataset)
        entries.append(index.entry(facts, state, result.folder / facts.name, withheld))
    return files.write(result.folder / index.INDEX, files.json_bytes(index.index(house.city, entries)))
