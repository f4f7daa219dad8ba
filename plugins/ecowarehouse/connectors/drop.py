"""A drop folder: finished files that a department put there, and uploads that are finished when they appear.

    <folder>/x.csv                        put there by people or programs: judged by two looks
    <folder>/uploaded/<receipt>/x.csv     arrived by the upload form: complete since its name is there
    <folder>/taken/...                    landed

A file goes to `taken/` after what it brought has landed; one that was refused stays, and is tried again by each run.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final

from ecowarehouse.connectors import finished
from ecowarehouse.connectors.cursor import Cursor
from ecowarehouse.connectors.delivery import Delivery
from ecowarehouse.connectors.finished import Found, Seen, anything_before
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.transport import DropConnector
from ecowarehouse.formats.sniff import looks_like_html

UPLOADED: Final = "uploaded"
TAKEN: Final = "taken"
_LONGEST_NAME: Final = 255  # bytes, of nearly every file system

logger = logging.getLogger(__name__)


def fetch(
    contract: Contract, connector: DropConnector, folder: Path, cursor: Cursor | None
) -> Iterator[Delivery]:
    """Uploads by receipt, then finished files by name; nothing new is a delivery that is `unchanged`."""
    cursor = cursor or Cursor()
    try:
        _require(folder, made_before=anything_before(cursor.seen))
        # What landed before a crash kept it from being put away.
        put_away(contract, folder, cursor.seen)
        answered = _answered(cursor.seen)  # such an upload could not be put away
        uploads = {source: path for source, path in _uploads(folder).items() if source not in answered}
        choice = _choose(contract, connector, folder, cursor)
    except OSError as error:
        problem = FetchProblem("unreadable", f"{folder}: {error.strerror}")
        yield Delivery(_source(contract, ""), problem=problem, synthetic=contract.synthetic)
        return
    finished.tell_passed(contract.feed, choice)
    for name, why in choice.stuck.items():
        problem = FetchProblem("unfinished", why)
        yield Delivery(_source(contract, name), problem=problem, synthetic=contract.synthetic)
    ready = [(source, path, _found(path, path.name)) for source, path in uploads.items() if path.exists()]
    ready += [(_source(contract, file.name), _at(folder, file), file) for file in choice.ready]
    with tempfile.TemporaryDirectory(prefix="eco-drop-") as copies:
        copy = Path(copies) / "copy"
        for source, path, file in ready:
            yield _delivery(contract, connector, path, source, file, copy)
    if not (uploads or choice.ready or choice.stuck):
        nothing = finished.nothing_new(choice, anything_before(cursor.seen), str(folder))
        yield Delivery(
            _source(contract, ""), unchanged=nothing is None, problem=nothing, synthetic=contract.synthetic
        )


def _require(folder: Path, *, made_before: bool) -> None:
    """Make it for a new feed; later it is missing because a share is not mounted, and a new one would hide that."""
    if not made_before:
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder any more: is its share mounted?")


def put_away(contract: Contract, folder: Path, seen: Seen) -> None:
    """Move to `taken/` what has landed, each under a name of its own; the log tells what can't be moved.

    Uploads that were refused go too: their sender has the answer. A file that came since under the same name stays.
    """
    answered = _answered(seen)
    done = [path for source, path in _uploads(folder).items() if source in answered]
    connector = contract.connector
    if isinstance(connector, DropConnector) and connector.put_away and folder.is_dir():
        found = _look(folder).values()
        done += [_at(folder, one) for one in found if seen.get((_source(contract, one.name), one.mark))]
    for path in done:
        try:
            _put_away(contract, folder, path)
        except OSError as error:
            # It is in the ledger, so it does not land again; and what landed has to come into core.
            shown = finished.readable(os.fsencode(path.name))
            logger.warning(
                "%s: %s is dealt with and stays where it is: %s; give eco the right to move it to %s/, a folder",
                contract.feed, shown, error.strerror, folder / TAKEN,
            )  # fmt: skip


def _answered(seen: Seen) -> set[str]:
    return {source for source, _ in seen}


def _put_away(contract: Contract, folder: Path, path: Path) -> None:
    taken = folder / TAKEN
    taken.mkdir(exist_ok=True)
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(path.stat().st_mtime))
    name = finished.readable(os.fsencode(path.name))
    names = (_with_room(f"{stamp}{f'-{number}' if number else ''}_", name) for number in count())
    path.rename(next(taken / name for name in names if not (taken / name).exists()))
    if path.parent != folder:
        # Something hidden may lie beside it.
        with suppress(OSError):
            path.parent.rmdir()
        return
    for suffix in _companions(contract):
        (folder / (path.name + suffix)).unlink(missing_ok=True)


def _with_room(stamp: str, name: str) -> str:
    """The stamp and the name, cut before its suffix where both are longer than a folder takes."""
    suffix = Path(name).suffix[-16:]
    room = _LONGEST_NAME - len(f"{stamp}{suffix}".encode())
    stem = name.removesuffix(suffix).encode()[:room].decode(errors="ignore")
    return f"{stamp}{stem}{suffix}"


def _choose(contract: Contract, connector: DropConnector, folder: Path, cursor: Cursor) -> finished.Choice:
    first = _look(folder)
    if any(not cursor.seen.get((_source(contract, name), file.mark)) for name, file in first.items()):
        time.sleep(connector.settle_seconds)
    looks = (first, _look(folder))
    return finished.choose(connector, connector.pattern, looks, cursor.seen, lambda n: _source(contract, n))


def _look(folder: Path) -> dict[str, Found]:
    """Plain files alone: a link could lead to what its owner may not read."""
    found = []
    for entry in os.scandir(os.fsencode(folder)):
        try:
            state = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # taken away since
        if stat.S_ISREG(state.st_mode):
            found.append((entry.name, state.st_size, state.st_mtime))
    return finished.listed(found)


def _at(folder: Path, file: Found) -> Path:
    return folder / os.fsdecode(file.raw)


def _found(path: Path, name: str) -> Found:
    state = path.lstat()
    return Found(name, state.st_size, state.st_mtime, os.fsencode(path.name))


def _uploads(folder: Path) -> dict[str, Path]:
    """Files that were uploaded, by source; no links, as in the folder itself."""
    receipts = [path for path in (folder / UPLOADED).glob("*") if not path.is_symlink()]
    return {
        f"upload:{finished.readable(os.fsencode(f'{path.parent.name}/{path.name}'))}": path
        for receipt in sorted(receipts)
        for path in sorted(receipt.glob("*"))
        if path.is_file() and not path.is_symlink() and path.name[0] != "."
    }


def _delivery(
    contract: Contract, connector: DropConnector, path: Path, source: str, file: Found, copy: Path
) -> Delivery:
    """A copy is delivered: nobody writes it while it is judged, kept and read."""
    problem = None
    head = b""
    try:
        shutil.copyfile(path, copy)
        if _found(path, file.name) != file:
            raise FetchProblem("unfinished", "it changed while it was copied")
        suffix = connector.checksum_suffix if source.startswith("drop:") else None
        checksum = Path(f"{path}{suffix}").read_text(encoding="ascii", errors="replace") if suffix else None
        finished.compare(copy, file.size, checksum, (suffix or ".sha256")[1:])
        with copy.open("rb") as stream:
            head = stream.read(2048)
    except FileNotFoundError:
        gone = FetchProblem("unfinished", "it was renamed or taken away while it was copied")
        return Delivery(source, problem=gone, synthetic=contract.synthetic)
    except FetchProblem as unfit:
        return Delivery(source, problem=unfit, synthetic=contract.synthetic)
    except OSError as error:
        unreadable = FetchProblem("unreadable", error.strerror or type(error).__name__)
        return Delivery(source, problem=unreadable, synthetic=contract.synthetic)
    if not head:
        problem = FetchProblem("empty_body", "the file is empty")
    elif looks_like_html(head):
        problem = FetchProblem("html_instead_of_data", "the file is an HTML page")
    form = contract.form_of(source, head=head)
    headers = {"etag": file.mark}
    return Delivery(source, copy, form=form, headers=headers, synthetic=contract.synthetic, problem=problem)


def _source(contract: Contract, name: str) -> str:
    return f"drop:{contract.feed}/{name}"


def _companions(contract: Contract) -> list[str]:
    connector = contract.connector
    assert isinstance(connector, DropConnector)
    return [suffix for suffix in (connector.done_suffix, connector.checksum_suffix) if suffix]
