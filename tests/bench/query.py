"""What a reader waits for: one station's hours as published, and as they were known at a moment."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from functools import partial

from ecowarehouse.postgres.connection import connect
from ecowarehouse.query import ask
from tests.bench.history import END
from tests.bench.house import House, median, timed
from tests.bench.report import Report

TIMES = 15
DAY = "station_code = %s and period_start >= %s and period_start < %s"
QUESTIONS = {
    "one hour of one station, shared.air_station_hour": (
        "select * from shared.air_station_hour where station_code = %s and period_start = %s", False,
    ),
    "a day of one station, shared.air_station_hour": (f"select * from shared.air_station_hour where {DAY}", False),
    "a day of one station, as of a moment": (f"select * from air.station_hour where {DAY}", True),
}  # fmt: skip


def run(house: House, report: Report, days: int) -> None:
    """Each question some times on one connection; the median."""
    start = datetime.fromisoformat((END - timedelta(days=1)).isoformat() + "+08:00").replace(hour=0)
    as_of = start + timedelta(
        days=1, hours=1, minutes=45
    )  # after the first of the hours added, before the others
    os.environ["ECO_DATABASE"] = f"bench_days_{days}"
    try:
        with connect("eco_engineer", application="bench") as conn:
            for what, (question, past) in QUESTIONS.items():
                parameters = ["SYN0007A", start, start + timedelta(days=1)][: question.count("%s")]
                moment = as_of if past else None
                found = ask(conn, question, as_of=moment, parameters=parameters).rows
                again = partial(ask, conn, question, as_of=moment, parameters=parameters)
                seconds = [timed(again) for _ in range(TIMES)]
                report.add(
                    what, 1000 * median(seconds), "ms", f"{len(found)} rows among {days} days of 60 stations"
                )
    finally:
        del os.environ["ECO_DATABASE"]
