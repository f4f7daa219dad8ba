"""Weather stations whose deliveries are made by hand, and the books that are kept of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ecowarehouse import cycle, marts
from ecowarehouse.connectors.delivery import Delivery
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.landing.load import load
from ecowarehouse.settings import Settings
from tests.integration.feed_house import DAY, FeedHouse, feed_house

WEATHER: Contract = load_contracts(Path(__file__).resolve().parents[3] / "city")["weather_hourly"]
COUNTS = (
    "expected", "received", "valid", "suspect", "marked_invalid", "invalidated_by_review", "source_missing",
    "platform_missing", "sentinel", "not_in_answer", "not_offered", "source_down", "unusable_answer", "attempt_failed",
    "not_asked", "not_required", "awaited", "late", "duplicate", "rejected", "revised",
)  # fmt: skip


def at(hours: float) -> datetime:
    """So many hours after midnight of 2019-07-18, local time."""
    return DAY + timedelta(hours=hours)


def item(station: str, label: int, temperature: object = 20) -> dict[str, object]:
    """The hour of a station that ends at the label."""
    return {
        "station_id": station, "station_name": station, "township": "西山镇", "lon": "110.0", "lat": "23.4",
        "time": at(label).isoformat(), "temperature": temperature, "humidity": 70, "pressure": 1005,
        "wind_speed": 2, "wind_direction": 90, "precipitation": 0,
    }  # fmt: skip


@dataclass
class Books:
    """A feed brought in by hand; `keep` builds the books."""

    house: FeedHouse

    def bring(self, known: float, items: Sequence[dict[str, object]]) -> None:
        """One answer of the source, known so many hours after midnight."""
        content = json.dumps({"total": len(items), "items": list(items)}).encode()
        self.house.load(at(known), content, ".json")

    def hour(self, label: int, *stations: str, known: float | None = None) -> None:
        """One answer with one hour of some stations."""
        self.bring(label + 0.1 if known is None else known, [item(station, label) for station in stations])

    def hours(self, first: int, last: int, *stations: str) -> None:
        """An answer an hour, the first and the last included."""
        for label in range(first, last + 1):
            self.hour(label, *stations)

    def fail(self, moment: float, reason: str = "connect_error") -> None:
        """An attempt that brought nothing: its moment is the newest answer's, and the time that passed since."""
        contract = self.house.contract
        self.house.admin.execute(
            "update landing.batch as b set started_at = clock_timestamp() - (%s - b.known_at) where batch_id ="
            " (select batch_id from landing.batch where feed = %s and outcome in ('loaded', 'partial', 'unchanged')"
            "  order by known_at desc, batch_id limit 1)",
            [at(moment), contract.feed],
        )
        lost = Delivery(source="http://127.0.0.1/", problem=FetchProblem(reason, "made by a test"))
        load(self.house.conn, contract, [lost], byte_store=self.house.settings.bytes_store)

    def keep(self) -> None:
        """Build, judge and release the books."""
        run = cycle.run_element(self.house.conn, "governance", self.house.settings)
        assert run.gate is None or not run.gate.blocked, run.gate.blocked

    def build(self) -> None:
        """Build the books only: a day that ceased to be is an empty candidate, and the gate blocks it."""
        marts.build(self.house.conn, "governance", settings=self.house.settings)

    def of(self, station: str, day: date, channel: str = "temperature") -> dict[str, Any]:
        """Counts of a station's day that are not nought."""
        columns = ", ".join(f"{name}_count" for name in COUNTS)
        [found] = self.house.all(
            f"select {columns} from governance.completeness_day"
            " where feed = %s and site_code = %s and channel = %s and day = %s",
            self.house.contract.feed, station, channel, day,
        )  # fmt: skip
        return {name: count for name, count in zip(COUNTS, found, strict=True) if count}

    def days(self, station: str) -> list[date]:
        """Days that the books have of a station."""
        return [
            day
            for (day,) in self.house.all(
                "select distinct day from governance.completeness_day where site_code = %s order by 1",
                station,
            )
        ]

    def content(self) -> list[tuple[Any, ...]]:
        """All that the books say, but who wrote it."""
        return self.house.all(
            "select to_jsonb(c) - 'build_id' from governance.completeness_day as c"
            " union all select to_jsonb(f) - 'build_id' from governance.feed_day as f order by 1"
        )

    def sound(self) -> bool:
        """Whether working everything out again finds no difference."""
        found = marts.recompute_check(self.house.conn, "governance", settings=self.house.settings)
        assert found == [], found
        return True


@contextmanager
def books(settings: Settings, folder: Path) -> Iterator[Books]:
    """Books of the weather stations."""
    with feed_house(settings, folder) as house:
        house.contract = WEATHER
        yield Books(house)
