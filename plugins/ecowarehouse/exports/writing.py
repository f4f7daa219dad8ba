"""One dataset's version on one face: from released rows to `latest.json`, each file whole before it is named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from ecowarehouse.exports import files, manifest, pages, published, tables
from ecowarehouse.exports.described import fields_of
from ecowarehouse.exports.faces import columns_shown
from ecowarehouse.exports.facts import Facts
from ecowarehouse.exports.fields import Field, common_scales
from ecowarehouse.exports.files import Kept
from ecowarehouse.exports.manifest import Made, Version
from ecowarehouse.exports.parts import Part
from ecowarehouse.exports.published import Content, Release
from ecowarehouse.settings import Settings


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one dataset; `parts`: how many were made anew, of how many."""

    version: str
    parts: int
    of: int


@dataclass(frozen=True, slots=True)
class _Work:
    """One dataset on its way; `releases` has every release that one of its parts refers to."""

    conn: psycopg.Connection[Any]
    facts: Facts
    fields: Sequence[Field]
    folder: Path
    releases: Mapping[int, Release]

    @property
    def zone(self) -> str:
        return self.facts.city.timezone


def write_dataset(
    conn: psycopg.Connection[Any], settings: Settings, facts: Facts, folder: Path
) -> Written | None:
    """Bring one dataset's folder to its newest release; None if nothing of it was ever released.

    Args:
        conn: in one repeatable-read transaction, as a role that reads `published` and `governance`.
        settings: where dbt's YAML is.
        facts: the dataset, its face and what is declared of it.
        folder: the dataset's folder; the caller holds the lock of the face.

    Raises:
        ExportError: a column that no file can carry, or a value that no decimal of Parquet can.
    """
    parts = published.changed_parts(conn, facts.dataset, facts.city.timezone)
    if not parts:
        return None
    columns = published.published_columns(conn, facts.dataset)
    shown = set(columns_shown(facts.dataset, facts.face, [column.name for column in columns]))
    fields = fields_of(settings, facts.dataset, [column for column in columns if column.name in shown])
    declared = manifest.declaration(facts, fields)
    before = manifest.latest(folder)
    newest = max(part.release_id for part in parts)
    releases = published.releases(conn, [part.release_id for part in parts])
    if before is not None and _holds(before, folder, releases[newest], declared):
        return Written(before["version"], 0, len(parts))
    files.begin(folder)
    work = _Work(conn, facts, fields, folder, releases)
    kept = _reusable(before, folder, declared, releases)
    made, scales, anew = _parts(work, parts, kept, dict(before["scales"]) if kept and before else {})
    version = _version(folder, releases[newest], declared)
    _tell(work, version, declared, made, scales)
    return Written(str(version), anew, len(parts))


def _holds(before: Mapping[str, Any], folder: Path, newest: Release, declared: str) -> bool:
    same = _is_of(before, newest) and before["declaration"] == declared
    return same and all(one.stands(folder) for one in manifest.files_of(before))


def _is_of(descriptor: Mapping[str, Any], release: Release) -> bool:
    """Whether a manifest is of this very release: after a restore of the database numbers are given again."""
    moment = release.released_at.isoformat()
    return bool(descriptor["release_id"] == release.release_id and descriptor["last_updated"] == moment)


def _reusable(
    before: Mapping[str, Any] | None, folder: Path, declared: str, releases: Mapping[int, Release]
) -> dict[str, Made]:
    """Parts of the last version whose files stand, of releases that are still those, described as now."""
    if before is None or before["declaration"] != declared:
        return {}
    then = {one["release_id"]: one["released_at"] for one in before["releases"]}
    now = {number: release.released_at.isoformat() for number, release in releases.items()}
    return {
        made.name: made
        for made in manifest.parts_of(before)
        if made.stands(folder) and then[made.release_id] == now.get(made.release_id)
    }


