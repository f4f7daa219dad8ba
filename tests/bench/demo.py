"""What an hour takes by the real scheduler, as the ledger of a demo says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from ecowarehouse.postgres import cluster
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from tests.bench.house import House, median
from tests.bench.report import Report

# From the start of the landing that a release was the first to hold, to the end of that release.
_SECONDS: Final = """
select extract(epoch from step.ended_at - min(batch.started_at))
from governance.release as release
inner join governance.step as step using (step_id)
inner join governance.build_batch as input on input.build_id = release.build_id
inner join landing.batch as batch on batch.batch_id = input.batch_id
where release.element = 'air'
group by release.release_id, step.ended_at
order by release.release_id
"""


def run_one(house: House, report: Report) -> None:
    """A demo in a home of its own: Airflow is started, brings in the invented network's hours, and is stopped."""
    home = house.files / "demo"
    environment = house.environment(house.template) | {"ECO_HOME": str(home)}
    eco = [sys.executable, "-m", "ecowarehouse.cli.app"]
    try:
        subprocess.run([*eco, "demo"], env=environment, check=True, stdout=subprocess.DEVNULL)
        read(report, home)
    finally:
        subprocess.run([*eco, "down", "--immediate"], env=environment, stdout=subprocess.DEVNULL)


def read(report: Report, home: Path) -> None:
    """The ledger of a demo whose server runs; nothing is started for it."""
    before = os.environ.get("ECO_HOME")
    os.environ["ECO_HOME"] = str(home)
    try:
        settings = Settings.load()
        if cluster.status(settings) is None:
            report.about["demo"] = f"{home}: its server does not run"
            return
        with connect("eco_engineer", application="bench", settings=settings) as conn:
            seconds = [float(row[0]) for row in conn.execute(_SECONDS)]
    finally:
        os.environ.pop("ECO_HOME")
        if before is not None:
            os.environ["ECO_HOME"] = before
    if seconds:
        what = "one hour by Airflow, landing to release"
        hour = median(seconds)
        report.add(what, hour, "s", f"the ledger of the demo, median of {len(seconds)} releases", 60)
        direct = next(
            (line.figure for line in report.lines if line.what.startswith("eco cycle, one hour")), None
        )
        if direct is not None:
            report.add(
                "one hour by Airflow beside eco cycle",
                hour / direct,
                "×",
                f"one eco cycle: {direct:.1f} s",
                2,
            )
