"""A small house before the gate: two datasets of one element, made by hand, with a setup of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import yaml

from ecowarehouse.checksum import period_checksum_sql
from ecowarehouse.gate import GateResult, Setup, judge
from ecowarehouse.postgres.connection import connect
from ecowarehouse.release import ReleaseResult, release

ZONE = "Asia/Shanghai"
HOUR = timedelta(hours=1)
T0 = datetime(2019, 7, 18, 0, tzinfo=UTC)
STATIONS = [f"S{n:02d}" for n in range(10)]
COLUMNS = {
    "air.station_hour": ["station_code", "period_start", "aqi", "aqi_reported", "aqi_agrees", "note"],
    "air.area_day": ["area_code", "day", "aqi"],
}


@dataclass(frozen=True)
class ToyPublishing:
    """Only what the release asks."""

    open: bool


@dataclass(frozen=True)
class ToyDataset:
    """The face of a dataset, as datasets.py gives it."""

    dataset: str
    element: str
    relation: str
    key: list[str]
    period_column: str
    grain: str
    feeds: list[str]
    publishing: ToyPublishing
    open_columns: list[str] = field(default_factory=list)
    title: dict[str, str] = field(default_factory=dict)


STATION_HOUR = ToyDataset(
    "air.station_hour", "air", "air.station_hour", ["station_code", "period_start"], "period_start", "hour",
    ["toy"], ToyPublishing(True), ["station_code", "period_start", "aqi"],
)  # fmt: skip
AREA_DAY = ToyDataset(
    "air.area_day", "air", "air.area_day", ["area_code", "day"], "day", "day", ["toy"], ToyPublishing(False)
)


def expectation(name: str, measure: str, severity: str = "critical", **limits: Any) -> dict[str, Any]:
    """One expectation with the texts that every one needs."""
    return {
        "name": name, "expect": "column_values_to_be_between", "measure": measure, "severity": severity,
        "applies": "closed", "reason": "test", "owner": "test",
        "history": [{"on": date(2019, 1, 1), "by": "test", "change": "made"}], **limits,
    }  # fmt: skip


FIRST = {"then": "pass", "reason": "no network yet"}


def suite() -> dict[str, Any]:
    """A suite that the toy candidate passes."""
    disagreement = "count(*) filter (where not aqi_agrees)::numeric / nullif(count(aqi_reported), 0)"
    return {
        "element": "air",
        "datasets": {
            "air.station_hour": {
                "measures": {"disagreement_share": disagreement, "highest": "max(aqi)"},
                "sites": {"column": "station_code", "memory": "P30D"},
                "hold_rows": {"when": "aqi_agrees = false", "reason": "disagrees with the reported index"},
                "expectations": [
                    expectation("agreement", "disagreement_share", max_value=0.001),
                    expectation("stations", "stations_share", min_value=0.75, when_null=FIRST),
                    expectation("range", "highest", "warning", max_value=500, applies="always"),
                    expectation(
                        "nearly_all_stations", "stations_share", "warning", min_value=0.95, when_null=FIRST
                    ),
                ],
            },
            "air.area_day": {
                "measures": {"highest": "max(aqi)"},
                "expectations": [expectation("range", "highest", max_value=500, applies="always")],
            },
        },
    }


class Toy:
    """The house; `build` records what a dbt build would, `judge` and `release` are the real ones."""

    def __init__(self, admin: psycopg.Connection[Any], conn: psycopg.Connection[Any], folder: Path) -> None:
        self.admin, self.conn, self.folder = admin, conn, folder
        self.unapproved: list[str] = []
        self.standards = "those of the build"
        self.datasets: list[ToyDataset] = [STATION_HOUR, AREA_DAY]
        self.reports: Path | None = None
        self.write_suite(suite())
        self._make()

    def _make(self) -> None:
        self.admin.execute("""
            create schema if not exists air authorization eco_dbt;
            grant usage on schema air to eco_gate, eco_release, eco_engineer;
            set role eco_dbt;
            create table air.station_hour (station_code text not null, period_start timestamptz not null,
                aqi numeric, aqi_reported numeric, aqi_agrees boolean, note text, build_id bigint,
                primary key (station_code, period_start));
            create index on air.station_hour (period_start);
            comment on column air.station_hour.aqi is '空气质量指数 · air quality index';
            create table air.area_day (area_code text not null, day date not null, aqi numeric,
                build_id bigint,                primary key (area_code, day));
            create index on air.area_day (day);
            grant select on all tables in schema air to eco_gate, eco_release, eco_engineer;
            reset role;
        """)

    def write_suite(self, content: dict[str, Any] | None) -> None:
        """Write expectations/air.yml, or remove it."""
        path = self.folder / "air.yml"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(yaml.safe_dump(content), encoding="utf-8")

    def setup(self) -> Setup:
        """The gate's setup of this house."""
        return Setup(
            datasets=self.datasets,  # type: ignore[arg-type]
            expectations=self.folder, zone=ZONE, lateness={"toy": 3 * HOUR},
            unapproved=lambda conn: self.unapproved, applied=lambda conn: self.standards,
            reports=self.reports,
        )  # fmt: skip

    def clock(self, known_at: datetime) -> int:
        """One batch of the feed, so that its clock stands here."""
        row = self.admin.execute(
            "insert into landing.batch (feed, source, known_at, outcome, content_batch_id, sha256)"
            " values ('toy', 'test', %s, 'rejected', null, 'abc') returning batch_id", [known_at],
        ).fetchone()  # fmt: skip
        assert row
        self.admin.execute(
            "update landing.batch set outcome = 'loaded', content_batch_id = batch_id where batch_id = %s",
            row,
        )
        return int(row[0])

    def fill(self, hours: int, start: datetime = T0, stations: Sequence[str] = STATIONS) -> list[datetime]:
        """Rows of these hours, all agreeing."""
        self.admin.execute(
            "insert into air.station_hour select s, h, 50, 50, true, null, 0 from unnest(%s::text[]) s,"
            " generate_series(%s::timestamptz, %s, interval '1 hour') h",
            [list(stations), start, start + (hours - 1) * HOUR],
        )
        self.admin.execute(
            "insert into air.area_day select 'A', d::date, 50, 0"
            " from generate_series(%s::timestamptz at time zone 'Asia/Shanghai',"
            " %s at time zone 'Asia/Shanghai', interval '1 day') d on conflict do nothing",
            [start, start + (hours - 1) * HOUR],
        )
        return [start + n * HOUR for n in range(hours)]

    def build(
        self, hours: Sequence[datetime], days: Sequence[datetime] = (), known_at: datetime | None = None,
        outcome: str = "built",
    ) -> int:  # fmt: skip
        """Record a build that touched these periods."""
        moment = known_at or max(hours, default=T0) + 24 * HOUR
        batch = self.clock(moment)
        row = self.admin.execute(
            "with s as (insert into governance.step (kind, subject, outcome) values ('build', 'air', 'done')"
            " returning step_id) insert into governance.build (element, step_id, outcome, known_at, standards_hash)"
            " select 'air', step_id, %s, %s, %s from s returning build_id", [outcome, moment, self.standards],
        ).fetchone()  # fmt: skip
        assert row
        self.admin.execute("insert into governance.build_batch values (%s, %s)", [row[0], batch])
        for dataset, periods in ((STATION_HOUR, hours), (AREA_DAY, days)):
            self.record(int(row[0]), dataset, periods)
        return int(row[0])

    def record_again(
        self, build_id: int, periods: Sequence[datetime], columns: Sequence[str] = COLUMNS["air.station_hour"]
    ) -> None:
        """Record stations' hours of a build once more."""
        self.admin.execute(
            "delete from governance.candidate_period where build_id = %s and period_start = any(%s)",
            [build_id, list(periods)],
        )
        self.record(build_id, STATION_HOUR, periods, columns)

    def record(
        self, build_id: int, dataset: ToyDataset, periods: Sequence[datetime], columns: Sequence[str] = ()
    ) -> None:
        """Write candidate_period as marts.build does."""
        if not periods:
            return
        statement = period_checksum_sql(
            dataset.relation, columns or COLUMNS[dataset.dataset], dataset.period_column, dataset.grain, ZONE,
            periods="select unnest(%(periods)s::timestamptz[]) as period_start",
        )  # fmt: skip
        self.admin.execute(
            f"insert into governance.candidate_period"
            f" select {build_id}, '{dataset.dataset}', period_start, rows, checksum"
            f" from ({statement}) c".encode(),
            {"periods": list(periods)},
        )  # fmt: skip

    def judge(self, build_id: int) -> GateResult:
        """The real gate."""
        return judge(self.conn, build_id, setup=self.setup())

    def release(self, build_id: int) -> ReleaseResult:
        """The real release."""
        return release(self.conn, build_id, setup=self.setup())

    def all(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a question of the superuser's."""
        return self.admin.execute(query.encode(), parameters or None).fetchall()

    def one(self, query: str, *parameters: Any) -> Any:
        """The first cell of it."""
        return self.all(query, *parameters)[0][0]

    def verdict(self, build_id: int, period: datetime, dataset: str = "air.station_hour") -> tuple[str, str]:
        """Word and reason of the verdict that holds."""
        rows = self.all(
            "select verdict, coalesce(reason, '') from governance.verdict_current"
            " where build_id = %s and period_start = %s and dataset = %s", build_id, period, dataset,
        )  # fmt: skip
        return rows[0] if rows else ("none", "")


@contextmanager
def toy_house(folder: Path) -> Iterator[Toy]:
    """A toy in the database of this process's settings."""
    folder.mkdir(exist_ok=True)
    with (
        connect(application="toy admin", admin=True, autocommit=True) as admin,
        connect(application="toy") as conn,
    ):
        yield Toy(admin, conn, folder)


def local_day(year: int, month: int, day: int) -> datetime:
    """The start of a local day as the gate writes it."""
    return datetime(year, month, day, tzinfo=UTC) - 8 * HOUR


Fault = Callable[[Toy], None]
