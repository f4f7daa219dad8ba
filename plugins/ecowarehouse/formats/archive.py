"""Zip archives, looked at before anything is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from ecowarehouse.formats.growth import refuse_bomb, refuse_larger
from ecowarehouse.formats.model import FormatProblem
from ecowarehouse.formats.sniff import Source

MOST_FILES: Final = 10_000
_SMALL: Final = 4 << 20  # Excel's own sheets of one repeated number stay below 60 fold


class Archive:
    """An archive of which nothing unpacked is larger, deeper or elsewhere than a feed needs."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self.path = path
        self.sizes = {item.filename: item.file_size for item in archive.infolist()}

    @property
    def names(self) -> list[str]:
        """Its files."""
        return list(self.sizes)

    def read(self, name: str) -> bytes:
        """A whole small file.

        Raises:
            FormatProblem: not_the_format.
        """
        with self.open(name) as file:
            content = file.read(_SMALL + 1)
        if len(content) > _SMALL:
            raise FormatProblem("not_the_format", f"{name} is larger than 4 MiB")
        return content

    @contextmanager
    def open(self, name: str) -> Iterator[_File]:
        """A file as a stream.

        Raises:
            FormatProblem: not_the_format.
        """
        try:
            file = self._archive.open(name)
        except KeyError:
            raise FormatProblem("not_the_format", f"no {name} in the archive") from None
        except _BROKEN as error:
            raise _problem(name, error) from error
        with file:
            yield _File(file, name)


class _File:
    """A file of an archive whose damage is named."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            FormatProblem: not_the_format.
        """
        try:
            return self._file.read(size)
        except _BROKEN as error:
            raise _problem(self._name, error) from error


_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


def _problem(name: str, error: Exception) -> FormatProblem:
    return FormatProblem("not_the_format", f"{name} of the archive can't be unpacked: {error}")


@contextmanager
def unpacked(source: Source, what: str) -> Iterator[Archive]:
    """The archive of a source; `what` names what it should be, for messages.

    Raises:
        FormatProblem: not_the_format or truncated; also for a bomb, an encrypted file and a name that leads elsewhere.
    """
    source.refuse_page()
    if source.head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FormatProblem(
            "not_the_format", f"an old (.xls) or encrypted Office file: save it as {what} without a password"
        )
    if not source.head.startswith(b"PK"):
        raise FormatProblem("not_the_format", f"no {what}: it begins with {source.head[:16]!r}, perhaps text")
    with source.as_file() as path:
        try:
            archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise FormatProblem("truncated", f"no whole {what}: {error}") from error
        except (ValueError, NotImplementedError, OSError, EOFError, RuntimeError) as error:
            raise FormatProblem("not_the_format", f"no sound {what}: {error}") from error
        with archive:
            _refuse_hostile(archive, what)
            yield Archive(archive, path)


def _refuse_hostile(archive: zipfile.ZipFile, what: str) -> None:
    items = archive.infolist()
    if len(items) > MOST_FILES:
        raise FormatProblem("not_the_format", f"{len(items)} files in a {what}")
    refuse_larger(sum(item.file_size for item in items))
    names = [item.filename for item in items]
    if len(set(names)) != len(names):
        raise FormatProblem("not_the_format", "two files of one name in the archive")
    for item in items:
        path = PurePosixPath(item.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in item.filename:
            raise FormatProblem("not_the_format", f"a name that leads out of the archive: {item.filename!r}")
        if item.flag_bits & 0x1:
            raise FormatProblem("not_the_format", f"{item.filename} is encrypted: send it without a password")
        refuse_bomb(item.filename, item.file_size, item.compress_size, _SMALL)
