"""What pages are made from, as it is written: YAML, texts in two languages, columns with their units."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from ecowarehouse import yaml_text
from ecowarehouse.settings import Settings

_CHINESE: Final = re.compile(r"[\u3400-\u9fff]")


class DictionaryError(ValueError):
    """A page cannot be made from what is there; the message names the file and what it lacks."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column as people read it."""

    name: str
    type: str
    unit: str
    zh: str
    en: str


def bilingual(text: str) -> tuple[str, str]:
    """Chinese and English of `one · other`, whichever comes first; a text in one language stands for both."""
    first, dot, second = text.partition(" · ")
    if not dot:
        return first, first
    return (second, first) if _CHINESE.search(second) and not _CHINESE.search(first) else (first, second)


def model_columns(settings: Settings, model: Mapping[str, Any]) -> list[Column]:
    """The columns of one model's entry in dbt's YAML, with units by the vocabulary."""
    units = units_of(settings.dbt_project)
    return [column_of(entry, units) for entry in model.get("columns", ())]


def units_of(dbt_project: Path) -> dict[str, str]:
    """Units by each of their spellings."""
    path = dbt_project / "seeds" / "vocabulary" / "unit.csv"
    with path.open(encoding="utf-8", newline="") as text:
        return {row["alias"]: row["unit"] for row in csv.DictReader(text)}


def column_of(entry: dict[str, Any], units: dict[str, str]) -> Column:
    """A column from its entry in dbt's YAML; its unit is the part of the Chinese text that the vocabulary knows."""
    zh, en = bilingual(str(entry.get("description", "")))
    unit = next((units[part] for part in (p.strip() for p in zh.split(",")) if part in units), "")
    return Column(str(entry["name"]), str(entry.get("data_type", "")), unit, zh, en)


def read_yaml(path: Path) -> Any:
    """One YAML file.

    Raises:
        DictionaryError: it cannot be read.
    """
    try:
        return yaml_text.read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DictionaryError(f"{path}: {error}") from error
