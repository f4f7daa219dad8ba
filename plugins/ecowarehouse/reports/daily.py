"""The duty officer's sheet: what was released, as one moment saw it; nothing here asks the wall's clock."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from ecowarehouse.settings import Settings
from ecowarehouse.yaml_text import read_yaml


class ReportError(ValueError):
    """The sheet can't be made; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the sheet; `note` says why it is empty."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class DailyReport:
    """All of it, with the releases that it rests on: element, release, known until."""

    city: Mapping[str, str]
    day: date
    releases: tuple[tuple[str, int, datetime | None], ...]
    sections: tuple[Section, ...]
    synthetic: bool
    figures: Mapping[str, Any] = field(default_factory=dict)

    def section(self, name: str) -> Section:
        """The table of this name."""
        return next(section for section in self.sections if section.name == name)


# The relation that a section reads first: without it nothing of the kind was released yet.
_SECTIONS: Final = {
    "air_now": "shared.air_station_hour",
    "air_yesterday": "shared.air_area_day",
    "air_to_date": "shared.air_area_day",
    "water_sections": "shared.water_section_sample",
    "silent": "shared.air_station_hour",
    "held_back": "governance.dataset_state",
}
_ALSO: Final = {
    "water_sections": ("shared.water_section_month",),
    "silent": ("shared.water_section_sample",),
}


def daily(
    conn: psycopg.Connection[Any], settings: Settings, day: date | None = None, areas: Sequence[str] = ()
) -> DailyReport:
    """The sheet of one morning, read in one snapshot, for `areas` or else the city and its prefecture.

    `day` is the local day on whose morning it is read; by default the day after the newest day with a released hour of
    air ends, or that day itself while it runs: the data's own today.

    Raises:
        ReportError: nothing was released yet.
    """
    city = read_yaml((settings.city / "city.yml").read_text(encoding="utf-8"))
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        releases = tuple(
            conn.execute(
                "select distinct on (element) element, release_id, known_at from governance.release"
                " order by element, release_id desc"
            ).fetchall()
        )
        if not releases:
            raise ReportError("nothing was released yet; run eco cycle")
        chosen = day or _today(conn, settings)
        parameters = {
            "areas": list(areas) or _areas(str(city["code"])),
            "day": chosen,
            **_targets(settings.city / "targets.csv"),
        }
        sections = tuple(_section(conn, name, parameters) for name in _SECTIONS)
    synthetic = any(
        row[section.columns.index("synthetic")]
        for section in sections
        if "synthetic" in section.columns
        for row in section.rows
    )
    return DailyReport(city["name"], chosen, releases, sections, synthetic)


def _today(conn: psycopg.Connection[Any], settings: Settings) -> date:
    if conn.execute("select to_regclass('shared.air_station_hour')").fetchone() == (None,):
        raise ReportError("no hour of air was released yet; give --day")
    row = conn.execute("select max(period_end) from shared.air_station_hour").fetchone()
    if row is None or row[0] is None:
        raise ReportError("no hour of air was released yet; give --day")
    moment: datetime = row[0]
    return moment.astimezone(ZoneInfo(settings.timezone)).date()


def _areas(code: str) -> list[str]:
    """The city, and its prefecture, whose stations speak for it where it has none."""
    return [code, f"{code[:4]}00"]


def _targets(path: Path) -> dict[str, list[Any]]:
    rows: list[dict[str, str]] = []
    if path.exists():
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    return {
        "target_areas": [row["area_code"] for row in rows],
        "target_years": [int(row["year"]) for row in rows],
        "target_indicators": [row["indicator"] for row in rows],
        "target_values": [row["target"] for row in rows],
    }


def _section(conn: psycopg.Connection[Any], name: str, parameters: Mapping[str, Any]) -> Section:
    needed = (_SECTIONS[name], *_ALSO.get(name, ()))
    found = conn.execute(
        "select n from unnest(%s::text[]) n where to_regclass(n) is null", [list(needed)]
    ).fetchall()
    if found:
        return Section(name, (), (), f"not released yet: {', '.join(row[0] for row in found)}")
    text = files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    cursor = conn.execute(text.encode(), parameters)
    columns = tuple(column.name for column in cursor.description or ())
    return Section(name, columns, tuple(cursor.fetchall()))
