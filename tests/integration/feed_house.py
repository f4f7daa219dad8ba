"""A deployed warehouse with the national air feed, fed by hand: rows, contents, whole pulls."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.pipeline import FeedRun, run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from simulation.air import CHINA
from simulation.national import HEADER, feed_csv

FEED = "cnemc_air_hourly"
AIR: Contract = load_contracts(Path(__file__).resolve().parents[2] / "city")[FEED]
DAY = datetime(2019, 7, 18, tzinfo=CHINA)
Row = Mapping[str, str]
Known = str | datetime


def at(text: Known) -> datetime:
    """`14:26` of the day, or `19 02:00` of another day of the month; a moment stays what it is."""
    if isinstance(text, datetime):
        return text
    day, _, clock = f"18 {text}".rpartition(" ")
    hours, minutes = map(int, clock.split(":"))
    return DAY.replace(day=int(day.split()[-1])) + timedelta(hours=hours, minutes=minutes)


def row(code: str = "S1", hour: int = 12, **values: object) -> dict[str, str]:
    """One received row; what isn't said is missing. `hour` is the label: the end of the period."""
    label = DAY + timedelta(hours=hour)
    plain = {
        **dict.fromkeys(HEADER, "—"), "timepoint": label.strftime("%Y-%m-%dT%H:%M:%S"), "stationcode": code,
        "area": "贵港市", "positionname": f"站点{code}", "longitude": "109.6", "latitude": "23.1",
        "citycode": "0", "provinceid": "0", "orderid": "1", "ispublish": "true",
    }  # fmt: skip
    return plain | {name: str(value) for name, value in values.items()}


@dataclass
class FeedHouse:
    """The real pipeline on a warehouse of the test's own; `admin` looks at everything."""

    settings: Settings
    folder: Path
    conn: psycopg.Connection[Any]
    admin: psycopg.Connection[Any]
    contract: Contract = AIR
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def write(self, content: Sequence[Row] | bytes, suffix: str = ".csv") -> Path:
        """A file with this content under a name that tells nothing."""
        path = self.folder / f"content-{next(self._numbers)}{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else feed_csv(content))
        return path

    def load(
        self, known: Known | None, content: Path | Sequence[Row] | bytes, suffix: str = ".csv"
    ) -> FeedRun:
        """Load one content into landing and core, as `eco load --known-at` does."""
        path = content if isinstance(content, Path) else self.write(content, suffix)
        moment = None if known is None else at(known)
        return run_feed(self.conn, self.settings, self.contract, paths=[str(path)], known_at=moment)

    def all(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows, as the superuser sees them."""
        with self.admin.transaction():
            return self.admin.execute(query, parameters).fetchall()

    def one(self, query: str, *parameters: Any) -> Any:
        """The only row, or its only cell."""
        [found] = self.all(query, *parameters)
        return found[0] if len(found) == 1 else found

    def versions(self, code: str = "S1", channel: str = "so2", hour: int = 12) -> list[tuple[str, Any]]:
        """Versions of one value in order: when it was known, and what was said."""
        found = self.all(
            "select to_char(known_at at time zone 'Asia/Shanghai', 'HH24:MI'), value, value_text"
            " from core.observation inner join core.series using (series_id)"
            " where site_code = %s and channel = %s and period_start = %s order by known_at",
            code, channel, DAY + timedelta(hours=hour - 1),
        )  # fmt: skip
        return [(known, text if number is None else plain(number)) for known, number, text in found]

    def flags(self, code: str = "S1", channel: str | None = None) -> list[tuple[Any, ...]]:
        """Channel, label hour, test and flag of a site's flags on versions that have a value."""
        return self.all(
            "select channel, extract(epoch from period_start - %s)::integer / 3600 + 1, test, flag"
            " from core.quality_flag inner join core.series using (series_id)"
            " where site_code = %s and channel = coalesce(%s, channel) and flag <> 9 order by 1, 2, 3",
            DAY, code, channel,
        )  # fmt: skip

    def changes_since(self, change_id: int) -> list[tuple[str, int, int]]:
        """Sites with the labels of the first and the last hour that builds must take up."""
        return self.all(
            "select site_code, extract(epoch from period_from - %s)::integer / 3600 + 1,"
            " extract(epoch from period_to - %s)::integer / 3600 from core.change"
            " where change_id > %s and element <> 'governance' order by 1, 2",
            DAY, DAY, change_id,
        )  # fmt: skip

    def newest_change(self) -> int:
        """The newest `core.change`."""
        return int(self.one("select coalesce(max(change_id), 0) from core.change"))

    def sound(self) -> bool:
        """Whether a full recompute of core finds no difference."""
        found = recompute.check(self.conn, self.contract)
        assert found == [], found
        return True


def plain(number: Decimal) -> str:
    """A number without superfluous zeros."""
    return f"{number.normalize():f}"


@contextmanager
def feed_house(settings: Settings, folder: Path) -> Iterator[FeedHouse]:
    """Connections of the login and of the superuser, closed at the end."""
    with (
        closing(connect(application="test", settings=settings)) as conn,
        closing(connect(application="test admin", admin=True, autocommit=True, settings=settings)) as admin,
    ):
        yield FeedHouse(settings, folder, conn, admin)
