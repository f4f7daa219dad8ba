"""Versions that may no longer stand are taken back: their files go, a note stays that says why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ecowarehouse.exports import files, manifest
from ecowarehouse.exports.manifest import Version


def purge(folder: Path, version: Version, reason: dict[str, str]) -> None:
    """Take back one version: a note first, then its manifest; its files go with the next `tidy`.

    Args:
        folder: the dataset's folder; the caller holds the lock of the face.
        version: the version.
        reason: why, in `zh` and `en`.
    """
    files.write(
        folder / f"{version}{manifest.REMOVED}",
        files.json_bytes({"version": str(version), "removed_because": reason}),
    )
    (folder / f"{version}{manifest.PACKAGE}").unlink(missing_ok=True)
    (folder / f"{version}{manifest.SUMS}").unlink(missing_ok=True)


def purge_closed_columns(folder: Path, shown: Sequence[str]) -> list[Version]:
    """Take back versions with a column that the face no longer shows; returns them."""
    found = []
    for version, path in manifest.manifests(folder).items():
        descriptor = manifest.read(path)
        if descriptor is None or not set(manifest.columns(folder, descriptor)) <= set(shown):
            purge(
                folder, version, {"zh": "含有不再公开的字段", "en": "it has a column that is no longer shown"}
            )
            found.append(version)
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
