"""A house about whose values and releases people decide: national air, and the city's own weather stations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecowarehouse import cycle, marts
from ecowarehouse.contracts import load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.datasets import Dataset, load_datasets
from ecowarehouse.decisions import corrections
from ecowarehouse.settings import Settings
from tests.integration.feed_house import DAY, FeedHouse, feed_house, row

WEATHER = load_contracts(Path(__file__).resolve().parents[3] / "city")["weather_hourly"]
HOURS = range(1, 5)
NOON = DAY + timedelta(hours=2)  # the period that decisions of these tests speak of: 02:00 to 03:00
PERIOD = (NOON, NOON + timedelta(hours=1))
BEFORE = DAY + timedelta(hours=6)  # after the first pull, long before any decision


@dataclass
class DecisionHouse:
    """`pull` brings the same values again, known after every decision; `cycle` builds, judges and releases."""

    air: FeedHouse
    settings: Settings
    pulls: int = 0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def weather(self) -> FeedHouse:
        """The city's own feed, on the same connections."""
        return FeedHouse(self.settings, self.air.folder, self.air.conn, self.air.admin, WEATHER)

    def pull(self, known: datetime | None = None, **values: object) -> None:
        """Both sources say their values: the first time on the day, then after whatever was decided by then."""
        self.pulls += 1
        moment = known or datetime.now(UTC) + timedelta(hours=self.pulls)
        plain: dict[str, object] = dict.fromkeys(("so2", "no2", "o3_24h", "pm10"), 12) | {
            "co": "0.7",
            "pm2_5": 8,
            "aqi": 12,
            "quality": "优",
        }
        rows = [row(code, hour, **(plain | values)) for hour in HOURS for code in ("S1", "S2")]
        # A new hour in each later pull, so that it is another content and another build.
        rows += [row(code, 4 + self.pulls, **plain) for code in ("S1", "S2")]
        self.air.load(moment, rows)
        weather = json.dumps({"total": 10, "items": self._weather()}).encode()
        path = self.air.folder / f"weather-{self.pulls}.json"
        path.write_bytes(weather)
        self.weather.load(moment, path)

    def _weather(self) -> list[dict[str, object]]:
        return [
            {
                "station_id": code, "station_name": code, "township": "西山镇", "lon": "110.0", "lat": "23.4",
                "time": (DAY + timedelta(hours=hour)).isoformat(), "temperature": 20, "humidity": 70,
                "pressure": 1005, "wind_speed": 2, "wind_direction": 90, "precipitation": 0,
            }
            for hour in [*HOURS, 4 + self.pulls]
            for code in ("W1", "W2")
        ]  # fmt: skip

    def cycle(self) -> None:
        """What the next run does, without asking the sources."""
        for element in ("air", "weather"):
            corrections.take_up_element(self.air.conn, self.settings.bytes_store, element)
            cycle.run_element(self.air.conn, element, self.settings)

    def three_more(self) -> None:
        """Three cycles, each with a pull that says the sources' old values again, known later than any decision."""
        for _ in range(3):
            self.pull()
            self.cycle()

    def sound(self) -> bool:
        """Whether full recomputes of core, corrections and marts find no difference."""
        for contract in (self.air.contract, WEATHER):
            assert recompute.check(self.air.conn, contract) == []
            assert corrections.check(self.air.conn, contract.feed) == []
            assert marts.recompute_check(self.air.conn, contract.element, settings=self.settings) == []
        return True

    def dataset(self, name: str = "air.station_hour") -> Dataset:
        """The face of a dataset."""
        return next(one for one in load_datasets(self.settings) if one.dataset == name)

    def read(self, relation: str, columns: str, station: str = "S1", as_of: datetime | None = None) -> Any:
        """Columns of the decided hour in a relation, as eco_engineer reads it; None without a row, one cell alone."""
        from ecowarehouse import query
        from ecowarehouse.postgres.connection import connect

        with connect(query.DEFAULT_ROLE, application="test", settings=self.settings) as conn:
            found = query.ask(
                conn,
                f"select {columns} from {relation} where station_code = '{station}'"
                f" and period_start = '{NOON.isoformat()}'",
                as_of=as_of,
            ).rows
        if not found:
            return None
        [one] = found
        return one[0] if len(one) == 1 else one


@contextmanager
def decision_house(settings: Settings, folder: Path) -> Iterator[DecisionHouse]:
    """One with a first pull of the day, released."""
    with feed_house(settings, folder) as air:
        house = DecisionHouse(air, settings)
        house.pull(BEFORE)
        house.cycle()
        yield house
