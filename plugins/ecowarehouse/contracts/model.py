"""The shape of a contract. Descriptions of fields become the schema that editors show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from ecowarehouse.contracts.fields import ColumnName, Strict, Title
from ecowarehouse.contracts.forms import Forms
from ecowarehouse.contracts.known_at import FromColumn, KnownAtRule
from ecowarehouse.contracts.shape import Made, OfFileName, Unpivot
from ecowarehouse.contracts.transport import Connector, Schedule, SqlConnector


class Contract(Strict):
    """What a source promises about one feed, whatever it delivers: observations or entities."""

    feed: str = Field(pattern=r"^[a-z][a-z0-9_]{2,50}$")
    version: int = Field(ge=1)
    element: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: Title
    department: str
    authority: str
    legal_basis: str
    licence: str
    synthetic: bool = Field(description="true: no real source stands behind this feed")
    retention_years: int = Field(ge=1)
    connector: Connector
    schedule: Schedule
    known_at: list[KnownAtRule] = Field(min_length=1, description="the first that applies")
    key: list[ColumnName] = Field(min_length=1)
    forms: Forms
    header: list[ColumnName] = Field(min_length=1)
    optional: list[ColumnName] = Field(
        default=[],
        description="columns that the source may leave out altogether; an absent column says nothing",
    )
    unpivot: Unpivot | None = Field(default=None, description="received columns that land as rows")
    made: dict[ColumnName, Made] = Field(
        default={},
        description="columns that land beside the received ones, worked out from them in this order",
    )
    sentinels: list[str] = Field(default=[""], description="cells that mean: no value")
    trim: list[str] = Field(default=[" "], description="characters taken off both ends of texts in staging")

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        problems = list(self._inconsistencies())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _inconsistencies(self) -> Iterator[str]:
        yield from self._header_problems()
        yield from self._shape_problems()
        yield from self._column_problems()
        if longer := [c for c in self.trim if len(c) != 1]:
            yield f"trim: one character each, found {longer}"
        yield from self._transport_problems()

    def _transport_problems(self) -> Iterator[str]:
        if not isinstance(self.connector, SqlConnector):
            return
        form = self.forms.csv
        plain = form is not None and form.delimiter == "," and form.encoding in ("utf-8", "utf-8-sig")
        if form is None or not plain or not form.line_ends_in_cells:
            yield "forms: rows of a database come as csv: {line_ends_in_cells: true}, with a comma, in UTF-8"
        rule = self.connector.cursor
        headings = {} if form is None else form.headings
        if rule and rule.column and rule.column not in (*self.header, *headings):
            yield f"connector.cursor.column: not in the header: {rule.column}"
        if self.connector.null_text not in self.missing_marks:
            yield f"connector.null_text: add {self.connector.null_text!r} to sentinels"

    def _header_problems(self) -> Iterator[str]:
        if found := twice(self.header):
            yield f"header names a column twice: {', '.join(found)}"
        if reserved := sorted({"batch_id", "row_number", "rejected_columns"}.intersection(self.header)):
            yield f"header uses a name that landing needs itself: {', '.join(reserved)}"
        named = {"optional": self.optional}
        for name, form in self.forms.by_name.items():
            for place, columns in form.named_columns().items():
                named[f"forms.{name}.{place}"] = columns
        if found := twice(list(getattr(self.forms.csv, "headings", {}).values())):
            yield f"forms.csv.headings: two headings for {', '.join(found)}"
        for where, columns in named.items():
            if missing := sorted(set(columns) - set(self.header)):
                yield f"{where}: not in the header: {', '.join(missing)}"

    def _shape_problems(self) -> Iterator[str]:
        there = [name for name in self.header if name not in self.unpivoted]
        if self.unpivot is not None:
            if not self.unpivoted:
                yield f"unpivot.columns: no column of the header is {self.unpivot.columns}"
            there += [self.unpivot.name, self.unpivot.value]
        for name, rule in self.made.items():
            if missing := sorted(set(rule.needs) - set(there)):
                yield f"made.{name}: neither received nor made before it: {', '.join(missing)}"
            there.append(name)
        if found := twice(there):
            yield f"made: the name of another column: {', '.join(found)}"
        if sum(isinstance(rule, OfFileName) for rule in self.made.values()) > (self.known_at_column is None):
            yield "made: one column of the file's name, and none where known_at comes from a column"
        known_at = () if self.known_at_column is None else (self.known_at_column.column,)
        named = {**self._named_columns(), "key": tuple(self.key), "known_at": known_at}
        for where, columns in named.items():
            if missing := sorted(set(columns) - set(there)):
                nor = " or made" if self.made else ""
                yield f"{where}: not in the header{nor}: {', '.join(missing)}"

    def _named_columns(self) -> Mapping[str, tuple[str, ...]]:
        """Columns that must land, by the part of the contract that names them."""
        return {}

    def _column_problems(self) -> Iterator[str]:
        whole = [name for name, form in self.forms.by_name.items() if not form.may_lack_columns]
        if self.optional and whole:
            yield f"optional: {' and '.join(whole)} can't lack a column"
        if needed := sorted(set(self.optional) & set(self.key)):
            yield f"optional: rows are known by {', '.join(needed)}"

    @property
    def known_by(self) -> tuple[str, ...]:
        """Columns that say of what a row speaks."""
        return tuple(self.key)

    def unit_of(self, column: str) -> str:  # noqa: ARG002 (a contract of observations asks it)
        """The unit in which a received column must come; empty when the contract says none."""
        return ""

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of times without offset; None: the machine's, for what has no periods."""
        return None

    @property
    def earliest(self) -> date:
        """Before it the source has nothing that is asked for."""
        return date(1970, 1, 1)

    @property
    def ahead(self) -> timedelta:
        """How far after `known_at` what is said may lie."""
        return timedelta(0)

    @property
    def may_be_empty(self) -> bool:
        """Whether a content without rows is one."""
        return False

    @property
    def lateness(self) -> timedelta:
        """How long after its end a period stays open, by the feed's own clock."""
        return self.schedule.lateness

    @property
    def freshness(self) -> timedelta:
        """After which silence people are told."""
        return self.schedule.freshness

    @property
    def landing_relation(self) -> str:
        """`landing.<feed>`."""
        return f"landing.{self.feed}"

    @property
    def staging_relation(self) -> str:
        """`staging.stg_<feed>`: one row is one cell, or what one row says of an entity."""
        return f"staging.stg_{self.feed}"

    @property
    def known_at_column(self) -> FromColumn | None:
        """The rule by which rows say themselves when they were known, if there is one."""
        return next((rule for rule in self.known_at if isinstance(rule, FromColumn)), None)

    @property
    def unpivoted(self) -> dict[str, str]:
        """Received columns that land as rows, each with the text that stands for it."""
        return self.unpivot.of(self.header) if self.unpivot else {}

    def received_row(self, landed_row: int) -> int:
        """The received row, counted from 1, that a landed row comes from: several where columns become rows."""
        return (landed_row - 1) // max(1, len(self.unpivoted)) + 1

    @property
    def landed(self) -> list[str]:
        """The columns that land: the received ones that stay, then those that are made."""
        turned = [self.unpivot.name, self.unpivot.value] if self.unpivot else []
        return [name for name in self.header if name not in self.unpivoted] + turned + list(self.made)

    @property
    def of_file_name(self) -> OfFileName | None:
        """The rule by which the file's name is part of what was received, if there is one."""
        return next((rule for rule in self.made.values() if isinstance(rule, OfFileName)), None)

    def form_of(self, source: str, media: str = "", head: bytes = b"") -> str:
        """The form of a delivery: by its media type, its name, what it begins with; else the first form."""
        return self.forms.of(source, media, head)

    @property
    def missing_marks(self) -> tuple[str, ...]:
        """Every cell that means no value; the empty one always does."""
        return tuple(dict.fromkeys([*self.sentinels, ""]))


def twice(names: list[str]) -> list[str]:
    """Names that stand more than once, sorted."""
    return sorted({name for name in names if names.count(name) > 1})
