"""The face of each dataset: dbt exposures with `meta`, read strictly and without dbt."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ecowarehouse.contracts import Contract, ContractSet, EntityContract, ObservationContract, load_contracts
from ecowarehouse.settings import Settings
from ecowarehouse.yaml_text import read_yaml


class DatasetError(ValueError):
    """A file of exposures that cannot be read as datasets; the message names file, exposure and field."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Strict):
    """A text in the city's languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Period(_Strict):
    """Which column says which period a row belongs to."""

    column: str
    grain: Literal["hour", "day", "month", "year"]


class Publishing(_Strict):
    """Who may publish the dataset, on which ground, since when, and whether the public may read it."""

    authority: str = Field(min_length=1)
    legal_basis: str = Field(min_length=1)
    valid_from: date | None = None
    valid_to: date | None = None
    open: bool
    note: Text


class Dataset(_Strict):
    """What the gate judges, the release releases and readers read."""

    dataset: str = Field(pattern=r"^[a-z][a-z_]*\.[a-z][a-z0-9_]*$")
    title: Text
    key: tuple[str, ...] = Field(min_length=1)
    period: Period
    feeds: tuple[str, ...] = Field(
        description="their clocks and lateness decide open or closed; none: all feeds, and rows say what is awaited"
    )
    joined_by: timedelta | None = Field(
        default=None,
        description="further feeds belong to it by their contracts: those of the element that give values of this"
        " averaging time, which are the ones that its mart reads",
    )
    of_entities: tuple[str, ...] = Field(
        default=(),
        description="further feeds belong to it: those that keep one of these entities, which its mart reads",
    )
    publishing: Publishing
    open_columns: tuple[str, ...] = ()

    @field_validator("key", "feeds", "open_columns", mode="before")
    @classmethod
    def _no_repetition(cls, value: Any) -> Any:
        if isinstance(value, list) and len(set(map(str, value))) != len(value):
            raise ValueError("names an entry twice")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Dataset:
        if self.period.column not in self.key:
            raise ValueError(f"period column {self.period.column!r} is not part of the key")
        if self.publishing.open and not self.open_columns:
            raise ValueError("open, but open_columns names none")
        return self

    @property
    def element(self) -> str:
        """`air` of `air.station_hour`: also the schema of its mart."""
        return self.dataset.split(".")[0]

    def with_feeds_of(self, found: ContractSet) -> Dataset:
        """The dataset with every feed that joins it by its contract.

        A broken contract of the element joins too: nobody knows what it gives, so nothing may be closed, and no
        source named, without it.
        """
        if self.joined_by is None and not self.of_entities:
            return self
        joining = [one.feed for one in found.of_element(self.element) if self._reads(one)]
        joining += [one.feed_guess for one in found.broken.values() if one.element_guess == self.element]
        return self.model_copy(update={"feeds": tuple(dict.fromkeys([*self.feeds, *sorted(joining)]))})

    def _reads(self, contract: Contract) -> bool:
        """Whether what the feed gives reaches this dataset's mart."""
        if isinstance(contract, ObservationContract):
            return any(channel.averaging == self.joined_by for channel in contract.channels.values())
        return isinstance(contract, EntityContract) and contract.entity in self.of_entities

    @property
    def table(self) -> str:
        """`station_hour` of `air.station_hour`."""
        return self.dataset.split(".")[1]

    @property
    def relation(self) -> str:
        """The mart that holds the candidates, as schema.table."""
        return self.dataset

    @property
    def as_of_relation(self) -> str:
        """The view that works the same rows out again for eco.as_of and eco.judge_by."""
        return f"as_of.{self.element}__{self.table}"

    @property
    def grain(self) -> Literal["hour", "day", "month", "year"]:
        """Length of a period."""
        return self.period.grain

    @property
    def period_column(self) -> str:
        """The column that says the period of a row."""
        return self.period.column


def load_datasets(settings: Settings | None = None) -> list[Dataset]:
    """All datasets of the dbt project, by name, with the feeds that the city's contracts add.

    Raises:
        DatasetError: a malformed file, a dataset that two exposures name, or one whose mart is another model.
    """
    settings = settings or Settings.load()
    folder = settings.dbt_project / "models" / "marts"
    contracts = load_contracts(settings.city)
    found: dict[str, Dataset] = {}
    for path in sorted(folder.glob("*/*__datasets.yml")):
        for dataset in read_datasets(path):
            if dataset.dataset in found:
                raise DatasetError(f"{path}: dataset {dataset.dataset} is named twice")
            found[dataset.dataset] = dataset.with_feeds_of(contracts)
    return [found[name] for name in sorted(found)]


def has_dataset(settings: Settings, element: str) -> bool:
    """Whether values of the element go anywhere from core.

    Raises:
        DatasetError: as `load_datasets`.
    """
    return any(dataset.element == element for dataset in load_datasets(settings))


def read_datasets(path: Path) -> list[Dataset]:
    """The datasets of one file.

    Raises:
        DatasetError: as `load_datasets`.
    """
    try:
        return list(_datasets(path, path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise DatasetError(f"{path}: {error}") from error
    except (KeyError, TypeError) as error:
        raise DatasetError(
            f"{path}: expected a list `exposures`, each with name, depends_on and meta"
        ) from error


@lru_cache(maxsize=64)
def _datasets(path: Path, text: str) -> tuple[Dataset, ...]:
    """What a file's text says; asked for many times by one process, and never changed."""
    return tuple(_dataset(path, exposure) for exposure in read_yaml(text)["exposures"])


def _dataset(path: Path, exposure: dict[str, Any]) -> Dataset:
    name = exposure["name"]
    try:
        dataset = Dataset.model_validate(exposure.get("meta") or exposure["config"]["meta"])
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'meta'}: {e['msg']}" for e in error.errors())
        raise DatasetError(f"{path}: exposure {name}: {problems}") from error
    model = f"ref('{dataset.element}__{dataset.table}')"
    if exposure["depends_on"] != [model]:
        raise DatasetError(f"{path}: exposure {name}: {dataset.dataset} must depend on {model} alone")
    if name != dataset.dataset.replace(".", "_"):
        raise DatasetError(f"{path}: exposure {name}: must be named {dataset.dataset.replace('.', '_')}")
    return dataset
