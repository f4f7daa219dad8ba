"""Received bytes, kept once by their hash."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class KeptBytes:
    """Where the bytes are: `address` is relative to the store, `size` in bytes."""

    sha256: str
    address: str
    size: int


def keep(store: Path, payload: bytes | Path, feed: str) -> KeptBytes:
    """Copy a payload into the store: temporary file, fsync, rename, fsync of the folder.

    The same bytes are kept once. After the return they survive a crash of the machine. The temporary file is
    named by its feed, whose lock the caller holds.
    """
    store.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=store, prefix=_incoming(feed))
    try:
        with os.fdopen(descriptor, "wb") as target:
            sha256, size = _copy(payload, target)
            target.flush()
            os.fsync(target.fileno())
        address = f"{sha256[:2]}/{sha256}"
        final = store / address
        if final.exists():
            Path(temporary).unlink()
        else:
            final.parent.mkdir(exist_ok=True)
            Path(temporary).chmod(0o640)
            Path(temporary).rename(final)
            _fsync_folder(final.parent)
            _fsync_folder(store)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return KeptBytes(sha256, address, size)


def remove_leftovers(store: Path, feed: str) -> int:
    """Remove temporary files of a feed's killed attempts; the caller holds the feed's lock.

    All feeds share the store: other feeds' temporary files may be at work.
    """
    leftovers = list(store.glob(f"{_incoming(feed)}*"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)


def _incoming(feed: str) -> str:
    return f".incoming.{feed}."  # names of feeds have no dot, so none begins with another


def _copy(payload: bytes | Path, target: BinaryIO) -> tuple[str, int]:
    digest = hashlib.sha256()
    if isinstance(payload, bytes):
        digest.update(payload)
        target.write(payload)
        return digest.hexdigest(), len(payload)
    size = 0
    with payload.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
