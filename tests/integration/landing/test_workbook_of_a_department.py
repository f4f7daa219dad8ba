"""A department's workbook through the whole of landing: good rows land, the ledger names sheet and cell of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ecowarehouse.connectors import fetch_paths
from ecowarehouse.contracts import Contract
from ecowarehouse.landing.load import BatchOutcome, load
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from tests.unit.formats.form_house import contract

KNOWN_AT = datetime(2025, 6, 1, tzinfo=UTC)
DAILY = {
    "column": "time", "format": "%Y-%m-%d", "timezone": "Asia/Shanghai", "label": "start", "averaging": "PT24H",
    "plausible": {"from": "2000-01-01", "ahead": "PT2H"},
}  # fmt: skip
HEADINGS = {"点位": "site", "采样日期": "time", "镉": "cadmium", "铅": "lead"}
METALS = {
    name: {"property": name, "averaging": "PT24H", "unit": "mg/kg"} for name in ("cadmium", "lead")
}  # fmt: skip

LONG: dict[str, Any] = {
    "unpivot": {"columns": "(lead|cadmium)", "name": "metal", "value": "amount"},
    "long": {"channel": "metal", "value": "amount"},
    "key": ["site", "time", "metal"],
}


def soil(**fields: Any) -> Contract:
    options = {"headings": HEADINGS, "sheet": "土壤.*", "carry_down": ["site"], "leave_out": {"site": "合计"}}
    made = contract(
        "workbook", ["site", "time", "lead", "cadmium"], options, period=DAILY, channels=METALS, **fields
    )
    return made.model_copy(update={"feed": "tried_soil" if not fields else "tried_soil_long"})


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Titles, a shifted header, merged cells, another unit, text, an error, a total, a second sheet."""
    made = openpyxl.Workbook()
    first, second = made.active, made.create_sheet("土壤二")
    assert first is not None
    first.title = "土壤一"
    for line in (
        ["桂平市土壤监测"],
        [None, "点位", "采样日期", "铅(μg/kg)", "镉(mg/kg)"],
        [None, "S1", "2025-03-01", 25000, 0.31],
        [None, None, "2025-03-02", None, "痕量"],
        [None, "S2", "2025-03-01", None, "#DIV/0!"],
        [None, "合计", None, 25000, 0.31],
    ):
        first.append(line)
    first.merge_cells("A1:E1")
    first.merge_cells("B3:B4")
    for line in (["点位", "采样日期", "铅(mg/kg)", "镉(mg/kg)"], ["S3", "2025-03-01", 24.5, 0.1 + 0.2]):
        second.append(line)
    path = tmp_path_factory.mktemp("book") / "soil.xlsx"
    made.save(path)
    return path


@pytest.fixture(scope="module")
def admin(module_deployed: Settings) -> Iterator[Any]:
    with closing(connect(application="tests", admin=True, autocommit=True)) as conn:
        yield conn


def landed(made: Contract, book: Path, tmp_path: Path) -> BatchOutcome:
    with closing(connect(application="tests")) as conn:
        deliveries = fetch_paths(made, [book])
        [outcome] = load(conn, made, deliveries, byte_store=tmp_path, known_at_option=KNOWN_AT)
    return outcome


def rejects(admin: Any, outcome: BatchOutcome) -> list[tuple[Any, ...]]:
    query = (
        "select row_number, column_name, reason, split_part(detail, ': ', 1), received from landing.reject"
    )
    return list(
        admin.execute(
            f"{query} where batch_id = %s order by row_number, column_name", [outcome.batch_id]
        ).fetchall()
    )


def test_good_cells_land_and_the_ledger_names_the_others(admin: Any, book: Path, tmp_path: Path) -> None:
    outcome = landed(soil(), book, tmp_path)
    assert (outcome.outcome, outcome.rows, outcome.rejects) == ("loaded", 4, 3)
    rows = admin.execute(
        "select site, time, lead, cadmium from landing.tried_soil order by site, time"
    ).fetchall()
    assert rows == [
        ("S1", "2025-03-01", "25000 μg/kg", "0.31"),
        ("S1", "2025-03-02", "", "痕量"),
        ("S2", "2025-03-01", "", "#DIV/0!"),
        ("S3", "2025-03-01", "24.5", "0.3"),
    ]
    assert rejects(admin, outcome) == [
        (1, "lead", "not_a_number", "土壤一!D3", "25000 μg/kg"),
        (2, "cadmium", "not_a_number", "土壤一!E4", "痕量"),
        (3, "cadmium", "not_a_number", "土壤一!E5", "#DIV/0!"),
    ]


def test_columns_that_became_rows_are_named_by_the_cells_they_came_from(
    admin: Any, book: Path, tmp_path: Path
) -> None:
    made = soil(**LONG)
    outcome = landed(made, book, tmp_path)
    assert (outcome.rows, [one[3] for one in rejects(admin, outcome)]) == (
        8,
        ["土壤一!D3", "土壤一!E4", "土壤一!E5"],
    )


@pytest.mark.parametrize("fields", [{}, LONG])
def test_a_book_of_nothing_but_errors_has_no_rows_and_the_ledger_names_them(
    fields: dict[str, Any], admin: Any, tmp_path: Path
) -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "土壤"
    for line in (["点位", "采样日期", "铅(mg/kg)", "镉(mg/kg)"], ["#REF!", "2025-03-01", 24.5, 0.31]):
        sheet.append(line)
    made.save(tmp_path / "soil.xlsx")
    outcome = landed(soil(**fields), tmp_path / "soil.xlsx", tmp_path)
    assert (outcome.outcome, outcome.reason, outcome.rows) == ("rejected", "no_rows", 0)
    assert [one[2:4] for one in rejects(admin, outcome)] == [("formula_error", "土壤!A2")]
