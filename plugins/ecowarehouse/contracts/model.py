"""The shape of a contract. Descriptions of fields become the schema that editors show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from ecowarehouse.contracts.fields import ColumnName, Strict, Title
from ecowarehouse.contracts.forms import Forms
from ecowarehouse.contracts.known_at import FromColumn, KnownAtRule
from ecowarehouse.contracts.period import Period
from ecowarehouse.contracts.shape import Long, Made, OfFileName, Unpivot
from ecowarehouse.contracts.site import Site
from ecowarehouse.contracts.transport import Connector, Schedule, SqlConnector
from ecowarehouse.contracts.values import Censored, Channel, Partial


class Contract(Strict):
    """What a source promises about one feed."""

    feed: str = Field(pattern=r"^[a-z][a-z0-9_]{2,50}$")
    version: int = Field(ge=1)
    element: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: Title
    department: str
    authority: str
    legal_basis: str
    licence: str
    series_kind: Literal["real_time", "reviewed"]
    synthetic: bool = Field(description="true: no real source stands behind this feed")
    correctable: bool | None = Field(
        default=None,
        description="eco correct may change its values; unset: if the department is the city's own",
    )
    retention_years: int = Field(ge=1)
    connector: Connector
    schedule: Schedule
    known_at: list[KnownAtRule] = Field(min_length=1, description="the first that applies")
    sites: Literal["register", "discover"] = Field(
        description="register: an unknown site is refused; discover: it becomes a site, with a warning"
    )
    site: Site
    period: Period
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
    long: Long | None = Field(
        default=None, description="one value a row; channels are then told by a code, not by a column"
    )
    partial: Partial = Partial()
    censored: Censored = Censored()
    sentinels: list[str] = Field(default=[""], description="cells that mean: no value")
    trim: list[str] = Field(default=[" "], description="characters taken off both ends of texts in staging")
    channels: dict[ColumnName, Channel] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        problems = list(self._inconsistencies())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _inconsistencies(self) -> Iterator[str]:
        yield from self._header_problems()
        yield from self._shape_problems()
        yield from self._key_problems()
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
        if twice := _twice(self.header):
            yield f"header names a column twice: {', '.join(twice)}"
        if reserved := sorted({"batch_id", "row_number", "rejected_columns"}.intersection(self.header)):
            yield f"header uses a name that landing needs itself: {', '.join(reserved)}"
        named = {"optional": self.optional}
        for name, form in self.forms.by_name.items():
            for place, columns in form.named_columns().items():
                named[f"forms.{name}.{place}"] = columns
        if twice := _twice(list(getattr(self.forms.csv, "headings", {}).values())):
            yield f"forms.csv.headings: two headings for {', '.join(twice)}"
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
        if twice := _twice(there):
            yield f"made: the name of another column: {', '.join(twice)}"
        if sum(isinstance(rule, OfFileName) for rule in self.made.values()) > (self.known_at_column is None):
            yield "made: one column of the file's name, and none where known_at comes from a column"
        named = {
            "channels": () if self.long else tuple(self.channels),
            "long": self.long.columns if self.long else (),
            "key": tuple(self.key),
            "site": self.site.columns,
            "period.column": (self.period.column,),
            "known_at": () if self.known_at_column is None else (self.known_at_column.column,),
        }
        for where, columns in named.items():
            if missing := sorted(set(columns) - set(there)):
                nor = " or made" if self.made else ""
                yield f"{where}: not in the header{nor}: {', '.join(missing)}"
        yield from self._code_problems()

    def _code_problems(self) -> Iterator[str]:
        if self.long is None:
            if named := sorted(n for n, channel in self.channels.items() if channel.codes or channel.units):
                yield f"channels: codes and units belong to feeds with `long`: {', '.join(named)}"
            return
        codes = [code for name in self.channels for code in self.codes_of(name)]
        if twice := _twice(codes):
            yield f"channels: two channels with the code {', '.join(twice)}"

    def _key_problems(self) -> Iterator[str]:
        if self.period.column not in self.key:
            yield f"key must hold the period column {self.period.column}"
        if absent := [column for column in self.site.code_columns if column not in self.key]:
            yield f"key must hold the site column {', '.join(absent)}"
        known_by = {*self.site.code_columns, self.period.column, *([self.long.channel] if self.long else [])}
        if others := sorted(set(self.key) - known_by):
            yield (
                "key: core knows a value by site, period and what is measured alone,"
                f" so {', '.join(others)} can't be part of it"
            )
        if self.long is not None and self.long.channel not in self.key:
            yield f"key must hold the column {self.long.channel}, which says what is measured"
        if shared := sorted(set(self.channels) & set(self.key)):
            yield f"a key column can't be a channel: {', '.join(shared)}"

    def _column_problems(self) -> Iterator[str]:
        whole = [name for name, form in self.forms.by_name.items() if not form.may_lack_columns]
        if self.optional and whole:
            yield f"optional: {' and '.join(whole)} can't lack a column"
        if needed := sorted(set(self.optional) & set(self.key)):
            yield f"optional: rows are known by {', '.join(needed)}"

    @property
    def averaging(self) -> timedelta:
        """Length of a period."""
        return self.period.averaging

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
        """`staging.stg_<feed>`: one row is one cell."""
        return f"staging.stg_{self.feed}"

    @property
    def staging_site_relation(self) -> str:
        """`staging.stg_<feed>__site`: one row is one received statement about a site."""
        return f"staging.stg_{self.feed}__site"

    @property
    def known_at_column(self) -> FromColumn | None:
        """The rule by which rows say themselves when they were known, if there is one."""
        return next((rule for rule in self.known_at if isinstance(rule, FromColumn)), None)

    @property
    def unpivoted(self) -> dict[str, str]:
        """Received columns that land as rows, each with the text that stands for it."""
        return self.unpivot.of(self.header) if self.unpivot else {}

    @property
    def landed(self) -> list[str]:
        """The columns that land: the received ones that stay, then those that are made."""
        turned = [self.unpivot.name, self.unpivot.value] if self.unpivot else []
        return [name for name in self.header if name not in self.unpivoted] + turned + list(self.made)

    @property
    def of_file_name(self) -> OfFileName | None:
        """The rule by which the file's name is part of what was received, if there is one."""
        return next((rule for rule in self.made.values() if isinstance(rule, OfFileName)), None)

    def codes_of(self, channel: str) -> tuple[str, ...]:
        """The source's codes of a channel of a feed with `long`: its own name unless the contract says others."""
        return tuple(self.channels[channel].codes) or (channel,)

    @property
    def number_channels(self) -> tuple[str, ...]:
        """Channels whose cells must be numbers."""
        return tuple(name for name, channel in self.channels.items() if channel.kind == "number")

    def form_of(self, source: str, media: str = "", head: bytes = b"") -> str:
        """The form of a delivery: by its media type, its name, what it begins with; else the first form."""
        return self.forms.of(source, media, head)

    @property
    def missing_marks(self) -> tuple[str, ...]:
        """Every cell that means no value; the empty one always does."""
        return tuple(dict.fromkeys([*self.sentinels, ""]))


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a contract, for editors."""
    schema = Contract.model_json_schema(by_alias=True)
    return {**schema, "title": "Contract of a feed"}
