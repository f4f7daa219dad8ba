"""The contract of a feed of observations: what is measured, where and over which periods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from ecowarehouse.contracts.fields import ColumnName
from ecowarehouse.contracts.model import Contract, twice
from ecowarehouse.contracts.period import Period
from ecowarehouse.contracts.shape import Long
from ecowarehouse.contracts.site import Site
from ecowarehouse.contracts.values import Censored, Channel, NotMeasured, Partial

_OF_STAGING = ("content_batch_id", "site_code", "period_start")


class ObservationContract(Contract):
    """What a source promises about one feed of observations."""

    series_kind: Literal["real_time", "reviewed"]
    correctable: bool | None = Field(
        default=None,
        description="eco correct may change its values; unset: if the department is the city's own",
    )
    sites: Literal["register", "discover"] = Field(
        description="register: an unknown site is refused; discover: it becomes a site, with a warning"
    )
    site: Site
    period: Period
    long: Long | None = Field(
        default=None, description="one value a row; channels are then told by a code, not by a column"
    )
    empty: bool = Field(
        default=False,
        description="a content without rows is one, such as a message that nothing was measured",
    )
    partial: Partial = Partial()
    censored: Censored = Censored()
    not_measured: NotMeasured | None = Field(
        default=None, description="sentinels by which the source says that a station does not measure it"
    )
    channels: dict[ColumnName, Channel] = Field(min_length=1)

    def _inconsistencies(self) -> Iterator[str]:
        yield from super()._inconsistencies()
        yield from self._code_problems()
        yield from self._key_problems()
        yield from self._not_measured_problems()
        if self.unpivot is not None and self.unpivot.empty == "left_out":
            yield "unpivot.empty: belongs to registers; an empty cell of observations is a value that is missing"

    def _named_columns(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "channels": () if self.long else tuple(self.channels),
            "long": self.long.columns if self.long else (),
            "site": self.site.columns,
            "period.column": (self.period.column,),
            "not_measured.column": self.told_beside,
        }

    def _code_problems(self) -> Iterator[str]:
        if self.long is None:
            if named := sorted(n for n, channel in self.channels.items() if channel.codes or channel.units):
                yield f"channels: codes and units belong to feeds with `long`: {', '.join(named)}"
            return
        codes = [code for name in self.channels for code in self.codes_of(name)]
        if found := twice(codes):
            yield f"channels: two channels with the code {', '.join(found)}"

    def _not_measured_problems(self) -> Iterator[str]:
        rule = self.not_measured
        if rule is None:
            return
        if unknown := sorted(set(rule.marks) - set(self.missing_marks)):
            yield f"not_measured.marks: not among the sentinels: {', '.join(map(repr, unknown))}"
        if unknown := sorted(set(rule.channels) - set(self.channels)):
            yield f"not_measured.channels: no channels: {', '.join(unknown)}"
        if (rule.column is None) != (not rule.says):
            yield "not_measured: column and says go together"
        if rule.column in _OF_STAGING:
            yield f"not_measured.column: staging has a {rule.column} of its own; take another column"
        if padded := [text for text in rule.says if text.strip("".join(self.trim)) != text or not text]:
            yield f"not_measured.says: texts as they are after `trim`, found {padded}"

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

    @property
    def told_beside(self) -> tuple[str, ...]:
        """Columns that say what a mark in another one means."""
        return (self.not_measured.column,) if self.not_measured and self.not_measured.column else ()

    @property
    def averaging(self) -> timedelta:
        """Length of a period."""
        return self.period.averaging

    @property
    def known_by(self) -> tuple[str, ...]:
        """Columns that say of which site, period and thing measured a row speaks."""
        return (*self.key, *self.site.columns, self.period.column)

    def unit_of(self, column: str) -> str:
        """The unit in which a received column must come: that of its channel, by name or by code."""
        code = self.unpivoted.get(column, column)
        for name, channel in self.channels.items():
            if channel.kind == "number" and (name == column or code in self.codes_of(name)):
                return channel.original_unit
        return ""

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which labels without an offset are written."""
        return self.period.zone

    @property
    def earliest(self) -> date:
        """The first day whose periods are plausible."""
        return self.period.plausible.start

    @property
    def ahead(self) -> timedelta:
        """How far after `known_at` a period may end."""
        return self.period.plausible.ahead

    @property
    def may_be_empty(self) -> bool:
        """Whether a content without rows is one."""
        return self.empty

    @property
    def staging_site_relation(self) -> str:
        """`staging.stg_<feed>__site`: one row is one received statement about a site."""
        return f"staging.stg_{self.feed}__site"

    def codes_of(self, channel: str) -> tuple[str, ...]:
        """The source's codes of a channel of a feed with `long`: its own name unless the contract says others."""
        return tuple(self.channels[channel].codes) or (channel,)

    @property
    def number_channels(self) -> tuple[str, ...]:
        """Channels whose cells must be numbers."""
        return tuple(name for name, channel in self.channels.items() if channel.kind == "number")
