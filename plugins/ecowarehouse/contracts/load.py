"""Reads the contracts of a city. No network, no database, no clock: a DAG file calls this at every parse."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from ecowarehouse.contracts.entity import EntityContract
from ecowarehouse.contracts.model import Contract
from ecowarehouse.contracts.observations import ObservationContract
from ecowarehouse.contracts.open_questions import open_questions
from ecowarehouse.contracts.values import normal_unit
from ecowarehouse.duties import Duties
from ecowarehouse.yaml_text import SafeLoader

_MENDS = {
    "missing": "add it",
    "extra_forbidden": "no such field: take it away or mend its spelling",
    "string_pattern_mismatch": "mend the spelling",
    "literal_error": "use one of the listed words",
    "union_tag_invalid": "use one of the listed words",
    "time_delta_parsing": "write an ISO 8601 duration such as PT1H or P1D",
}


@dataclass(frozen=True, slots=True)
class BrokenContract:
    """A file that is no valid contract: where it is, which feed of which element it seems to be, what to mend."""

    path: Path
    feed_guess: str
    message: str
    element_guess: str = ""


@dataclass(frozen=True, slots=True)
class ContractSet:
    """All contracts of a city, by feed; broken ones by their path under `sources/`."""

    contracts: dict[str, Contract]
    broken: dict[str, BrokenContract]
    paths: dict[str, Path] = field(default_factory=dict)

    def __getitem__(self, feed: str) -> Contract:
        """The contract of a feed.

        Raises:
            KeyError: no valid contract; the message names a broken file of that name, or the feeds there are.
        """
        if feed in self.contracts:
            return self.contracts[feed]
        for broken in self.broken.values():
            if broken.feed_guess == feed:
                raise KeyError(f"the contract of {feed} is broken: {broken.message}")
        raise KeyError(self.unknown(feed))

    def unknown(self, feed: str) -> str:
        """What to tell somebody who named a feed that the city does not have."""
        meant = get_close_matches(feed, self.contracts, n=1)
        guess = f", did you mean {meant[0]}" if meant else ""
        return f"no feed {feed!r}{guess}; there are: {', '.join(self.contracts) or 'none'}"

    @property
    def observations(self) -> dict[str, ObservationContract]:
        """The contracts of feeds of observations, by feed."""
        return {f: c for f, c in self.contracts.items() if isinstance(c, ObservationContract)}

    def of_element(self, element: str) -> list[Contract]:
        """Contracts that feed one element, by feed."""
        return [contract for contract in self.contracts.values() if contract.element == element]

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements that have at least one feed, sorted."""
        return tuple(sorted({contract.element for contract in self.contracts.values()}))


class _ProblemError(ValueError):
    """One file's problem in words for people."""


class _UniqueKeys(SafeLoader):
    """YAML that refuses the same key twice in a mapping: the later one would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise _ProblemError(f"line {line}: {key!r} stands twice in one mapping; keep one")
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_contracts(city: Path, vocabulary: Path | None = None) -> ContractSet:
    """Every contract of a city, the broken ones apart, in a fixed order.

    `vocabulary` is the folder with `property.csv` and `unit.csv`; by default the project's
    seeds. Properties and units are not compared where a file is absent.
    """
    known = _Vocabulary.read(vocabulary or _default_vocabulary())
    duties = Duties.read(city)
    root = city / "sources"
    contracts: dict[str, Contract] = {}
    paths: dict[str, list[Path]] = defaultdict(list)
    broken: dict[str, BrokenContract] = {}
    for path in sorted([*root.rglob("*.yml"), *root.rglob("*.yaml")]):
        try:
            contract = _contract(_text(path))
            _judge(contract, path, known, duties)
            if _open(path):
                raise _ProblemError("")  # what is open is told beside whatever else is wrong
        except _ProblemError as problem:
            told = "\n".join(filter(None, [str(problem), *_open(path)]))
            broken[str(path.relative_to(root))] = _broken(path, city, told, *_guesses(path))
            continue
        contracts[contract.feed] = contract
        paths[contract.feed].append(path)
    for feed, found in paths.items():
        if len(found) > 1:
            contracts.pop(feed)
            names = " and ".join(str(p.relative_to(city)) for p in found)
            for path in found:
                message = f"feed: {feed!r} is named by {names}; rename one of them"
                broken[str(path.relative_to(root))] = _broken(path, city, message, feed)
    return ContractSet(
        contracts={feed: contracts[feed] for feed in sorted(contracts)},
        broken={key: broken[key] for key in sorted(broken)},
        paths={feed: paths[feed][0] for feed in sorted(contracts)},
    )


def _broken(path: Path, city: Path, problem: str, feed: str, element: str = "") -> BrokenContract:
    shown = path.relative_to(city.parent)
    return BrokenContract(path, feed, "\n".join(f"{shown}: {line}" for line in problem.splitlines()), element)


def _guesses(path: Path) -> tuple[str, str]:
    """Which feed of which element a broken file seems to be."""
    try:
        content = _mapping(_text(path))
    except _ProblemError:
        return path.stem, ""
    return str(content.get("feed", path.stem)), str(content.get("element", ""))


def _open(path: Path) -> list[str]:
    try:
        return list(open_questions(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        return []  # which is what is wrong with it


def read_unfinished(path: Path) -> Contract:
    """A contract as it stands, whatever its open questions, vocabulary and duties: for what shows it, never for a run.

    Raises:
        ValueError: no contract at all; one line for each field to mend.
    """
    return _contract(_text(path))


@lru_cache(maxsize=1024)
def _contract(text: str) -> Contract:
    """What a text says; asked for many times by one process, and never changed."""
    return validate(_mapping(text))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _ProblemError(f"no UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except OSError as error:
        raise _ProblemError(f"can't be read: {error.strerror}") from error


def _mapping(text: str) -> dict[str, Any]:
    try:
        content = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise _ProblemError(f"no valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise _ProblemError("is no mapping of fields; start with `feed: <name>`")
    return content


def validate(content: dict[str, Any]) -> Contract:
    """The contract that a mapping of plain values says, as a YAML file gives it.

    Raises:
        ValueError: with one line for each field to mend.
    """
    try:
        # By way of JSON, because only there do strict models take durations, dates and decimals as text.
        return _kind(content).model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        lines = [_line(item) for item in error.errors(include_url=False)]
        raise _ProblemError("\n".join(dict.fromkeys(lines))) from error


def _kind(content: Mapping[str, Any]) -> type[Contract]:
    return EntityContract if "entity" in content else ObservationContract


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a contract, for editors."""
    adapter: TypeAdapter[Contract] = TypeAdapter(ObservationContract | EntityContract)
    return {**adapter.json_schema(by_alias=True), "title": "Contract of a feed"}


