r"""EURDEP 2.x messages: records of radiological sections, joined to the localities of the same message.

Statements end with a semicolon. `\BEGIN_X;` and `\END_X;` enclose a section, `\FIELD_LIST A,B;` names the fields of the
records after it, `\v1,v2;` is a record, and `\BEGIN_DEFAULT; \A v; \END_DEFAULT;` says what holds for all records after
it. Grammar as exchanged by the national centres; see the decision on forms.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import EurdepForm
from ecowarehouse.formats.lines import Utf8
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, RowBuilder, compare_header
from ecowarehouse.formats.sniff import Source

_BLOCK = 1 << 20
_LONGEST = 1 << 16
_STATEMENT = re.compile(r'\s*((?:[^;"]|"[^"]*")*+);')
_SECTION = re.compile(r"\\(BEGIN|END)_([A-Z][A-Z_0-9]*)")
_KEY = "LOCALITY_CODE"
_LIMITS = {"<", "MDA", "LLD"}  # kinds of value that are what the method could just have told


def read(contract: Contract, form: EurdepForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of one or more messages. A record of another width than its field list is a ragged row.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    source.expect_text()
    start = source.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith(b"\\BEGIN_EURDEP"):
        shown = start[:20].decode("utf-8", errors="replace")
        raise FormatProblem("not_the_format", f"no EURDEP message: it begins with {shown!r}")
    builder = RowBuilder(contract.header, contract.optional)
    message: _Message | None = None
    for statement in _statements(Utf8(source, form)):
        section = _SECTION.fullmatch(statement)
        if section is not None and section[2] == "EURDEP":
            begins = section[1] == "BEGIN"
            if begins != (message is None):
                raise FormatProblem(
                    "not_the_format", f"{statement} at a place where no message {_ENDS[section[1]]}"
                )
            if message is not None:
                message.close()
            message = _Message(contract, form, builder) if begins else None
        elif message is None:
            raise FormatProblem("not_the_format", f"{statement[:40]!r} stands outside of a message")
        else:
            message.take(statement, section)
        if builder.full:
            yield builder.take()
    if message is not None:
        raise FormatProblem("truncated", r"the last message has no \END_EURDEP;")
    yield builder.finish(None)


_ENDS = {"BEGIN": "begins", "END": "ends"}


def _statements(lines: Utf8) -> Iterator[str]:
    held = ""
    while chunk := lines.read(_BLOCK):
        # A block may end within a character.
        held += _decoded(lines, chunk)
        end = 0
        while (match := _STATEMENT.match(held, end)) is not None:
            yield match[1].strip()
            end = match.end()
        held = held[end:]
        if len(held) > _LONGEST + _BLOCK:
            raise FormatProblem(
                "not_the_format", "a statement without an end: a semicolon or quote is missing"
            )
    if held.strip():
        raise FormatProblem("truncated", f"ends within a statement: {held.strip()[:40]!r}")


def _decoded(lines: Utf8, chunk: bytes) -> str:
    while True:
        try:
            return chunk.decode("utf-8")
        except UnicodeDecodeError as error:
            more = lines.read(1)
            if not more or error.start < len(chunk) - 4:
                return chunk.decode("utf-8", errors="replace")
            chunk += more


@dataclass
class _Message:
    """One message while it is read."""

    contract: Contract
    form: EurdepForm
    builder: RowBuilder
    sections: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    defaults: dict[str, str] = field(default_factory=dict)
    localities: dict[str, dict[str, str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def take(self, statement: str, section: re.Match[str] | None) -> None:
        """One statement."""
        if section is not None:
            self._enter(section[2]) if section[1] == "BEGIN" else self._leave(section[2])
        elif self.sections[-1:] == ["COMMENT"]:
            return
        elif statement.startswith("\\FIELD_LIST"):
            self._name_fields(statement.removeprefix("\\FIELD_LIST"))
        elif not statement.startswith("\\"):
            raise FormatProblem("not_the_format", f"no statement begins as {statement[:40]!r}")
        elif self.sections[-1:] in (["HEADER"], ["DEFAULT"]):
            name, _, value = statement.removeprefix("\\").partition(" ")
            into = self.headers if self.sections[-1] == "HEADER" else self.defaults
            into[name.upper()] = value.strip().strip('"')
        else:
            self._record(statement.removeprefix("\\"))

    def _name_fields(self, text: str) -> None:
        self.fields = [name.strip().upper() for name in text.split(",")]
        if twice := sorted({name for name in self.fields if self.fields.count(name) > 1}):
            raise FormatProblem("not_the_format", f"a FIELD_LIST names twice: {', '.join(twice)}")

    def close(self) -> None:
        """The end of the message.

        Raises:
            FormatProblem: truncated.
        """
        if self.sections:
            raise FormatProblem("truncated", f"no \\END_{self.sections[-1]}; before the message ends")
        version = self.headers.get("FORMAT_VERSION", "2")
        if not version.startswith("2"):
            raise FormatProblem("not_the_format", f"FORMAT_VERSION {version}, and this reads 2.x")

    def _enter(self, name: str) -> None:
        if len(self.sections) > 3:
            raise FormatProblem("not_the_format", "sections nested deeper than any message")
        self.sections.append(name)
        if name not in ("DEFAULT", "COMMENT"):
            self.fields, self.defaults = [], {}

    def _leave(self, name: str) -> None:
        if self.sections[-1:] != [name]:
            raise FormatProblem("not_the_format", f"\\END_{name}; without its \\BEGIN_{name};")
        self.sections.pop()

    def _record(self, text: str) -> None:
        section = self.sections[-1] if self.sections else ""
        wanted = section in self.form.sections
        if not wanted and section != "LOCALITY":
            return
        values = next(csv.reader([text.replace("\n", " ").replace("\r", " ")], skipinitialspace=True), [])
        if not self.fields or len(values) != len(self.fields):
            self.builder.reject(
                "ragged_row", f"{len(values)} values for {len(self.fields)} fields in {section}", text
            )
            return
        row = self.defaults | dict(zip(self.fields, (value.strip() for value in values), strict=True))
        if section == "LOCALITY":
            self.localities[row.get(_KEY, "")] = row
        else:
            self._row(row)

    def _row(self, row: dict[str, str]) -> None:
        # What the record itself says of its place stands above what the list of localities says.
        joined = self.localities.get(row.get(_KEY, ""), {}) | row
        columns = {name.lower(): value for name, value in joined.items()}
        if columns.get("value_type", "").upper() in _LIMITS and columns.get("value"):
            # So nothing takes the limit for a value unless the contract knows the sign.
            columns["value"] = f"<{columns['value'].removeprefix('<')}"
        if not self.builder.count:
            missing = [
                n for n in self.contract.header if n not in columns and n not in self.contract.optional
            ]
            if missing and not self.localities:
                compare_header(self.contract, [n for n in columns if n in self.contract.header])
        self.builder.add([(n, value) for n, value in columns.items() if n in self.contract.header])
