"""Columns of a dataset with the words, units and demands of dbt's YAML, in the order of the published table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecowarehouse import dictionary
from ecowarehouse.datasets import Dataset
from ecowarehouse.exports.fields import Field
from ecowarehouse.postgres.catalog import Column
from ecowarehouse.settings import Settings
from ecowarehouse.yaml_text import read_yaml


def fields_of(settings: Settings, dataset: Dataset, columns: Sequence[Column]) -> list[Field]:
    """Fields for these published columns; one that the model's YAML does not name is described by its name."""
    model = _model(settings, dataset)
    words = {column.name: column for column in dictionary.model_columns(settings, model)}
    entries = {str(entry["name"]): entry for entry in model.get("columns", ())}
    found = []
    for column in columns:
        known = words.get(column.name)
        found.append(
            Field(
                name=column.name,
                type=column.type.partition("(")[0],
                title=known.zh if known else column.name,
                description=known.en if known else column.name,
                unit=known.unit if known else "",
                constraints=_constraints(dataset, column.name, entries.get(column.name, {})),
            )
        )
    return found


def _model(settings: Settings, dataset: Dataset) -> Mapping[str, Any]:
    path = settings.dbt_project / "models" / "marts" / dataset.element / f"_{dataset.element}__models.yml"
    content = read_yaml(path.read_text(encoding="utf-8"))
    wanted = f"{dataset.element}__{dataset.table}"
    return next((model for model in content["models"] if model["name"] == wanted), {})


def _constraints(dataset: Dataset, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What dbt refuses to build, a reader may rely on: never null, one of a list, between two numbers."""
    found: dict[str, Any] = {}
    never_null = any(one.get("type") == "not_null" for one in entry.get("constraints", ()))
    if never_null or name in dataset.key:
        found["required"] = True
    for test in entry.get("data_tests", ()):
        if not isinstance(test, dict):
            continue
        if "accepted_values" in test:
            found["enum"] = list(test["accepted_values"]["arguments"]["values"])
        if "between" in test:
            limits = test["between"]["arguments"]
            found |= {
                bound: limits[word]
                for bound, word in (("minimum", "low"), ("maximum", "high"))
                if limits.get(word) is not None
            }
    return found
