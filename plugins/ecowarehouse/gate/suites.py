"""What the gate demands: `expectations/<element>.yml`, read and checked.

A suite that says something the gate would not understand is refused as a whole, with file and field: a limit
that is silently left out would let data through.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

PeriodState = Literal["open", "closed"]

#: Measures that the gate itself provides; a suite may name them without defining them.
PROVIDED = ("rows", "held_rows")
PROVIDED_WITH_SITES = ("sites", "expected_sites", "stations_share", "new_sites")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class SuiteError(ValueError):
    """A suite is missing, unreadable or not understood; the message names the place."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Change(_Strict):
    """One entry of the history of an expectation."""

    on: date
    by: str = Field(min_length=1)
    change: str = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _on_is_no_boolean(cls, content: Any) -> Any:
        """YAML 1.1 reads the key `on` as true."""
        if isinstance(content, dict) and True in content:
            return {"on" if key is True else key: value for key, value in content.items()}
        return content


class WhenNull(_Strict):
    """What a measure means that has no value in a period; without one it fails what is expected of it."""

    then: Literal["pass", "warn", "fail"]
    reason: str = Field(min_length=1)


class Expectation(_Strict):
    """One demand on one measure of every period."""

    name: str
    expect: Literal[
        "column_values_to_be_between", "column_values_to_not_be_null", "column_values_to_be_in_set"
    ]
    measure: str
    min_value: float | None = None
    max_value: float | None = None
    strict_min: bool = False
    strict_max: bool = False
    value_set: list[float] | None = None
    when_null: WhenNull | None = None
    severity: Literal["critical", "warning"]
    applies: Literal["closed", "open", "always"] = "closed"
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    history: list[Change] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_its_limits(self) -> Self:
        between = self.expect == "column_values_to_be_between"
        if between != (self.min_value is not None or self.max_value is not None):
            raise ValueError("min_value or max_value belongs to column_values_to_be_between, and to it alone")
        if (self.expect == "column_values_to_be_in_set") != bool(self.value_set):
            raise ValueError("value_set belongs to column_values_to_be_in_set, and to it alone")
        if self.expect == "column_values_to_not_be_null" and self.when_null:
            raise ValueError("column_values_to_not_be_null says itself what null means: it fails")
        return self

    def applies_to(self, state: PeriodState) -> bool:
        """Whether a period in this state is judged by it."""
        return self.applies in ("always", state)

    def limits(self) -> dict[str, float | bool | list[float]]:
        """The arguments of the expectation, as Great Expectations calls them."""
        if self.expect == "column_values_to_be_in_set":
            return {"value_set": list(self.value_set or [])}
        if self.expect == "column_values_to_not_be_null":
            return {}
        given: dict[str, float | bool | list[float]] = {}
        given |= {"strict_min": self.strict_min, "strict_max": self.strict_max}
        if self.min_value is not None:
            given["min_value"] = self.min_value
        if self.max_value is not None:
            given["max_value"] = self.max_value
        return given

    def demand(self) -> str:
        """The limit in words, for messages."""
        if self.value_set:
            return f"one of {self.value_set}"
        parts = [f"at least {self.min_value:g}"] if self.min_value is not None else []
        parts += [f"at most {self.max_value:g}"] if self.max_value is not None else []
        return " and ".join(parts) or "present"


class HoldRows(_Strict):
    """Rows that stay unpublished by themselves while their period is published."""

    when: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class Sites(_Strict):
    """Which sites report in a period, and which are expected: those that did within the memory before it.

    A site is no longer expected once its memory is over, the register ended it, or somebody wrote down that it left.
    """

    column: str
    reporting: str = "true"
    memory: timedelta = Field(ge=timedelta(hours=1), le=timedelta(days=800))


class DatasetSuite(_Strict):
    """What is measured and demanded of one dataset."""

    measures: dict[str, str] = Field(default_factory=dict)
    sites: Sites | None = None
    expectations: list[Expectation] = Field(default_factory=list)
    hold_rows: HoldRows | None = None

    @field_validator("measures")
    @classmethod
    def _names_are_plain(cls, measures: dict[str, str]) -> dict[str, str]:
        for name in measures:
            if not _NAME.fullmatch(name):
                raise ValueError(f"measure {name!r}: expected lower-case letters, digits and _")
            if name in PROVIDED or name in PROVIDED_WITH_SITES:
                raise ValueError(f"measure {name!r} is provided by the gate; choose another name")
        return measures

    @model_validator(mode="after")
    def _everything_is_known_once(self) -> Self:
        names = [expectation.name for expectation in self.expectations]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expectations {', '.join(twice)}: names must be unique")
        known = set(self.measures) | set(PROVIDED) | set(PROVIDED_WITH_SITES if self.sites else ())
        for expectation in self.expectations:
            if expectation.measure not in known:
                raise ValueError(f"expectation {expectation.name}: unknown measure {expectation.measure!r}")
        return self

    @property
    def hash(self) -> str:
        """Which content of the suite a verdict was given by."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def applicable(self, state: PeriodState) -> list[Expectation]:
        """The expectations for periods in this state."""
        return [expectation for expectation in self.expectations if expectation.applies_to(state)]


class ElementSuite(_Strict):
    """One file."""

    element: str
    datasets: dict[str, DatasetSuite]


def load_suite(folder: Path, element: str) -> ElementSuite:
    """Read `<folder>/<element>.yml`.

    Raises:
        SuiteError: no such file, no YAML, or content that the gate does not understand.
    """
    import yaml

    from ecowarehouse.yaml_text import read_yaml

    path = folder / f"{element}.yml"
    try:
        content = read_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SuiteError(f"no suite: expectations/{path.name} does not exist. Mend: write it") from error
    except (OSError, yaml.YAMLError) as error:
        raise SuiteError(f"expectations/{path.name} cannot be read: {error}") from error
    try:
        suite = ElementSuite.model_validate(content)
    except ValidationError as error:
        found = error.errors()
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found[:5])
        places += f"; and {len(found) - 5} more" if len(found) > 5 else ""
        raise SuiteError(f"expectations/{path.name}: {places}") from error
    if suite.element != element:
        raise SuiteError(f"expectations/{path.name}: says element {suite.element!r}, expected {element!r}")
    return suite


def suite_of(folder: Path, element: str, dataset: str) -> DatasetSuite:
    """The suite of one dataset, with at least one expectation.

    Raises:
        SuiteError: as `load_suite`, or the dataset is missing in the file, or demands nothing.
    """
    suite = load_suite(folder, element).datasets.get(dataset)
    if suite is None:
        raise SuiteError(f"no suite: {dataset} is missing in expectations/{element}.yml. Mend: add it")
    if not suite.expectations:
        raise SuiteError(
            f"empty suite: expectations/{element}.yml demands nothing of {dataset}. Mend: add one"
        )
    return suite
