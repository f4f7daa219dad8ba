"""Versions that may no longer stand are taken back: their files go, a note stays that says why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import psycopg

from ecowarehouse.datasets import Dataset
from ecowarehouse.exports import files, manifest, retracted
from ecowarehouse.exports.manifest import Version
from ecowarehouse.exports.retracted import Retraction

_HANDLED: Final = ".retracted.json"
_CLOSED: Final = {"zh": "含有不再公开的字段", "en": "it has a column that is no longer shown"}
_RETRACTED: Final = {"zh": "含有已撤回的数据", "en": "it has data that were retracted"}
_OLD: Final = {
    "zh": "已被新版本取代，文件保留期已满",
    "en": "a newer version came longer ago than files are kept",
}


def purge_what_may_not_stand(
    conn: psycopg.Connection[Any], dataset: Dataset, folder: Path, keep: timedelta | None = None
) -> list[Version]:
    """After the newest version is written: take back older ones with closed columns, with retracted rows, or too old.

    Costs a look at a few schemas, the decisions and the two oldest manifests; more only if something is taken back.

    Args:
        conn: reads `decision` and `governance`.
        dataset: the dataset.
        folder: its folder on one face; the caller holds the lock of the face.
        keep: how long files of a version stay after a newer one came; None: for ever.
    """
    taken_back = _purge_closed_columns(folder)
    for retraction in retracted.retractions(conn, dataset.dataset):
        taken_back += _purge_retracted(folder, retraction)
    if keep is not None:
        taken_back += _purge_old(folder, keep)
    if taken_back or files.is_unfinished(folder):
        tidy(folder)
        files.end(folder)
    return taken_back


def purge(folder: Path, period_from: datetime, period_to: datetime, before: int) -> list[Version]:
    """Take back every version older than release `before` that has data of these periods; their files go.

    Args:
        folder: the dataset's folder on one face; the caller holds the lock of the face, and the newest version is
            of `before` or later.
        period_from: first moment.
        period_to: last moment, exclusive.
        before: the release in which the data are gone.
    """
    files.begin(folder)
    found = [
        version
        for version, path in manifest.manifests(folder).items()
        if version.release_id < before and _meets(path, period_from, period_to)
    ]
    for version in found:
        _take_back(folder, version, _RETRACTED)
    return found


def tidy(folder: Path) -> int:
    """Remove files of ours that no manifest names; returns how many."""
    named: set[str] = set()
    for version, path in manifest.manifests(folder).items():
        descriptor = manifest.read(path)
        named |= {path.name, f"{version}{manifest.SUMS}"}
        named |= {one.path for one in manifest.files_of(descriptor)} if descriptor else set()
    ours = [*folder.glob(f"{files.FILES}/*"), *folder.glob(f"v*{manifest.SUMS}")]
    gone = [path for path in ours if path.relative_to(folder).as_posix() not in named]
    for path in gone:
        path.unlink()
    return len(gone)


def _take_back(folder: Path, version: Version, reason: dict[str, str]) -> None:
    """A note first, then the manifest goes; files go with the next `tidy`, for others may need them."""
    note = {"version": str(version), "removed_because": reason}
    files.write(folder / f"{version}{manifest.REMOVED}", files.json_bytes(note))
    (folder / f"{version}{manifest.PACKAGE}").unlink(missing_ok=True)
    (folder / f"{version}{manifest.SUMS}").unlink(missing_ok=True)


def _purge_closed_columns(folder: Path) -> list[Version]:
    newest = manifest.latest(folder)
    assert newest is not None
    shown = set(manifest.columns(folder, newest))
    schemas = [manifest.read(path) for path in folder.glob(f"{files.FILES}/schema.*.json")]
    if all(_names(schema) <= shown for schema in schemas):
        return []
    files.begin(folder)
    found = [
        version for version, path in manifest.manifests(folder).items() if not _columns(folder, path) <= shown
    ]
    for version in found:
        _take_back(folder, version, _CLOSED)
    return found


def _purge_old(folder: Path, keep: timedelta) -> list[Version]:
    """Versions that were superseded longer before the newest than files are kept; the clock on the wall has no say."""
    newest = manifest.latest(folder)
    assert newest is not None
    limit = datetime.fromisoformat(newest["last_updated"]) - keep
    found = []
    for (version, _), (_, following) in pairwise(manifest.manifests(folder).items()):
        superseded = manifest.read(following)
        if superseded is None or str(version) == newest["version"]:
            continue
        if datetime.fromisoformat(superseded["last_updated"]) >= limit:
            break
        found.append(version)
    if found:
        files.begin(folder)
    for version in found:
        _take_back(folder, version, _OLD)
    return found


def _purge_retracted(folder: Path, retraction: Retraction) -> list[Version]:
    """Once for each decision and folder: what is written later no longer has the data."""
    handled: Sequence[str] = (manifest.read(folder / _HANDLED) or {}).get("handled", [])
    if retraction.gone_in is None or retraction.identity in handled:
        return []
    found = purge(folder, retraction.period_from, retraction.period_to, retraction.gone_in)
    tidy(folder)
    files.write(folder / _HANDLED, files.json_bytes({"handled": sorted([*handled, retraction.identity])}))
    return found


def _meets(path: Path, period_from: datetime, period_to: datetime) -> bool:
    descriptor = manifest.read(path)
    if descriptor is None:
        return True
    return any(
        datetime.fromisoformat(part.facts["period_from"]) < period_to
        and datetime.fromisoformat(part.facts["period_to"]) > period_from
        for part in manifest.parts_of(descriptor)
    )


def _columns(folder: Path, path: Path) -> set[str]:
    descriptor = manifest.read(path)
    return set(manifest.columns(folder, descriptor)) if descriptor else set()


def _names(schema: dict[str, Any] | None) -> set[str]:
    return {str(field["name"]) for field in schema["fields"]} if schema else set()
