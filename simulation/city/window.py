"""The time that a city covers: days of detail at its end, months of aggregates before and over them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

import numpy as np

from simulation.city.streams import Floats, Ints

CHINA = timezone(timedelta(hours=8))
HOUR = 3600
DAY = 24 * HOUR
CHINA_OFFSET = 8 * HOUR


def moment(when: datetime) -> int:
    """Seconds since 1970 of a time; one without a zone is China's."""
    return int((when if when.tzinfo else when.replace(tzinfo=CHINA)).timestamp())


def midnight(day: date) -> int:
    """Seconds since 1970 of the beginning of a day in China."""
    return moment(datetime(day.year, day.month, day.day, tzinfo=CHINA))


@dataclass(frozen=True, slots=True)
class Window:
    """`days` of detail from `first_day` on (China's days), `months` of aggregates up to their last month."""

    first_day: date
    days: int
    months: int

    @property
    def begin(self) -> int:
        """The first moment of the detail, seconds since 1970."""
        return midnight(self.first_day)

    @property
    def history_begin(self) -> int:
        """The first moment of the months, seconds since 1970."""
        return min(midnight(self.month_starts()[0]), self.begin)

    @property
    def end(self) -> int:
        """The moment after the last of the detail, seconds since 1970."""
        return self.begin + self.days * DAY

    @property
    def last_day(self) -> date:
        """The last day of the detail."""
        return self.first_day + timedelta(days=self.days - 1)

    def steps(self, seconds: int = HOUR) -> Ints:
        """Starts of the periods of a length from the first month to the end, seconds since 1970."""
        return np.arange(self.history_begin, self.end, seconds, dtype=np.int64)

    def detail(self, times: Ints) -> slice:
        """Which of these times (in order) are in the detail."""
        return slice(*np.searchsorted(times, (self.begin, self.end)))

    def days_of_month(self, day: int) -> list[date]:
        """A day in each month of aggregates, as far as it is over."""
        return [found for m in self.month_starts() if (found := m.replace(day=day)) <= self.last_day]

    def month_starts(self) -> list[date]:
        """First days of the months of aggregates, oldest first."""
        last = self.last_day.year * 12 + self.last_day.month - 1
        return [date(m // 12, m % 12 + 1, 1) for m in range(last - self.months + 1, last + 1)]

    def years(self, count: int) -> list[int]:
        """The last full years before the end, oldest first."""
        return list(range(self.last_day.year - count, self.last_day.year))


def hour_of_day(times: Ints) -> Ints:
    """Hour of the day in China, 0 to 23."""
    hours: Ints = (times + CHINA_OFFSET) // HOUR % 24
    return hours


def day_of_year(times: Ints) -> Floats:
    """Days since the year began (365.25 days a year; near enough for a season)."""
    days: Floats = (times + CHINA_OFFSET) / DAY % 365.25
    return days


def weekday(times: Ints) -> Ints:
    """0 is Monday."""
    days: Ints = ((times + CHINA_OFFSET) // DAY + 3) % 7
    return days


def season(times: Ints, peak_day: float) -> Floats:
    """A yearly wave from -1 to 1 with its crest at a day of the year."""
    wave: Floats = np.cos((day_of_year(times) - peak_day) * 2 * np.pi / 365.25)
    return wave
