"""What a heading may mean: properties and units of the vocabulary by the names that sources give them."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecowarehouse.contracts.values import normal_unit

_IN_BRACKETS: Final = re.compile(r"\s*[(（\[]\s*([^()（）\]]+?)\s*[)）\]]\s*$")
_AFTER_A_LINE: Final = re.compile(r"_([A-Za-zµμ][A-Za-z0-9/%µμ³]{2,})$")
# Kinds of properties that are not named as the element whose feeds give them.
_KINDS: Final = {"air": "concentration"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A property with the unit of the vocabulary, and the unit that the heading names: empty when it names none."""

    property: str
    unit: str
    received_unit: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Properties by every bare name, and units by every bare alias."""

    properties: Mapping[str, tuple[str, str]]
    units: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path, element: str) -> Vocabulary:
        """The vocabulary as an element's feeds speak it: `temperature` is the air's in a feed of weather.

        A name of several properties means the element's own, else none.
        """
        rows = _rows(folder / "property.csv")
        kind = _KINDS.get(element, element)
        own = [row for row in rows if row["kind"] == kind]
        properties = _unambiguous(rows, _full_names) | _unambiguous(own, _short_names)
        properties |= _unambiguous(own, _full_names)
        units = {_bare_unit(row["alias"]): row["unit"] for row in _rows(folder / "unit.csv")}
        return cls(properties, units)

    def meaning_of(self, heading: str) -> Meaning | None:
        """What a column of this heading carries; None when no property is named so."""
        name, unit = self._parts(heading)
        found = self.properties.get(_bare(name)) or self.properties.get(_bare(heading))
        return Meaning(*found, unit) if found else None

    def _parts(self, heading: str) -> tuple[str, str]:
        """A heading's name and the unit it ends with: `气温(℃)`, `PM2.5 [µg/m³]`, `总磷_mgL`."""
        if (inside := _IN_BRACKETS.search(heading)) is not None:
            return heading[: inside.start()], self.units.get(_bare_unit(inside[1]), inside[1])
        if (after := _AFTER_A_LINE.search(heading)) is not None:
            plain = {_bare(alias): unit for alias, unit in self.units.items()}
            if (unit := plain.get(_bare(after[1]))) is not None:
                return heading[: after.start()], unit
        return heading, ""


def _full_names(row: Mapping[str, str]) -> Iterable[str]:
    return (row["property"], row["name_en"], row["name_zh"], row["hj_code"])


def _short_names(row: Mapping[str, str]) -> Iterable[str]:
    return (row["property"].rpartition("_")[2],)


def _unambiguous(
    rows: Iterable[Mapping[str, str]], names: Callable[[Mapping[str, str]], Iterable[str]]
) -> dict[str, tuple[str, str]]:
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        for name in names(row):
            if bare := _bare(name):
                found[bare].add((row["property"], row["unit"]))
    return {name: next(iter(meant)) for name, meant in found.items() if len(meant) == 1}


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _bare_unit(text: str) -> str:
    return normal_unit(text).replace(" ", "").lower()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