def _line(item: Any) -> str:
    kind = str(item["type"])
    where = ".".join(str(part) for part in item["loc"]) or "contract"
    message = str(item["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        return f"{where}: is missing; add it"
    whole = kind == "value_error" and isinstance(item["input"], Mapping)
    found = "" if whole else f"; found {_shown(item['input'])}"
    mend = _MENDS.get(kind)
    return f"{where}: {message[:1].lower()}{message[1:]}{found}" + (f"; {mend}" if mend else "")


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _judge(contract: Contract, path: Path, known: _Vocabulary, duties: Duties) -> None:
    problems = []
    if path.stem != contract.feed:
        problems.append(f"feed: {contract.feed!r} is not the file's name; rename it {contract.feed}.yml")
    if (lacking := duties.problem(contract.department, contract.element)) is not None:
        problems.append(f"department: {lacking}")
    channels = contract.channels if isinstance(contract, ObservationContract) else {}
    for name, channel in channels.items():
        problems += [f"channels.{name}.{text}" for text in known.problems(channel.property, channel.unit)]
        if channel.original_unit != channel.unit:
            problems += [f"channels.{name}.original_{t}" for t in known.unit_problems(channel.original_unit)]
    if problems:
        raise _ProblemError("\n".join(problems))


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Properties with their canonical units, and units; None where the seed is absent."""

    properties: dict[str, str] | None
    units: frozenset[str] | None

    @classmethod
    def read(cls, folder: Path) -> _Vocabulary:
        properties = _rows(folder / "property.csv")
        units = _rows(folder / "unit.csv")
        return cls(
            None if properties is None else {row["property"]: normal_unit(row["unit"]) for row in properties},
            None if units is None else frozenset(normal_unit(row["unit"]) for row in units),
        )

    def problems(self, name: str, unit: str) -> list[str]:
        problems = []
        if self.properties is not None and name not in self.properties:
            problems.append(f"property: {name!r} is not in the vocabulary; add it to vocabulary/property.csv")
        canonical = (self.properties or {}).get(name)
        if canonical and canonical != unit:
            problems.append(
                f"unit: {unit!r} is not the unit of {name} in the vocabulary ({canonical!r}); "
                "write that one, with original_unit and factor for what is received"
            )
        return problems + self.unit_problems(unit)

    def unit_problems(self, unit: str) -> list[str]:
        if self.units is None or unit in self.units:
            return []
        return [f"unit: {unit!r} is not in the vocabulary; add it to vocabulary/unit.csv"]


def _rows(path: Path) -> list[dict[str, str]] | None:
    if not path.exists():
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _default_vocabulary() -> Path:
    return Path(__file__).resolve().parents[3] / "dbt_project" / "seeds" / "vocabulary"
