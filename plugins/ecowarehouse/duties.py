"""Who has which duty for which element: `departments.yml` and `duties.csv` of a city, read here and nowhere else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ecowarehouse.settings import Settings
from ecowarehouse.yaml_text import read_yaml

# Kinds that can answer for an element, the weightiest first; the others look on.
_ANSWERS: Final = ("lead", "joint", "support", "provides_data")
_DECIDES: Final = ("lead", "joint")
_READS: Final = "reads"
KINDS: Final = (*_ANSWERS, "supervises", _READS)
NOBODY: Final = "unassigned"


class DutyError(ValueError):
    """A line of `duties.csv` that makes no sense; the message names it and what is expected."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One department's duty for one element, from its first day to its last."""

    department: str
    element: str
    kind: str
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        """Whether the duty is one on that day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Duties:
    """All duties of a city; `departments` is None where the city names none."""

    departments: frozenset[str] | None
    duties: tuple[Duty, ...]

    @classmethod
    def read(cls, city: Path) -> Duties:
        """The duties of a city folder; no file, no duties.

        Raises:
            DutyError: a line that cannot be read.
        """
        known = departments(city)
        found = tuple(_read(city / "duties.csv"))
        strange = {duty.department for duty in found} - set(known)
        if known and strange:
            raise DutyError(
                f"{city / 'duties.csv'}: not in departments.yml: {', '.join(sorted(strange))};"
                f" add it or mend the spelling ({', '.join(sorted(known))})"
            )
        return cls(frozenset(known) or None, found)

    def problem(self, department: str, element: str) -> str | None:
        """Why the department may not deliver for the element; None if it may.

        A duty that has ended counts: the files of its days are still to be read, and no clock is asked.
        """
        if self.departments is not None and department not in self.departments:
            known = ", ".join(sorted(self.departments))
            return f"{department!r} is not in departments.yml ({known}); add it or mend the spelling"
        kinds = {
            duty.kind for duty in self.duties if (duty.department, duty.element) == (department, element)
        }
        if kinds - {_READS}:
            return None
        only = ": it only reads" if kinds else ""
        return (
            f"{department!r} has no duty for {element!r} in duties.csv{only}; add the row with its document"
        )

    def may_decide(self, department: str, element: str, on: date) -> bool:
        """Whether people of the department may review and correct values of the element on a day.

        Those who answer for it: lead and joint; and who delivers decides about its own values alone (`delivers`).
        """
        return self._has(department, element, on, _DECIDES)

    def delivers(self, department: str, element: str, on: date) -> bool:
        """Whether the department has a duty for the element on a day by which it stands for what it delivers."""
        return self._has(department, element, on, _ANSWERS)

    def _has(self, department: str, element: str, on: date, kinds: tuple[str, ...]) -> bool:
        return any(
            duty.department == department
            and duty.element == element
            and duty.kind in kinds
            and duty.holds_on(on)
            for duty in self.duties
        )

    def owner(self, element: str, on: date) -> str:
        """The department whose duty for the element weighs most that day; among equals the first by name."""
        found = [
            (_ANSWERS.index(duty.kind), duty.department)
            for duty in self.duties
            if duty.element == element and duty.kind in _ANSWERS and duty.holds_on(on)
        ]
        return min(found)[1] if found else NOBODY


def departments(city: Path) -> dict[str, dict[str, Any]]:
    """What `departments.yml` of a city says of each department, by key; no file, none."""
    path = city / "departments.yml"
    content = read_yaml(path.read_text(encoding="utf-8")) if path.exists() else None
    return content if isinstance(content, dict) else {}


def owner_of(settings: Settings, element: str) -> str:
    """Who answers for an element today, by the city's clock."""
    return Duties.read(settings.city).owner(element, datetime.now(ZoneInfo(settings.timezone)).date())


def _read(path: Path) -> Iterator[Duty]:
    if not path.exists():
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DutyError(f"{path}: is not UTF-8 ({error.reason}). Mend: save it as CSV UTF-8") from error
    for number, row in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=2):
        try:
            yield _duty(row)
        except (KeyError, TypeError, ValueError) as error:
            raise DutyError(
                f"{path}: line {number}: expected department, element, kind ({', '.join(KINDS)}),"
                f" valid_from and valid_to as ISO dates ({error})"
            ) from error


def _duty(row: dict[str, str]) -> Duty:
    if row["kind"] not in KINDS:
        raise ValueError(f"no such kind: {row['kind']!r}")
    since = date.fromisoformat(row["valid_from"])
    until = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
    if until is not None and until < since:
        raise ValueError(f"valid_to {until} is before valid_from {since}")
    return Duty(row["department"], row["element"], row["kind"], since, until)
