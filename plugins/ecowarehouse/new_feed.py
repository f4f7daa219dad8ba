"""A feed on its way from the first file to the first release: what it begins with, and what it still lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.load import read_unfinished
from ecowarehouse.contracts.proposal.times import duration
from ecowarehouse.contracts.scaffold import feed_test, new_files, recorded_folder
from ecowarehouse.contracts.staging import staging_files
from ecowarehouse.datasets import Dataset, load_datasets
from ecowarehouse.gate.suites import SuiteError, suite_of
from ecowarehouse.landing.rehearsal import rehearse
from ecowarehouse.secrets import environment_name, find
from ecowarehouse.settings import Settings


def begin(
    settings: Settings,
    feed: str,
    department: str,
    element: str,
    answers: Sequence[Path] = (),
    transport: str = "http",
) -> Iterator[Path]:
    """Write all files of a new feed; gives each. What exists is left alone.

    Raises:
        ScaffoldError: as `new_files`, before anything is written.
    """
    files = new_files(settings.project_root, settings.city, feed, department, element, answers, transport)
    for path, content in files.items():
        yield _write(path, content)
    landing: dict[str, tuple[int, dict[str, int]]] = {}
    try:
        contract = read_unfinished(settings.city / "sources" / department / f"{feed}.yml")
    except ValueError:
        pass  # an open question leaves no valid contract: `eco source check` names each line
    else:
        for path, text in staging_files(contract, settings.dbt_project).items():
            yield _write(path, text.encode())
        tried = {path.name: rehearse(contract, path) for path in recorded(settings, feed)}
        landing = {name: (found.rows, dict(found.rejects)) for name, found in tried.items()}
    path, text = feed_test(settings.project_root, feed, landing)
    if not path.exists():
        yield _write(path, text.encode())


def recorded(settings: Settings, feed: str) -> list[Path]:
    """The recorded answers of a feed, by name."""
    return sorted(recorded_folder(settings.project_root, feed).glob("*"))


def unreadable(settings: Settings, contract: Contract) -> list[str]:
    """Recorded answers that would not land, in words."""
    found = [(path, rehearse(contract, path)) for path in recorded(settings, contract.feed)]
    return [
        f"{path.relative_to(settings.project_root)}: {one.problem}; mend the contract, or record another answer"
        for path, one in found
        if one.problem is not None
    ]


def next_step(settings: Settings, contract: Contract) -> str:
    """What to do next so that the values of a valid contract reach a release."""
    of_element = [one for one in load_datasets(settings) if one.element == contract.element]
    return next(_lacking(settings, contract, of_element), _ready(contract, of_element))


def _lacking(settings: Settings, contract: Contract, of_element: Sequence[Dataset]) -> Iterator[str]:
    element = contract.element
    if not any(contract.feed in dataset.feeds for dataset in of_element):
        yield _without_dataset(contract, of_element)
    for dataset in of_element:
        try:
            suite_of(settings.expectations, element, dataset.dataset)
        except SuiteError as error:
            yield f"say in expectations/{element}.yml what the gate demands of {dataset.dataset} ({error})"
    for name in contract.connector.secret_names:
        if find(name, settings) is None:
            yield f"say where the source is: export {environment_name(name)}, or add {name} to {settings.secrets_file}"


def _without_dataset(contract: Contract, of_element: Sequence[Dataset]) -> str:
    if of_element:
        wanted = ", ".join(
            f"{one.dataset} ({duration(one.joined_by)})" for one in of_element if one.joined_by is not None
        )
        return f"no dataset of {contract.element} reads values of this averaging time; they read: {wanted}"
    folder = f"dbt_project/models/marts/{contract.element}"
    return (
        f"no dataset of {contract.element} exists: its values stay in core until there are {folder}/ with a mart and"
        f" its exposure in _{contract.element}__datasets.yml (docs/data-model.md, Marts) and a suite in expectations/"
    )


def _ready(contract: Contract, of_element: Sequence[Dataset]) -> str:
    element = contract.element
    reached = " ".join(one.dataset for one in of_element if contract.feed in one.feeds)
    return (
        f"`eco up --database-only`, `eco load {contract.feed}`, `eco build {element}`, `eco gate {element}`,"
        f" `eco publish {reached}`; before you commit, `eco docs`"
    )


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
