"""The page's own data in one file, its code lists and assets; the assets first, the data last."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from ecowarehouse.datasets import Dataset
from ecowarehouse.duties import departments
from ecowarehouse.exports import files
from ecowarehouse.exports.facts import folder_name
from ecowarehouse.exports.page import corrections, newest
from ecowarehouse.exports.page.codelists import verified, write_codelists
from ecowarehouse.exports.page.rows import Row, Standing, standing
from ecowarehouse.settings import City, Settings

FOLDER: Final = "portal"
DATA: Final = "data/page.json"
_PROVINCE: Final = 2  # digits of an area code (GB/T 2260)


def write_page(
    conn: psycopg.Connection[Any], settings: Settings, city: City, datasets: Sequence[Dataset], root: Path
) -> bool:
    """Bring the page beside the files of the open face up to them; returns whether a byte of it changed.

    Args:
        conn: in the export's transaction, as a role that reads `published`, `governance` and `decision`.
        settings: where the assets and the seeds are.
        city: whose page it is.
        datasets: all that are declared, those that are not open too: the page names them and why.
        root: the folder of the open face, with the datasets already written.
    """
    changed = _write_assets(settings.project_root / FOLDER, root / FOLDER)
    changed = write_codelists(conn, settings, root) or changed
    content = files.json_bytes(_Page(conn, settings, city, datasets, root).told())
    return files.write(root / FOLDER / DATA, content) or changed


def _write_assets(source: Path, target: Path) -> bool:
    """Copy what the page consists of; what it no longer consists of goes."""
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    changed = False
    # The entry last: it names the others.
    for path in sorted(wanted, key=lambda one: (one.name == "index.html", one)):
        changed = files.write(target / path, (source / path).read_bytes()) or changed
    standing_ones = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    for path in sorted(standing_ones - wanted - {Path(DATA)}):
        (target / path).unlink()
        changed = True
    return changed


class _Page:
    """What the page shows, gathered once."""

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        settings: Settings,
        city: City,
        datasets: Sequence[Dataset],
        root: Path,
    ) -> None:
        self._conn, self._settings, self._city, self._root = conn, settings, city, root
        self._datasets = {one.dataset: one for one in datasets}
        self._standing = {
            one.dataset: found for one in datasets if (found := standing(root / folder_name(one))) is not None
        }
        self._zone = ZoneInfo(city.timezone)
        self._names = _names_of_province(settings, city)

    def told(self) -> dict[str, Any]:
        """The content of `page.json`."""
        hour = self._standing.get("air.station_hour")
        midnight = newest.today(hour, self._zone) if hour else None
        section = self._standing.get("water.section_sample")
        books = self._standing.get("governance.feed_day")
        samples, versions = newest.samples(section, self._near(section)) if section else ([], [])
        departments = _departments(self._settings)
        return {
            "city": {"code": self._city.code, "zh": self._city.name, "en": self._city.name_en},
            "timezone": self._city.timezone,
            "names": {one["zh"]: one["en"] for one in departments.values()},
            "departments": departments,
            "made_from": {name: one.version for name, one in sorted(self._standing.items())},
            # Judged here as the dictionary judges them, so that the page needs no rule of its own.
            "marks": {mark: verified(mark) for mark in sorted(self._marks())},
            "synthetic": any(one.descriptor["synthetic"] for one in self._standing.values()),
            "air_hour": self._block("air.station_hour", newest.hours(hour, self._near(hour)) if hour else []),
            "air_yesterday": self._day("air.station_day", newest.DAY, "station_code", midnight),
            "air_area_yesterday": self._day("air.area_day", newest.AREA_DAY, "area_code", midnight),
            "water": self._block("water.section_sample", samples),
            "feeds": self._block("governance.feed_day", newest.feeds(books, self._zone) if books else []),
            "corrections": self._corrections(versions),
            "closed": [
                {
                    "dataset": one.dataset,
                    "title": one.title.model_dump(),
                    "authority": one.publishing.authority,
                    "note": one.publishing.note.model_dump(),
                }
                for one in self._datasets.values()
                if not one.publishing.open
            ],
        }

    def _marks(self) -> set[str]:
        """Every mark of a standard that a row on the page may carry."""
        editions = (edition for one in self._standing.values() for edition in one.descriptor["editions"])
        return {edition["mark"] or "" for edition in editions}

    def _block(self, dataset: str, rows: Sequence[Row]) -> dict[str, Any] | None:
        one = self._standing.get(dataset)
        if one is None:
            return None
        said = one.descriptor
        return {
            "dataset": dataset,
            "version": one.version,
            "clock": said["period_to"],
            "authority": said["authority"],
            "note": said["note"],
            "rows": list(rows),
        }

    def _day(self, dataset: str, columns: Sequence[str], key: str, midnight: Any) -> dict[str, Any] | None:
        one = self._standing.get(dataset)
        if one is None or midnight is None:
            return None
        block = self._block(dataset, newest.days(one, columns, key, midnight, self._near(one)))
        before = newest.day_before(midnight)
        return (block or {}) | {"day": before.date().isoformat()}

    def _corrections(self, versions: Sequence[Row]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, more in (
            ("air.station_hour", ("station_name", "area_code", "area_name", "synthetic")),
            ("air.station_day", ("station_name", "area_code", "area_name", "synthetic")),
        ):
            one = self._standing.get(name)
            if one is not None:
                told = corrections.of_releases(
                    self._conn, self._datasets[name], more, self._city.timezone, self._near(one)
                )
                found[name] = corrections.told(told)
        if "water.section_sample" in self._standing:
            name = "water.section_sample"
            found[name] = corrections.told(corrections.of_versions(name, versions))
        return found

    def _near(self, one: Standing | None) -> newest.Near:
        """Rows of the city's province; all of an invented network, which lies in no province."""
        if one is not None and one.descriptor["synthetic"]:
            return lambda row: row.get("synthetic") == "true" or self._is_near(row)
        return self._is_near

    def _is_near(self, row: Row) -> bool:
        code = row.get("area_code")
        if code:
            return code[:_PROVINCE] == self._city.code[:_PROVINCE]
        return any(row.get(column) in self._names for column in ("province", "city", "area_name"))


def _names_of_province(settings: Settings, city: City) -> set[str]:
    """Names by which sources call places of the city's province."""
    path = settings.dbt_project / "seeds" / "vocabulary" / "area_alias.csv"
    with path.open(encoding="utf-8", newline="") as text:
        return {
            row["area_name"]
            for row in csv.DictReader(text)
            if row["area_code"][:_PROVINCE] == city.code[:_PROVINCE]
        }


def _departments(settings: Settings) -> dict[str, dict[str, str]]:
    """Chinese and English names of departments by their codes."""
    return {code: {"zh": one["zh"], "en": one["en"]} for code, one in departments(settings.city).items()}