def _parts(
    work: _Work, parts: Sequence[Part], kept: Mapping[str, Made], scales_before: Mapping[str, int]
) -> tuple[list[Made], dict[str, int], int]:
    """All parts with rows, the scales that they share, and how many were made anew."""
    contents: dict[str, Content] = {}
    standing: dict[str, Made] = {}
    for part in parts:
        known = kept.get(part.name)
        if known is not None and known.release_id == part.release_id:
            standing[part.name] = known
        elif found := published.content(work.conn, work.facts.dataset, part, work.fields, work.zone):
            contents[part.name] = found
    scales = common_scales(
        [one.scales for one in standing.values()] + [one.scales for one in contents.values()]
    )
    if scales != scales_before:
        # A type holds for all files of a version: those that stand are made again, with the rows they have.
        for part in parts:
            if part.name in standing:
                again = published.content(work.conn, work.facts.dataset, part, work.fields, work.zone)
                if again is not None:
                    contents[part.name] = again
        standing = {}
    made = [
        standing[part.name] if part.name in standing else _make(work, part, contents[part.name], scales)
        for part in parts
        if part.name in standing or part.name in contents
    ]
    return made, scales, len(contents)


def _make(work: _Work, part: Part, content: Content, scales: Mapping[str, int]) -> Made:
    release = work.releases[part.release_id]
    facts = manifest.part_facts(content, part, release)
    query = published.rows_query(work.facts.dataset, part, work.fields, work.zone)
    said = work.facts.declared() | facts | {"release": manifest.travelling(release)}
    travelling = {"ecowarehouse": json.dumps(said, ensure_ascii=False)}
    with (
        files.temporary(work.folder / files.FILES) as csv,
        files.temporary(work.folder / files.FILES) as parquet,
    ):
        tables.write_csv(work.conn, query, csv)
        tables.write_parquet(csv, work.fields, scales, work.zone, travelling, parquet)
        return Made(
            part.name,
            part.release_id,
            facts,
            files.keep(work.folder, csv, part.name, "csv.gz"),
            files.keep(work.folder, parquet, part.name, "parquet"),
        )


def _version(folder: Path, release: Release, declared: str) -> Version:
    """The name under which this was written before, or the next free one of the release."""
    editions = {
        version: manifest.read(path)
        for version, path in manifest.manifests(folder).items()
        if version.release_id == release.release_id
    }
    for version, found in editions.items():
        if found is not None and found.get("declaration") == declared and _is_of(found, release):
            return version
    taken = [*editions, *manifest.removed(folder, release.release_id)]
    return Version(release.release_id, max((version.edition for version in taken), default=0) + 1)


def _tell(
    work: _Work,
    version: Version,
    declared: str,
    made: Sequence[Made],
    scales: Mapping[str, int],
) -> None:
    """Schema and dictionary, then hashes, then the manifest, then `latest.json`."""
    shared: dict[str, Kept] = {
        "schema": files.keep_bytes(work.folder, manifest.schema(work.facts, work.fields), "schema", "json")
    }
    for language in pages.LANGUAGES:
        page = pages.dictionary_page(work.facts, work.fields, language)
        shared[f"dictionary-{language}"] = files.keep_bytes(work.folder, page, f"dictionary.{language}", "md")
    descriptor = manifest.package(work.facts, version, declared, work.releases, made, scales, shared)
    content = files.json_bytes(descriptor)
    name = f"{version}{manifest.PACKAGE}"
    itself = Kept(name, len(content), files.sha256_of(content))
    files.write(
        work.folder / f"{version}{manifest.SUMS}", manifest.sums([*manifest.files_of(descriptor), itself])
    )
    files.write(work.folder / name, content)
    files.write(
        work.folder / manifest.LATEST,
        files.json_bytes(_pointer(work.facts, version, work.releases[version.release_id], itself, shared)),
    )


def _pointer(
    facts: Facts, version: Version, release: Release, itself: Kept, shared: Mapping[str, Kept]
) -> dict[str, Any]:
    moment: datetime = release.released_at
    return {
        "dataset": facts.dataset.dataset,
        "version": str(version),
        "last_updated": moment.isoformat(),
        "datapackage": itself.path,
        "sha256": itself.sha256,
        "sums": f"{version}{manifest.SUMS}",
        "dictionary": {language: shared[f"dictionary-{language}"].path for language in pages.LANGUAGES},
    }
