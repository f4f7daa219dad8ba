"""How a row's label becomes a period."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from ecowarehouse.contracts.fields import (
    OFFSET,
    ColumnName,
    Duration,
    Strict,
    positive,
    valid_time_format,
    valid_zone,
)

_DAY = timedelta(days=1)


class Plausible(Strict):
    """Periods outside of it are refused: a logger from 2099 is a reject."""

    start: date = Field(alias="from")
    ahead: Duration = Field(default=timedelta(0), description="how far a period may end after known_at")


class Period(Strict):
    """How a row's label becomes a period."""

    column: ColumnName
    format: str = Field(description="iso8601, or a format of %Y %m %d %H %M %S")
    timezone: str
    label: Literal["start", "end"] = Field(description="end: 08:00 means 07:00 to 08:00")
    averaging: Duration
    day_boundary: str = Field(
        default="00:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="when the source's own day begins, of which it gives values by day; our marts' days begin at 00:00",
    )
    grid: Duration | None = Field(
        default=None,
        description="how far apart periods begin, counted from midnight; the averaging when not given,"
        " PT1M for samples taken at any minute",
    )
    sampled_every: Duration | None = Field(
        default=None,
        description="for samples, whose periods do not follow one on another: a value of each series is promised once"
        " in so long (P31D: monthly), and no hour or day without one is missing; unset: each period has one",
    )
    plausible: Plausible
    empty: Literal["refused", "no_reading"] = Field(
        default="refused",
        description="a row without period: refused as damaged, or the source's way to say that there is no reading",
    )

    @field_validator("grid")
    @classmethod
    def _part_of_a_day(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and (value <= timedelta(0) or _DAY % value):
            raise ValueError("must divide a day, such as PT1H or PT1M")
        return value

    @field_validator("format")
    @classmethod
    def _known_directives(cls, text: str) -> str:
        return valid_time_format(text)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, text: str) -> str:
        return valid_zone(text)

    @field_validator("sampled_every")
    @classmethod
    def _longer_than_a_day(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value <= _DAY:
            raise ValueError(
                "must be longer than a day; what comes every day or hour has that as its averaging"
            )
        return value

    @field_validator("averaging")
    @classmethod
    def _longer_than_nothing(cls, value: timedelta) -> timedelta:
        return positive(value)

    @field_validator("timezone")
    @classmethod
    def _named(cls, text: str) -> str:
        if OFFSET.fullmatch(text):
            raise ValueError("name the zone of the periods, such as Asia/Shanghai: labels are read by it")
        return text

    @property
    def every(self) -> timedelta | None:
        """How often a value is promised, for what no day is counted of: samples, months, years; None: each period."""
        return self.sampled_every or (self.averaging if self.averaging > _DAY else None)

    def aligned(self, start: datetime) -> bool:
        """Whether a period may begin here: 12:30:17 is no hour. The clock is that of the zone."""
        step = self.grid or self.averaging
        local = start.astimezone(self.zone)
        since = timedelta(
            hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        if step >= _DAY:  # a day, a month: by the calendar, or by the source's own day
            hours, minutes = map(int, self.day_boundary.split(":"))
            return since in (timedelta(0), timedelta(hours=hours, minutes=minutes))
        return bool(_DAY % step) or not since % step  # 5 h fit no day, so no grid is known

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which labels without an offset are written."""
        return ZoneInfo(self.timezone)
