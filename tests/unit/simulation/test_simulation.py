"""The stand-in tells the truth that it claims to know."""

from __future__ import annotations

import ast
import csv
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from simulation import aqi, server
from simulation.air import CHINA
from simulation.archive import write_air_archive
from simulation.national import HEADER, feed_xml, real_pulls, synthetic_pulls

ROOT = Path(__file__).resolve().parents[3]


def measured(row: Mapping[str, str]) -> dict[str, int | None]:
    columns = {"so2": "so2", "no2": "no2", "co": "co", "o3": "o3_24h", "pm10": "pm10", "pm2_5": "pm2_5"}
    texts = {
        p: row[c].replace(".", "") if p == "co" and "." in row[c] else row[c] for p, c in columns.items()
    }
    tens = {p: 10 if p == "co" and "." not in row[columns[p]] else 1 for p in columns}
    return {p: None if text == "—" else int(text) * tens[p] for p, text in texts.items()}


def reported(row: Mapping[str, str]) -> tuple[str, str, str]:
    return row["aqi"], row["primarypollutant"], row["quality"]


# The departments' databases need a PostgreSQL, and how one is started on this machine is known in one place.
BORROWED = {
    "simulation/systems/database.py": {"ecowarehouse", "ecowarehouse.postgres", "ecowarehouse.settings"}
}


def test_it_knows_nothing_of_the_warehouse() -> None:
    for path in (ROOT / "simulation").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            allowed = BORROWED.get(str(path.relative_to(ROOT)), set())
            assert {name for name in names if name.startswith("ecowarehouse")} <= allowed, path


def test_both_computations_of_the_index_agree() -> None:
    for year in (2012, 2026):
        for pollutant in aqi.LABELS:
            top = aqi.BREAKPOINTS[year][pollutant][-1] + 30
            many = aqi.iaqi_many(pollutant, np.arange(-1, top), year)
            few = [-1, *(aqi.iaqi(pollutant, value, year) for value in range(top))]
            assert many.tolist() == [-1 if value is None else value for value in few]


@pytest.mark.shared
def test_the_index_of_published_vectors(shared: Path) -> None:
    content = json.loads(
        (shared / "data" / "test_vectors" / "aqi_hj633_vectors.json").read_text(encoding="utf-8")
    )
    items = {
        "SO2_1h": "so2",
        "NO2_1h": "no2",
        "CO_1h_mgm3": "co",
        "O3_1h": "o3",
        "PM10_24h": "pm10",
        "PM25_24h": "pm2_5",
    }
    compared = 0
    for case in content["cases"]:
        pollutant = items.get(case.get("item", ""))
        if pollutant is None or not case["checked_against_table"] or case["concentration"] < 0:
            continue
        value = round(case["concentration"] * (10 if pollutant == "co" else 1))
        if value > aqi.BREAKPOINTS[2012][pollutant][-1] and pollutant == "so2":
            continue  # the editions differ, and the vectors name none
        assert aqi.iaqi(pollutant, value, int(case["standard"][-4:])) == case["expected_iaqi"], case
        compared += 1
    assert compared > 40


@pytest.mark.shared
def test_the_real_feed_reports_what_we_compute(shared: Path) -> None:
    rows = [row for pull in real_pulls(shared / "data") for row in pull.rows if row["aqi"] != "—"]
    assert len(rows) == 8523
    assert [row for row in rows if aqi.hourly(measured(row), date(2019, 7, 18)) != reported(row)] == []


def test_synthetic_pulls_are_labelled_consistent_and_repeatable() -> None:
    pulls = synthetic_pulls(7)
    assert [p.body for p in pulls] == [p.body for p in synthetic_pulls(7)]
    assert [p.body for p in pulls] != [p.body for p in synthetic_pulls(8)]
    assert [p.stamp for p in pulls] == sorted(p.stamp for p in pulls)
    rows = [row for pull in pulls for row in pull.rows]
    assert all(
        row["stationcode"].startswith("SYN") and row["positionname"].endswith("（合成）") for row in rows
    )
    for row in rows:
        label = datetime.fromisoformat(row["timepoint"])
        day = date(2026, 3, 1) if label > datetime(2026, 3, 1) else date(2026, 2, 28)  # noqa: DTZ001
        assert aqi.hourly(measured(row), day) == reported(row)
    assert {row["timepoint"][:10] for row in rows} == {"2026-02-28", "2026-03-01"}


