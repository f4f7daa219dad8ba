"""A version of a dataset: one manifest, which is a data package of Frictionless, and what it lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ecowarehouse.exports.facts import Facts
from ecowarehouse.exports.fields import Field
from ecowarehouse.exports.files import Kept, json_bytes, sha256_of
from ecowarehouse.exports.parts import Part
from ecowarehouse.exports.published import Content, Release

#: Raised when files have to be made anew although nothing of the data or their description changed.
FORMAT: Final = 1
LATEST: Final = "latest.json"
PACKAGE: Final = ".datapackage.json"
SUMS: Final = ".SHA256SUMS"
REMOVED: Final = ".removed.json"

_VERSION: Final = re.compile(r"v(\d{6,})(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class Made:
    """One part with its two files, as a manifest tells it."""

    name: str
    release_id: int
    facts: Mapping[str, Any]
    csv: Kept
    parquet: Kept

    @property
    def scales(self) -> dict[str, int]:
        """Decimals that each numeric column of the part needs."""
        return dict(self.facts["decimals"])

    def stands(self, folder: Path) -> bool:
        """Whether both files are there."""
        return self.csv.stands(folder) and self.parquet.stands(folder)


@dataclass(frozen=True, slots=True)
class Version:
    """The name of a version: the release that changed the dataset last, and how often it was described anew."""

    release_id: int
    edition: int = 1

    def __str__(self) -> str:
        return f"v{self.release_id:06d}" + (f".{self.edition}" if self.edition > 1 else "")

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """The version that a name begins with; None if it begins with none."""
        match = _VERSION.fullmatch(text)
        return cls(int(match[1]), int(match[2] or 1)) if match else None


def part_facts(content: Content, part: Part, release: Release) -> dict[str, Any]:
    """What is said of one part, in the manifest and in its Parquet file."""
    return {
        "part": part.name,
        "rows": content.rows,
        "period_from": content.period_from.isoformat(),
        "period_to": content.period_to.isoformat(),
        "known_at": content.known_at.isoformat() if content.known_at else None,
        "synthetic": content.synthetic,
        "editions": [{"standard": name, "mark": mark} for name, mark in content.editions],
        "decimals": content.scales,
        "release_id": release.release_id,
    }


def told(release: Release) -> dict[str, Any]:
    """A release in a manifest: `batches` are the hashes of the bytes that it was the first to bring."""
    return travelling(release) | {"batches": list(release.batches)}


def travelling(release: Release) -> dict[str, Any]:
    """A release in a single file: thousands of batches are one number and one hash there."""
    return {
        "release_id": release.release_id,
        "released_at": release.released_at.isoformat(),
        "known_at": release.known_at.isoformat() if release.known_at else None,
        "code_version": release.code_version,
        "batches_count": len(release.batches),
        "batches_sha256": sha256_of("".join(f"{sha256}\n" for sha256 in release.batches).encode()),
    }


def declaration(facts: Facts, fields: Sequence[Field]) -> str:
    """Identity of everything that is declared: another one makes all files anew, and a further edition."""
    said = {
        "format": FORMAT,
        "facts": facts.declared(),
        "key": list(facts.dataset.key),
        "fields": [one.described() | {"database_type": one.type} for one in fields],
    }
    return sha256_of(json_bytes(said))


def schema(facts: Facts, fields: Sequence[Field]) -> bytes:
    """The Table Schema of every CSV of a version: columns with type, title in Chinese, English words, unit."""
    return json_bytes(
        {
            "fields": [one.described() for one in fields],
            "primaryKey": list(facts.dataset.key),
            "missingValues": [""],
        }
    )


def package(
    facts: Facts,
    version: Version,
    declared: str,
    releases: Mapping[int, Release],
    made: Sequence[Made],
    scales: Mapping[str, int],
    shared: Mapping[str, Kept],
) -> dict[str, Any]:
    """The descriptor. `shared` has the schema and the dictionaries: `schema`, `dictionary-zh`, `dictionary-en`."""
    known = facts.declared()
    release = releases[version.release_id]
    named = {version.release_id, *(one.release_id for one in made)}
    note = facts.dataset.publishing.note
    return {
        "profile": "data-package",
        "name": facts.name,
        "title": f"{facts.dataset.title.zh} · {facts.dataset.title.en}",
        "description": f"{note.zh} · {note.en}",
        "version": str(version),
        "created": release.released_at.isoformat(),
        "last_updated": release.released_at.isoformat(),
        "licenses": known.pop("licenses"),
        "sources": known.pop("sources"),
        "contributors": [{"title": known["authority"], "role": "publisher"}],
        **known,
        **summary(made),
        "scales": dict(scales),
        "release_id": version.release_id,
        "releases": [told(releases[one]) for one in sorted(named)],
        "declaration": declared,
        "resources": [
            *(resource for one in made for resource in _resources(one, shared["schema"].path)),
            *(_described(name, kept) for name, kept in sorted(shared.items())),
        ],
    }


def summary(made: Sequence[Made]) -> dict[str, Any]:
    """Totals over all parts."""
    editions = {(one["standard"], one["mark"]) for part in made for one in part.facts["editions"]}
    return {
        "rows": sum(part.facts["rows"] for part in made),
        "period_from": made[0].facts["period_from"] if made else None,
        "period_to": made[-1].facts["period_to"] if made else None,
        "synthetic": any(part.facts["synthetic"] for part in made),
        "editions": [
            {"standard": name, "mark": mark}
            for name, mark in sorted(editions, key=lambda one: (one[0], one[1] or ""))
        ],
    }


def _resources(part: Made, schema_path: str) -> Iterator[dict[str, Any]]:
    yield {
        "name": part.name,
        "path": part.csv.path,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "compression": "gz",
        "bytes": part.csv.bytes,
        "hash": f"sha256:{part.csv.sha256}",
        "schema": schema_path,
        **part.facts,
    }
    # A file to programs that check packages: not all of them read Parquet. Its schema is inside.
    yield {
        "name": f"{part.name}.parquet",
        "type": "file",
        "path": part.parquet.path,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": part.parquet.bytes,
        "hash": f"sha256:{part.parquet.sha256}",
        "part": part.name,
    }


def _described(name: str, kept: Kept) -> dict[str, Any]:
    return {
        "name": name,
        "type": "file",
        "path": kept.path,
        "format": kept.path.rpartition(".")[2],
        "mediatype": "application/json" if kept.path.endswith(".json") else "text/markdown",
        "encoding": "utf-8",
        "bytes": kept.bytes,
        "hash": f"sha256:{kept.sha256}",
    }


def parts_of(descriptor: Mapping[str, Any]) -> list[Made]:
    """The parts of a manifest read back."""
    files = {str(one["name"]): one for one in descriptor["resources"]}
    return [
        Made(
            name,
            one["release_id"],
            {key: one[key] for key in _FACTS},
            kept_of(one),
            kept_of(files[f"{name}.parquet"]),
        )
        for name, one in files.items()
        if one.get("profile") == "tabular-data-resource"
    ]


_FACTS: Final = (
    "part", "rows", "period_from", "period_to", "known_at", "synthetic", "editions", "decimals",
    "release_id",
)  # fmt: skip


def kept_of(resource: Mapping[str, Any]) -> Kept:
    """The file that a resource names."""
    return Kept(resource["path"], resource["bytes"], resource["hash"].removeprefix("sha256:"))


def files_of(descriptor: Mapping[str, Any]) -> list[Kept]:
    """All files that a manifest names."""
    return [kept_of(one) for one in descriptor["resources"]]


def columns(folder: Path, descriptor: Mapping[str, Any]) -> list[str]:
    """Names of the columns of a version, from its schema."""
    path = next(one["path"] for one in descriptor["resources"] if one["name"] == "schema")
    content = read(folder / path) or {"fields": []}
    return [str(field["name"]) for field in content["fields"]]


def sums(files: Iterable[Kept]) -> bytes:
    """The file for `sha256sum -c`, run in the dataset's folder."""
    return "".join(f"{one.sha256}  {one.path}\n" for one in sorted(files, key=lambda one: one.path)).encode()


def manifests(folder: Path) -> dict[Version, Path]:
    """The manifests that stand in a dataset's folder, by version."""
    found: dict[Version, Path] = {}
    for path in folder.glob(f"v*{PACKAGE}"):
        version = Version.parse(path.name.removesuffix(PACKAGE))
        if version is not None:
            found[version] = path
    return {
        version: found[version] for version in sorted(found, key=lambda one: (one.release_id, one.edition))
    }


def read(path: Path) -> dict[str, Any] | None:
    """A manifest, or `latest.json`; None if it is missing or no JSON."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def latest(folder: Path) -> dict[str, Any] | None:
    """The manifest that `latest.json` names, if it is there with the hash that it should have."""
    pointer = read(folder / LATEST)
    if pointer is None:
        return None
    try:
        content = (folder / str(pointer["datapackage"])).read_bytes()
    except (OSError, KeyError):
        return None
    return json.loads(content) if sha256_of(content) == pointer.get("sha256") else None


def removed(folder: Path, release_id: int) -> list[Version]:
    """Versions of a release that were taken back; their names are not given again."""
    found = (Version.parse(path.name.removesuffix(REMOVED)) for path in folder.glob(f"v*{REMOVED}"))
    return [version for version in found if version is not None and version.release_id == release_id]
