"""The command of the README, on a fresh home: real PostgreSQL, real Airflow, real DAG runs. Then again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
ECO = Path(sys.executable).with_name("eco")
pytestmark = [pytest.mark.airflow, pytest.mark.slow, pytest.mark.timeout(1200)]


def _eco(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ECO_", "AIRFLOW_"))}
    return subprocess.run(
        [str(ECO), *arguments], env=environment | {"ECO_HOME": str(home), "COLUMNS": "160"},
        capture_output=True, text=True, timeout=900, cwd=ROOT,
    )  # fmt: skip


# A feed by each kind of transport, and the hours up to one that is caught in the middle; all of it takes minutes.
ASKED = [
    "--pulls",
    "4",
    *(
        part
        for feed in (
            "cnemc_air_hourly",
            "cnemc_water_station",
            "weather_hourly",
            "noise_hourly",
            "rain_hourly",
            "park",
        )
        for part in ("--feed", feed)
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh home, and nothing left of it afterwards."""
    home = tmp_path_factory.mktemp("demo")
    yield home
    down = _eco(home, "down")
    assert down.returncode == 0, down.stderr
    left = [
        p.pid
        for p in psutil.process_iter(["environ"])
        if (p.info["environ"] or {}).get("ECO_HOME") == str(home)
    ]
    assert left == []


def test_a_fresh_home_ends_with_released_data_and_a_second_demo_changes_nothing(home: Path) -> None:
    first = _eco(home, "demo", *ASKED)
    assert first.returncode == 0, first.stdout + first.stderr
    answer = _eco(home, "query", "select count(*) > 0 from shared.air_station_hour", "--format", "csv")
    assert "true" in answer.stdout.lower() or "t" in answer.stdout.split()

    second = _eco(home, "demo", *ASKED)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "nothing new" in second.stdout

    password = [line for line in (home / "secrets.toml").read_text().splitlines() if "airflow.admin" in line]
    assert password
    secret = password[0].split('"')[3]
    assert secret not in first.stdout + second.stdout
    assert (home / "secrets.toml").stat().st_mode & 0o077 == 0
