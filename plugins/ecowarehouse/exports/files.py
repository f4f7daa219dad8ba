"""Files that are there whole or not at all, named by their content."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TEMPORARY: Final = ".tmp-"
UNFINISHED: Final = ".unfinished"
FILES: Final = "files"
_CHUNK: Final = 1 << 20
_IN_NAME: Final = 16


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a version: its path in the dataset's folder, its size in bytes, its hash."""

    path: str
    bytes: int
    sha256: str

    def stands(self, folder: Path) -> bool:
        """Whether the file is there in its size; what it holds is told by `sha256sum -c`."""
        try:
            return (folder / self.path).stat().st_size == self.bytes
        except OSError:
            return False


def sha256_of(content: bytes) -> str:
    """The hash as hexadecimal text."""
    return hashlib.sha256(content).hexdigest()


def json_bytes(content: Any) -> bytes:
    """JSON as it is written here: readable, in a fixed order of keys, UTF-8, with a newline at its end."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


@contextmanager
def temporary(folder: Path, suffix: str = "") -> Iterator[Path]:
    """A path for work in progress beside where the result belongs; gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=TEMPORARY, suffix=suffix)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def keep(folder: Path, made: Path, stem: str, suffix: str) -> Kept:
    """Give a finished temporary file its name in `files/`: `<stem>.<hash>.<suffix>`; the same content is kept once."""
    sha256, size = _hashed(made)
    kept = Kept(f"{FILES}/{stem}.{sha256[:_IN_NAME]}.{suffix}", size, sha256)
    if not kept.stands(folder):
        _settle(made, folder / kept.path)
    return kept


def keep_bytes(folder: Path, content: bytes, stem: str, suffix: str) -> Kept:
    """The same for content in memory."""
    with temporary(folder / FILES) as path:
        path.write_bytes(content)
        return keep(folder, path, stem, suffix)


def write(path: Path, content: bytes) -> bool:
    """Put content under a fixed name, whole or not at all; returns whether it was different before."""
    try:
        if path.read_bytes() == content:
            return False
    except OSError:
        pass
    with temporary(path.parent) as made:
        made.write_bytes(content)
        _settle(made, path)
    return True


def sweep(folder: Path) -> int:
    """Remove what a killed export left under temporary names; the caller holds the lock of the face."""
    leftovers = list(folder.rglob(f"{TEMPORARY}*"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)


def begin(folder: Path) -> None:
    """Mark a folder in which files come before the manifest that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / UNFINISHED).touch()


def is_unfinished(folder: Path) -> bool:
    """Whether somebody began here and did not end: there may be files that no manifest names."""
    return (folder / UNFINISHED).exists()


def end(folder: Path) -> None:
    """Take the mark away: every file is named."""
    (folder / UNFINISHED).unlink(missing_ok=True)


def _hashed(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _settle(made: Path, final: Path) -> None:
    """Everything of a file is on the disk before its name is, and its name before anything that refers to it."""
    final.parent.mkdir(parents=True, exist_ok=True)
    made.chmod(0o644)
    _fsync(made)
    made.rename(final)
    _fsync(final.parent)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
