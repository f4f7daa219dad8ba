"""Bytes are kept once by their hash, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ecowarehouse.landing import store

PAYLOAD = b"\x00\xff feed" * 400_000  # more than one chunk
DIGEST = hashlib.sha256(PAYLOAD).hexdigest()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("as_file", [True, False], ids=["file", "bytes"])
def test_bytes_are_kept_as_received_under_their_hash(tmp_path: Path, as_file: bool) -> None:
    source = tmp_path / "received"
    source.write_bytes(PAYLOAD)
    kept = store.keep(tmp_path / "store", source if as_file else PAYLOAD, "a_feed")
    assert kept == store.KeptBytes(DIGEST, f"{DIGEST[:2]}/{DIGEST}", len(PAYLOAD))
    assert (tmp_path / "store" / kept.address).read_bytes() == PAYLOAD
    assert source.read_bytes() == PAYLOAD
    assert (tmp_path / "store" / kept.address).stat().st_mode & 0o007 == 0, "nobody else reads them"


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    first = store.keep(tmp_path, PAYLOAD, "a_feed")
    inode = (tmp_path / first.address).stat().st_ino
    assert store.keep(tmp_path, PAYLOAD, "a_feed") == first
    assert files(tmp_path) == [first.address]
    assert (tmp_path / first.address).stat().st_ino == inode, "what a ledger row names is never written again"


def test_two_at_once_keep_one_whole_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: store.keep(tmp_path, PAYLOAD, "a_feed").address, range(16)))
    assert files(tmp_path) == sorted(found)
    assert (tmp_path / found.pop()).read_bytes() == PAYLOAD


@pytest.mark.parametrize("call", ["fsync", "fdopen"])
def test_a_failure_on_the_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(OSError, match="No space"):
            store.keep(tmp_path, b"x", "a_feed")
    assert files(tmp_path) == []
    assert store.keep(tmp_path, b"x", "a_feed").size == 1


def test_the_name_appears_only_when_all_bytes_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def noted_fsync(descriptor: int) -> None:
        order.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")  # noqa: PTH112
        fsync(descriptor)

    def noted_rename(path: Path, target: Path) -> Path:
        order.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    store.keep(tmp_path, b"x", "a_feed")
    assert order[:2] == ["file", "rename"]
    assert order[2:] == ["folder", "folder"]


def test_leftovers_of_killed_attempts_are_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = store.keep(tmp_path, b"x", "a_feed")
    (tmp_path / ".incoming.a_feed.dead").write_bytes(b"half")
    assert store.remove_leftovers(tmp_path, "a_feed") == 1
    assert files(tmp_path) == [kept.address]
    assert store.remove_leftovers(tmp_path, "a_feed") == 0
