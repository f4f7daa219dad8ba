"""The duty officer's sheet: what it says, in words of both languages, and the same bytes twice."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openpyxl import load_workbook

from ecowarehouse import gate, marts, release
from ecowarehouse.contracts import load_contracts
from ecowarehouse.pipeline import run_feed
from ecowarehouse.postgres import connect
from ecowarehouse.reports import ReportError, daily, sheets, words
from ecowarehouse.settings import Settings
from simulation import surface_water
from simulation.national import feed_csv, synthetic_pulls

ZONE = "Asia/Shanghai"
AREAS = ["450800", "450881", "合成市甲", "合成市乙"]


def _released(conn: psycopg.Connection[Any], element: str, settings: Settings) -> None:
    build = marts.build(conn, element, settings=settings)
    assert build.build_id is not None
    gate.judge(conn, build.build_id)
    release.release(conn, build.build_id)


@pytest.fixture(scope="module")
def settings(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("feeds")
    contracts = load_contracts(module_deployed.city)
    pulls = synthetic_pulls(7, hours=8)
    with connect(application="test", settings=module_deployed) as conn:
        for number, pull in enumerate(pulls):
            path = folder / f"air-{number}.csv"
            path.write_bytes(feed_csv(pull.rows))
            run_feed(
                conn, module_deployed, contracts["cnemc_air_hourly"], paths=[str(path)], known_at=pull.stamp
            )
        path = folder / "water.csv"
        path.write_bytes(
            surface_water.feed_csv(surface_water.synthetic_rows(pulls[-1].stamp, 7), ["snapshot"])
        )
        run_feed(
            conn,
            module_deployed,
            contracts["cnemc_water_station"],
            paths=[str(path)],
            known_at=pulls[-1].stamp,
        )
        _released(conn, "air", module_deployed)
        _released(conn, "water", module_deployed)
    return module_deployed


@pytest.fixture
def conn(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    with connect("eco_engineer", application="test", settings=settings) as opened:
        yield opened


def test_the_day_is_that_of_the_data_and_every_table_is_there(
    conn: psycopg.Connection[Any], settings: Settings
) -> None:
    report = daily(conn, settings, areas=AREAS)
    assert report.day == date(2026, 3, 1)
    assert [section.name for section in report.sections] == list(words.SECTIONS)
    assert {element for element, _, _ in report.releases} == {"air", "water"}
    assert len(report.section("air_now").rows) > 30
    assert [
        row[report.section("air_yesterday").columns.index("day")]
        for row in report.section("air_yesterday").rows
    ]


def test_sections_below_target_come_first_with_their_item(
    conn: psycopg.Connection[Any], settings: Settings
) -> None:
    found = daily(conn, settings, areas=AREAS).section("water_sections")
    below = [row[found.columns.index("below_target")] for row in found.rows]
    assert len(found.rows) == len(surface_water.SECTIONS)
    assert below == sorted(below, reverse=True)
    assert below[0]
    assert found.rows[0][found.columns.index("deciding_items")] == "氨氮"


def test_every_column_has_its_words(conn: psycopg.Connection[Any], settings: Settings) -> None:
    for section in daily(conn, settings, areas=AREAS).sections:
        assert not [column for column in section.columns if column not in words.COLUMNS], section.name


def test_page_and_workbook_say_what_the_report_says_and_are_the_same_twice(
    conn: psycopg.Connection[Any], settings: Settings
) -> None:
    report = daily(conn, settings, areas=AREAS)
    page, book = sheets.html(report, ZONE), sheets.xlsx(report, ZONE)
    assert (page, book) == (sheets.html(report, ZONE), sheets.xlsx(daily(conn, settings, areas=AREAS), ZONE))
    assert sheets.summary(report) in page
    assert words.UNREVIEWED in page
    opened = load_workbook(io.BytesIO(book))
    assert len(opened.sheetnames) == 1 + len(words.SECTIONS)
    water = opened["断面水质（未达标在前）"]
    assert water.max_row == 1 + len(report.section("water_sections").rows)


def test_targets_give_what_is_left(conn: psycopg.Connection[Any], settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "city.yml").write_text(
        (settings.city / "city.yml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (tmp_path / "targets.csv").write_text(
        "area_code,indicator,year,target,unit,document,mark\n合成市甲,air_good_share,2026,90,%,test,test\n",
        encoding="utf-8",
    )
    found = daily(conn, replace(settings, city=tmp_path), areas=AREAS).section("air_to_date")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    year = next(row for row in rows if row["area_name"] == "合成市甲" and row["span"] == "year")
    # A tenth of 365 days, less those that were polluted; no day of the invented network has an index yet.
    assert year["polluted_days_left"] == 36 - (year["days"] - year["good_days"])


def test_before_any_release_it_says_so(deployed: Settings) -> None:
    with (
        connect("eco_engineer", application="test", settings=deployed) as opened,
        pytest.raises(ReportError, match="nothing was released yet"),
    ):
        daily(opened, deployed)
