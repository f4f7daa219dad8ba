"""The first look at a payload: opened, unpacked, and told from an error page."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ecowarehouse.formats.growth import refuse_bomb, refuse_larger
from ecowarehouse.formats.model import FormatProblem

_GZIP = b"\x1f\x8b"
LARGEST_FILE = 512 << 20
_SMALL_STREAM = 64 << 20  # of a stream that is read in blocks, whatever it repeats
_A_ZIP = "a zip archive: unpack it (an Excel workbook: save its sheet as CSV)"
_NO_TEXT = {
    b"PK\x03\x04": _A_ZIP,  # with files in it; an Excel workbook is one too
    b"PK\x05\x06": _A_ZIP,  # with none
    b"SQLite format 3\0": "a database of SQLite, such as a GeoPackage, instead of text",
    b"%PDF-": "a PDF instead of text: send the table that it was made of",
    b"\x89PNG": "a picture instead of text",
    b"\xff\xd8\xff": "a picture instead of text",
    b"Rar!\x1a\x07": "a RAR archive: unpack it",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it",
    b"\xd0\xcf\x11\xe0": "an old or encrypted Office file instead of text: save its sheet as CSV",
}
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_HTML = re.compile(
    rb"\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|script|title|h1)\b",
    re.IGNORECASE | re.DOTALL,
)


class Source:
    """A binary stream that remembers how it began and how it ended."""

    def __init__(self, stream: Any, packed: _Counted | None = None) -> None:
        self._stream = stream
        self._packed = packed
        self._size = 0
        self.head = self._read(4096)
        self._pending = self.head
        self.tail = self.head[-512:]

    def read(self, size: int = -1) -> bytes:
        """The next bytes, empty at the end.

        Raises:
            FormatProblem: truncated or not_the_format, for a broken gzip stream and for one that never ends.
        """
        if size < 0:
            chunk, self._pending = self._pending + self._rest(), b""
        elif self._pending:
            chunk, self._pending = self._pending[:size], self._pending[size:]
        else:
            chunk = self._remember(self._read(size))
        return chunk

    def _rest(self) -> bytes:
        parts = []
        while chunk := self._remember(self._read(1 << 20)):
            parts.append(chunk)
        return b"".join(parts)

    def _remember(self, chunk: bytes) -> bytes:
        if chunk:
            self.tail = (self.tail + chunk)[-512:] if len(chunk) < 512 else chunk[-512:]
        return chunk

    def _read(self, size: int) -> bytes:
        try:
            chunk = bytes(self._stream.read(size))
        except EOFError as error:
            raise FormatProblem("truncated", "the gzip stream ends before its end mark") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise FormatProblem("not_the_format", f"no sound gzip: {error}") from error
        self._size += len(chunk)
        refuse_larger(self._size)
        if self._packed is not None:
            refuse_bomb("the gzip stream", self._size, self._packed.count, _SMALL_STREAM)
        return chunk

    def refuse_page(self) -> None:
        """Refuse an HTML page, which is what a failing system or a login wall serves with status 200.

        Raises:
            FormatProblem: not_the_format.
        """
        if looks_like_html(self.head):
            raise FormatProblem("not_the_format", "an HTML page instead of data")

    def expect_text(self) -> None:
        """Refuse a page, and files that are no text.

        Raises:
            FormatProblem: not_the_format.
        """
        self.refuse_page()
        for magic, mend in _NO_TEXT.items():
            if self.head.startswith(magic):
                raise FormatProblem("not_the_format", mend)

    def whole(self, limit: int = LARGEST_FILE) -> bytes:
        """All bytes, for formats that say nothing before their end.

        Raises:
            FormatProblem: not_the_format when there are more than `limit`.
        """
        parts, size = [], 0
        while chunk := self.read(1 << 20):
            parts.append(chunk)
            size += len(chunk)
            refuse_larger(size, limit)
        return b"".join(parts)

    @contextmanager
    def as_file(self, limit: int = LARGEST_FILE) -> Iterator[Path]:
        """The whole as a file of this machine's, for formats that are read here and there.

        Raises:
            FormatProblem: not_the_format when it is longer than `limit` bytes.
        """
        with tempfile.NamedTemporaryFile(prefix="eco.received.") as kept:
            size = 0
            while chunk := self.read(1 << 20):
                size += len(chunk)
                refuse_larger(size, limit)
                kept.write(chunk)
            kept.flush()
            yield Path(kept.name)


class _Counted:
    """A stream that counts what was read of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        chunk = bytes(self._stream.read(size))
        self.count += len(chunk)
        return chunk


def looks_like_html(head: bytes) -> bool:
    """Whether bytes begin as a page for people begins."""
    for bom in _BOMS:
        head = head.removeprefix(bom)
    return _HTML.match(head[:2048]) is not None


@contextmanager
def opened(payload: bytes | BinaryIO | Path) -> Iterator[Source]:
    """A payload as a stream, unpacked when it is gzip.

    Raises:
        FormatProblem: empty_body when nothing is in it; truncated or not_the_format for a broken gzip stream.
    """
    raw: Any
    if isinstance(payload, bytes):
        raw = io.BytesIO(payload)
    elif isinstance(payload, Path):
        raw = payload.open("rb")
    else:
        raw = payload
    try:
        buffered = raw if hasattr(raw, "peek") else io.BufferedReader(raw)
        source = _unpacked(buffered) if buffered.peek(2)[:2] == _GZIP else Source(buffered)
        if not source.head.strip(b" \t\r\n\xef\xbb\xbf\x00"):
            raise FormatProblem("empty_body", "nothing but blanks" if source.head else "no byte")
        yield source
    finally:
        if isinstance(payload, bytes | Path):
            raw.close()


def _unpacked(stream: Any) -> Source:
    packed: Any = _Counted(stream)
    return Source(gzip.GzipFile(fileobj=packed), packed)