def test_synthetic_pulls_have_what_the_warehouse_must_stand() -> None:
    pulls = synthetic_pulls(7)
    rows = [row for pull in pulls for row in pull.rows]
    partial = [pull for pull in pulls if pull.partial]
    assert len(partial) == 1
    assert len({row["timepoint"] for row in partial[0].rows}) == 2
    assert any("—" in row.values() for row in rows)
    values = [(int(row["pm10"]), int(row["pm2_5"])) for row in rows if "—" not in (row["pm10"], row["pm2_5"])]
    assert any(fine > coarse for coarse, fine in values)
    assert max(coarse for coarse, _ in values) > 9000
    again = next(n for n, pull in enumerate(pulls) if "revised" in pull.description)
    before, after = pulls[again - 1].rows, pulls[again].rows
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert 0 < len(changed) < 20
    assert {row["timepoint"] for row in before} == {row["timepoint"] for row in after}


def test_the_archive_is_fast_consistent_and_revisable(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    start = datetime(2026, 2, 28, 20, tzinfo=CHINA)
    started = time.monotonic()
    assert write_air_archive(first, 1500, 100, start, 7) == 150_000
    assert time.monotonic() - started < 5  # 0.3 s on two idle cores
    write_air_archive(second, 1500, 100, start, 7, revise_share=0.01)
    with first.open(encoding="utf-8") as one, second.open(encoding="utf-8") as two:
        pairs = list(zip(csv.DictReader(one), csv.DictReader(two), strict=True))
    assert list(pairs[0][0]) == HEADER
    differing = sum(old["no2"] != new["no2"] for old, new in pairs)
    assert 0.008 < differing / len(pairs) < 0.012
    assert all(old["pm10"] == new["pm10"] for old, new in pairs)
    for row in (pair[place] for pair in pairs[::37] for place in (0, 1)):
        day = date(2026, 3, 1) if row["timepoint"] > "2026-03-01T00:00:00" else date(2026, 2, 28)
        assert aqi.hourly(measured(row), day) == reported(row)


def test_the_form_is_that_of_the_feed() -> None:
    body = feed_xml(synthetic_pulls(7)[0].rows).decode()
    assert body.startswith('<GetAQIDataPublishLivesResponse xmlns="http://tempuri.org/">')
    assert "<a:TotalCount>60</a:TotalCount>" in body
    assert "&mdash;" in body
    assert "—" not in body


@pytest.mark.shared
def test_the_raw_pull_is_served_byte_for_byte(shared: Path) -> None:
    raw = (shared / "data" / "air" / "cnemc_live_20190718T1250_raw_feed.xml").read_bytes()
    pull = real_pulls(shared / "data")[3]
    assert pull.body == raw

    def values(body: bytes) -> list[str]:
        return [
            line for line in body.decode().splitlines() if "Measure" not in line and "Unheathful" not in line
        ]

    assert values(feed_xml(pull.rows)) == values(raw)


def test_the_clock_belongs_to_the_admin(tmp_path: Path) -> None:
    running = server.build(tmp_path, seed=7)
    running.start()

    def post(path: str, content: object, token: str) -> dict[str, object]:
        request = urllib.request.Request(
            running.url + path, json.dumps(content).encode(), {"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    try:
        assert (tmp_path / "port").read_text() == running.url.rpartition(":")[2]
        assert (tmp_path / "admin-token").stat().st_mode & 0o077 == 0
        with pytest.raises(urllib.error.HTTPError):
            post("/clock/next", {}, "guess")
        stamps = [stamp.isoformat() for stamp, _ in server.pulls(seed=7)]
        assert post("/clock/next", {}, running.world.admin_token)["clock"] == stamps[1]
        assert post("/clock", {"at": stamps[5]}, running.world.admin_token)["clock"] == stamps[5]
        with pytest.raises(urllib.error.HTTPError):
            post("/fault", {"feed": "air", "kind": "nonsense"}, running.world.admin_token)
        with urllib.request.urlopen(running.url + "/air/archive.csv?from=2026-02-28T21:00:00") as answer:
            rows = list(csv.DictReader(answer.read().decode().splitlines()))
        assert min(row["timepoint"] for row in rows) == "2026-02-28T21:00:00"
        assert answer.headers["X-Eco-Synthetic"] == "true"
    finally:
        running.stop()
