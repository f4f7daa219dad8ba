"""Lines of text as UTF-8, without those that the contract says are no rows."""

from __future__ import annotations

import codecs
import io
import re
from contextlib import suppress

from ecowarehouse.contracts.forms import EncodedForm, LinesForm
from ecowarehouse.formats.model import FormatProblem
from ecowarehouse.formats.sniff import Source

BLOCK = 4 << 20
_LONGEST = 1 << 16
_NAMES_OF_UTF8 = {"utf-8", "utf-8-sig", "ascii"}


class Lines(io.RawIOBase):
    """The source as UTF-8 without byte order mark: title lines skipped, comments and footers left out.

    `left_out` counts the lines after the first row that were none.
    """

    def __init__(self, source: Source, form: LinesForm) -> None:
        self._text = Utf8(source, form)
        self._form = form
        self._other = _pattern(form)
        self._ending = None if form.ends_with is None else re.compile(form.ends_with)
        self._ended = False
        self._held = b""
        self._ready = b""
        self.left_out = 0
        for _ in range(form.skip_lines):
            self._text.line()

    def first_line(self) -> str | None:
        """The next line that is none to be left out, for a header; None at the end.

        Raises:
            FormatProblem: not_the_format when no line ends in the first 64 KiB.
        """
        while (line := self._text.line()) is not None:
            if self._other is None or not self._other.fullmatch(line):
                return line
        return None

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Bytes of the rest.

        Raises:
            FormatProblem: encoding, or truncated when the line that must end the text is not there.
        """
        if not self._form.has_other_lines:
            return self._text.read(size)
        while not self._ready:
            more = self._text.read(BLOCK)
            block, self._held = self._held + more, b""
            if more:
                end = block.rfind(b"\n") + 1
                block, self._held = block[:end], block[end:]
            self._ready = self._rows(block)
            if not more:
                self._refuse_without_ending()
                break
        chunk, self._ready = self._ready[:size], self._ready[size:]
        return chunk

    def _rows(self, block: bytes) -> bytes:
        kept = []
        for line in _split(block):
            text = line.rstrip(b"\r\n").decode("utf-8", errors="replace")
            ending = self._ending is not None and self._ending.fullmatch(text) is not None
            if ending or (self._other is not None and self._other.fullmatch(text)):
                self.left_out += 1
                self._ended |= ending
                continue
            if self._ended and text.strip():
                raise FormatProblem("not_the_format", f"rows after the line that ends it: {text[:60]!r}")
            kept.append(line)
        return b"".join(kept)

    def _refuse_without_ending(self) -> None:
        if self._ending is not None and not self._ended:
            raise FormatProblem("truncated", f"no line at its end is as {self._form.ends_with!r}")


def _pattern(form: LinesForm) -> re.Pattern[str] | None:
    patterns = [f"(?:{text})" for text in form.leave_out]
    if form.comment:
        patterns.append(rf"{re.escape(form.comment)}.*")
    return re.compile("|".join(patterns), re.DOTALL) if patterns else None


def _split(block: bytes) -> list[bytes]:
    """Lines by line feed alone: a carriage return within one is none."""
    return [line for line in re.split(rb"(?<=\n)", block) if line]


class Utf8:
    """The source as UTF-8 without byte order mark."""

    def __init__(self, source: Source, form: EncodedForm) -> None:
        encoding = form.encoding
        self._source = source
        self._form = form.named
        self._encoding = encoding
        self._as_it_is = codecs.lookup(encoding).name in _NAMES_OF_UTF8
        self._decoder = codecs.getincrementaldecoder("utf-8" if self._as_it_is else encoding)()
        self._offset = 0
        self._buffer = self._next().removeprefix(b"\xef\xbb\xbf")

    def line(self) -> str | None:
        """The next line; None at the end.

        Raises:
            FormatProblem: not_the_format when no line ends in 64 KiB.
        """
        while b"\n" not in self._buffer and len(self._buffer) < _LONGEST:
            more = self._next()
            if not more:
                break
            self._buffer += more
        if not self._buffer:
            return None
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) > _LONGEST:
            raise FormatProblem("not_the_format", "no line ends in the first 64 KiB")
        return line.rstrip(b"\r").decode("utf-8", errors="replace")

    def read(self, size: int = -1) -> bytes:
        """Bytes of the rest."""
        while len(self._buffer) < size:
            more = self._next()
            if not more:
                break
            self._buffer = self._buffer + more if self._buffer else more
        chunk, self._buffer = self._buffer[:size], self._buffer[size:]
        return chunk

    def _next(self) -> bytes:
        chunk = self._source.read(BLOCK)
        start = self._offset - len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            if not chunk:
                raise FormatProblem(
                    "truncated", f"it ends inside a character, at byte {self._offset}"
                ) from error
            raise self._problem(error, start + error.start) from error
        self._offset += len(chunk)
        if self._as_it_is:
            return chunk
        return text.encode("utf-8") if text or not chunk else self._next()

    def _problem(self, error: UnicodeDecodeError, at: int) -> FormatProblem:
        found = f"not {self._encoding}: byte {at + 1} is 0x{error.object[error.start]:02x} ({error.reason})"
        guess = _guess(self._source.head)
        seems = f"it seems to be {guess}: " if guess else ""
        mend = f"save it as UTF-8, or name its encoding in the contract (forms.{self._form}.encoding)"
        return FormatProblem("encoding", f"{found}; {seems}{mend}")


def _guess(head: bytes) -> str | None:
    """What a text that is no UTF-8 may be; None where nothing speaks for one."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    with suppress(UnicodeDecodeError):
        text = codecs.getincrementaldecoder("gb18030")().decode(head)
        if all(c.isprintable() or c in "\r\n\t" for c in text) and any(c > "\x7f" for c in text):
            return "gb18030"
    return None
