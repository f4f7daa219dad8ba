"""Workbooks as departments send them: the table is found, good rows come, bad cells are named by sheet and cell."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecowarehouse import formats
from ecowarehouse.contracts import Contract
from ecowarehouse.formats import FormatProblem, ReceivedTable
from ecowarehouse.formats.number_formats import shown
from ecowarehouse.landing import shaping
from ecowarehouse.landing.check import check
from tests.unit.formats.form_house import contract, problem, rows

HEADER = ["site", "time", "depth", "cadmium"]
HEADINGS = {"点位": "site", "采样日期": "time", "深度": "depth", "镉": "cadmium"}
TITLES = ["点位", "采样日期", "深度(cm)", "镉(mg/kg)"]
DAILY = {
    "column": "time", "format": "%Y-%m-%d", "timezone": "Asia/Shanghai", "label": "start", "averaging": "PT24H",
    "plausible": {"from": "2000-01-01", "ahead": "PT2H"},
}  # fmt: skip
Fill = Callable[[Any], None]


def soil(**options: Any) -> Contract:
    return contract("workbook", HEADER, {"headings": HEADINGS, **options}, period=DAILY)


def workbook(*lines: list[Any], title: str = "土壤", fill: Fill | None = None) -> bytes:
    """A workbook of one sheet with these rows; `fill` changes it before it is written."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for line in lines:
        sheet.append(line)
    if fill is not None:
        fill(sheet)
    return saved(book)


def saved(book: Any) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def with_part(payload: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook in which one part is another."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(payload)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for item in old.namelist():
            content = old.read(item)
            new.writestr(item, change(content) if item == name else content)
    return target.getvalue()


def read(payload: bytes, **options: Any) -> ReceivedTable:
    return formats.read_table(soil(**options), "workbook", payload)


def judged(payload: bytes, **options: Any) -> tuple[list[str], list[tuple[int | None, str | None, str, str]]]:
    """Sites whose rows land, and what the check rejects, as landing does it."""
    made = soil(**options)
    parts = list(formats.read(made, "workbook", payload))
    found = formats.read_table(made, "workbook", payload)
    checked = check(made, found.table, known_at=datetime(2026, 1, 1, tzinfo=UTC))
    places = [part.places for part in parts if part.places is not None]
    rejects = [*found.rejects, *shaping.as_received(made, checked.rejects, places)]
    told = [(one.row_number, one.column, one.reason, one.detail.partition(": ")[0]) for one in rejects]
    return checked.table["site"].to_pylist(), told


def test_a_table_below_titles_and_beside_the_margin_is_found() -> None:
    payload = workbook(
        ["桂平市土壤监测结果"], [], [None, None, *TITLES], [None, None, "S1", "2025-03-01", 20, 0.31]
    )
    assert rows(read(payload)) == [["S1", "2025-03-01", "20", "0.31"]]


def test_numbers_are_what_a_person_can_have_typed() -> None:
    values = [0.1 + 0.2, 1e-7, 123456789012345, 1.10, 1e15, -0.5, 3]
    payload = workbook(TITLES, *(["S1", "2025-03-01", 1, value] for value in values))
    texts = read(payload).table["cadmium"].to_pylist()
    assert texts == ["0.3", "0.0000001", "123456789012345", "1.1", "1000000000000000", "-0.5", "3"]


@pytest.mark.parametrize(
    ("number_format", "value", "text"),
    [
        ('"<"0.00', 0.02, "<0.02"),
        ("<0.00", 0.02, "<0.02"),
        (r"\<0.00", 0.02, "<0.02"),
        ('0.00"L"', 0.02, "0.02L"),
        ('0.0"μg/kg"', 20, "20μg/kg"),
        ('0.0" mg/kg"', 20, "20"),  # which goes without saying
        ('"<"0.0" mg/kg"', 20, "<20 mg/kg"),
        ('[<0.01]"<0.01";0.00', 0.004, "<0.01"),
        ('[<0.01]"<0.01";0.00', 0.5, "0.5"),
        ('[Red][<=-0.5]"<"0.0;0.00', -0.5, "<-0.5"),
        ('0.00;0.00;"ND"', 0, "ND"),
        ('0.00;0.00;"ND"', -1, "-1"),
        ('General"L"', 3, "3L"),
        ('0.0%"L"', 0.25, "25%L"),
        ('0.00"%"', 0.5, "0.5%"),
        # Excel's own styles say of a number what the number says.
        ("General", 0.02, "0.02"),
        ("0.00E+00", 0.02, "0.02"),
        ("@", 0.02, "0.02"),
        ("0;-0;;@", 0, "0"),
        ('_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-', 0, "0"),
        ('_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-', 1234.5, "1234.5"),
        ('"¥"#,##0.00;[Red]"¥"\\-#,##0.00', -12, "-12"),
        ("#,##0.00_);(#,##0.00)", -12, "-12"),
    ],
)
def test_what_a_format_shows_beside_a_number_is_kept(number_format: str, value: float, text: str) -> None:
    def fill(sheet: Any) -> None:
        sheet["D2"].number_format = number_format

    payload = workbook(TITLES, ["S1", "2025-03-01", 1, value], fill=fill)
    assert read(payload).table["cadmium"].to_pylist() == [text]


@settings(max_examples=60, deadline=None)
@given(st.text('0#."<;[]%>=1\\L_*@', max_size=12), st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_a_format_says_its_number_is_read(number_format: str, value: float) -> None:
    assert isinstance(shown(number_format, value).around("1"), str)


@settings(max_examples=30, deadline=None)
@given(st.decimals(-1_000_000, 1_000_000, places=6, allow_nan=False))
def test_every_number_of_fifteen_digits_comes_back(number: Any) -> None:
    payload = workbook(TITLES, ["S1", "2025-03-01", 1, float(number)])
    assert float(read(payload).table["cadmium"][0].as_py()) == float(number)


def test_dates_come_as_dates_and_as_text() -> None:
    def fill(sheet: Any) -> None:
        sheet["B3"].number_format = "yyyy-mm-dd hh:mm"

    payload = workbook(
        TITLES,
        ["S1", date(2025, 3, 1), 1, 1],
        ["S2", datetime(2025, 3, 1), 1, 1],  # noqa: DTZ001 (a sheet knows no zone)
        ["S3", datetime(2025, 3, 1, 8, 30), 1, 1],  # noqa: DTZ001
        ["S4", "2025/3/1", 1, 1],
        fill=fill,
    )
    assert read(payload).table["time"].to_pylist() == [
        "2025-03-01", "2025-03-01T00:00:00", "2025-03-01T08:30:00", "2025/3/1",
    ]  # fmt: skip
    assert read(payload, date_format="%Y年%m月").table["time"][0].as_py() == "2025年03月"


def test_every_bad_cell_is_named_and_every_good_row_lands() -> None:
    def fill(sheet: Any) -> None:
        sheet.title = "土壤"
        sheet["D7"].number_format = "0.0%"

    payload = workbook(
        ["title"],
        TITLES,
        ["S1", "2025-03-01", 20, 0.31],
        ["S2", "2025-03-01", 20, "痕量"],
        ["S3", "2025-03-01", 20, "#DIV/0!"],
        ["#REF!", "2025-03-01", 20, 0.1],
        ["S5", "2025-03-01", 20, 0.25],
        ["S6", "1 March", 20, 0.1],
        ["S7", "2025-03-01", "", 0.2],
        ["S8", "2025-03-01", 20, "=D3*2"],  # openpyxl writes no result: nobody worked it out
        fill=fill,
    )
    landed, told = judged(payload)
    assert landed == ["S1", "S2", "S3", "S5", "S7", "S8"]
    assert told == [
        (4, None, "formula_error", "土壤!A6"),
        (2, "cadmium", "not_a_number", "土壤!D4"),
        (3, "cadmium", "not_a_number", "土壤!D5"),
        (5, "cadmium", "not_a_number", "土壤!D7"),
        (6, None, "period_unparsable", "土壤!8:8"),
        (8, "cadmium", "not_a_number", "土壤!D10"),
    ]
    assert read(payload).table["cadmium"].to_pylist()[3] == "25%"


def test_a_workbook_of_nothing_but_rows_with_errors_keeps_its_rejects() -> None:
    payload = workbook(TITLES, ["#REF!", "2025-03-01", 20, 0.31])
    assert judged(payload) == ([], [(1, None, "formula_error", "土壤!A2")])


def test_another_unit_in_a_heading_keeps_its_cells_from_being_numbers() -> None:
    titles = [*TITLES[:3], "镉（μg/kg）"]
    payload = workbook(titles, ["S1", "2025-03-01", 20, 310], ["S2", "2025-03-01", 20, None])
    assert read(payload).table["cadmium"].to_pylist() == ["310 μg/kg", ""]
    assert judged(payload) == (["S1", "S2"], [(1, "cadmium", "not_a_number", "土壤!D2")])


EMPTY_RESULT = b'<c r="C2" t="str"><f>IF(B2="","",B2)</f><v></v></c>'


def named_soil() -> Contract:
    headings = {"点位": "site", "采样日期": "time", "名称": "name", "备注": "remark", "镉": "cadmium"}
    channels = {"cadmium": {"property": "cadmium", "averaging": "PT24H", "unit": "mg/kg"}}
    channels["remark"] = channels["cadmium"] | {"property": "remark", "kind": "text"}
    header = ["site", "time", "name", "remark", "cadmium"]
    return contract(
        "workbook", header, {"headings": headings}, period=DAILY, site={"code": "site", "name": "name"},
        channels=channels,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["S1", "2025-03-01", '=B2&"x"', "", 0.3], '土壤!C2: a formula without a result: =B2&"x"'),
        (["S1", "2025-03-01", "甲", "=A1", 0.3], "土壤!D2: a formula without a result: =A1"),
        (["S1", "2025-03-01", "甲", "#N/A", 0.3], "土壤!D2: #N/A"),
    ],
)
def test_a_text_that_no_formula_gave_is_no_text(line: list[Any], told: str) -> None:
    payload = workbook(["点位", "采样日期", "名称", "备注", "镉"], line)
    found = formats.read_table(named_soil(), "workbook", payload)
    assert [(one.reason, one.detail) for one in found.rejects] == [("formula_error", told)]


def test_a_formula_with_an_empty_result_gives_no_name() -> None:
    payload = workbook(["点位", "采样日期", "名称", "备注", "镉"], ["S1", "2025-03-01", "x", "", 0.3])
    payload = with_part(
        payload, SHEET, lambda content: re.sub(rb'<c r="C2".*?</c>', EMPTY_RESULT, content, count=1)
    )
    found = formats.read_table(named_soil(), "workbook", payload)
    assert [one.reason for one in found.rejects] == ["formula_error"]


LONG_HEADER = ["site", "time", "item", "unit", "result"]
LONG_TITLES = ["点位", "采样日期", "项目", "单位", "结果"]


def long(header: list[str], unit: str | None, **options: Any) -> Contract:
    headings = {title: name for title, name in zip(LONG_TITLES, LONG_HEADER, strict=True) if name in header}
    channels = {
        name: {
            "property": name,
            "averaging": "PT24H",
            "unit": "mg/kg",
            "units": {"ug/kg": 0.001} if unit else {},
        }
        for name in ("cadmium", "lead")
    }
    channels["lead"] |= {"unit": "g/kg", "units": {}}
    return contract(
        "workbook", header, {"headings": headings, **options}, period=DAILY, channels=channels,
        key=["site", "time", "item"], long={"channel": "item", "value": "result", "unit": unit},
    )  # fmt: skip


def test_a_unit_over_a_column_of_several_items_keeps_rows_in_another_from_being_numbers() -> None:
    titles = [*LONG_TITLES[:3], "结果(μg/kg)"]
    lines = [["S1", "2025-03-01", "cadmium", 200], ["S1", "2025-03-01", "lead", None]]
    header = [name for name in LONG_HEADER if name != "unit"]
    found = formats.read_table(long(header, None), "workbook", workbook(titles, *lines))
    assert found.table["result"].to_pylist() == ["200 μg/kg", ""]
    sound = workbook([*titles[:3], "结果(mg/kg)"], *lines)
    assert formats.read_table(long(header, None), "workbook", sound).table["result"].to_pylist() == [
        "200",
        "",
    ]
    named = long(header, None, units={"result": "ug/kg"})
    assert formats.read_table(named, "workbook", workbook(titles, *lines)).table["result"][0].as_py() == "200"


def test_a_unit_over_a_column_is_held_against_the_unit_of_each_row() -> None:
    payload = workbook(
        [*LONG_TITLES[:4], "结果(µg/kg)"],
        ["S1", "2025-03-01", "cadmium", "mg/kg", 200],
        ["S2", "2025-03-01", "cadmium", "ug/kg", 200],
        ["S3", "2025-03-01", "cadmium", None, 200],
    )
    found = formats.read_table(long(LONG_HEADER, "unit"), "workbook", payload)
    assert found.table["result"].to_pylist() == ["200 µg/kg", "200", "200 µg/kg"]


def test_the_unit_of_a_column_that_is_no_channel_is_compared_when_the_contract_names_it() -> None:
    payload = workbook(["点位", "采样日期", "深度(m)", "镉(mg/kg)"], ["S1", "2025-03-01", 0.2, 0.31])
    assert read(payload).table["depth"].to_pylist() == ["0.2"]
    assert read(payload, units={"depth": "cm"}).table["depth"].to_pylist() == ["0.2 m"]


def test_a_heading_with_another_unit_can_be_a_column_of_its_own_with_its_factor() -> None:
    header = ["site", "time", "cadmium_ug", "cadmium"]
    headings = {"点位": "site", "采样日期": "time", "镉": "cadmium", "镉(μg/kg)": "cadmium_ug"}
    channel = {"property": "cadmium", "averaging": "PT24H", "unit": "mg/kg"}
    made = contract(
        "workbook", header, {"headings": headings, "ignore": ["深度(cm)"]}, period=DAILY,
        optional=["cadmium_ug", "cadmium"],
        channels={"cadmium": channel, "cadmium_ug": {**channel, "original_unit": "ug/kg", "factor": "0.001"}},
    )  # fmt: skip
    payload = workbook([*TITLES[:3], "镉(μg/kg)"], ["S1", "2025-03-01", 20, 310])
    assert rows(formats.read_table(made, "workbook", payload)) == [["S1", "2025-03-01", "310", None]]


MERGED = [
    TITLES,
    ["S1", "2025-03-01", 20, 0.31],
    [None, "2025-03-02", 20, 0.32],
    ["S2", "2025-03-01", 20, 0.4],
]


def test_a_merged_cell_is_carried_down_only_where_the_contract_says_so() -> None:
    payload = workbook(*MERGED, fill=lambda sheet: sheet.merge_cells("A2:A3"))
    assert read(payload, carry_down=["site"]).table["site"].to_pylist() == ["S1", "S1", "S2"]
    found = read(payload)
    assert found.table["site"].to_pylist() == ["S1", "S2"]
    assert [(one.row_number, one.reason) for one in found.rejects] == [(2, "merged_cell")]
    assert found.rejects[0].detail.startswith(
        "土壤!A3: part of a cell merged from row 2 on: unmerge it, or name site"
    )


def test_a_value_merged_over_two_rows_is_not_taken_for_one() -> None:
    lines = [TITLES, ["S1", "2025-03-01", 20, 0.31], ["S2", "2025-03-01", 20, None]]
    found = read(workbook(*lines, fill=lambda sheet: sheet.merge_cells("D2:D3")))
    assert found.table["site"].to_pylist() == ["S1"]
    assert [one.reason for one in found.rejects] == ["merged_cell"]


def test_blank_cells_that_are_merged_say_nothing() -> None:
    lines = [TITLES, ["S1", "2025-03-01", None, 0.31], ["S2", "2025-03-01", None, 0.32]]
    found = read(workbook(*lines, fill=lambda sheet: sheet.merge_cells("C2:C3")))
    assert (found.table["site"].to_pylist(), found.rejects) == (["S1", "S2"], [])


def test_a_header_of_two_rows_with_merged_cells() -> None:
    def fill(sheet: Any) -> None:
        sheet.merge_cells("A1:A2")
        sheet.merge_cells("B1:B2")
        sheet.merge_cells("C1:D1")

    header = ["site", "time", "lead", "cadmium"]
    headings = {"点位": "site", "采样日期": "time", "重金属 铅": "lead", "重金属 镉": "cadmium"}
    made = contract("workbook", header, {"headings": headings, "header_rows": 2}, period=DAILY)
    lines = [["点位", "采样日期", "重金属", None], [None, None, "铅(mg/kg)", "镉(mg/kg)"]]
    payload = workbook(*lines, ["S1", "2025-03-01", 25, 0.31], fill=fill)
    assert rows(formats.read_table(made, "workbook", payload)) == [["S1", "2025-03-01", "25", "0.31"]]


def test_empty_rows_are_none_and_totals_are_left_out_and_counted() -> None:
    lines = [
        TITLES,
        ["S1", "2025-03-01", 20, 0.31],
        [],
        ["S2", "2025-03-01", 20, 0.4],
        ["合 计", None, None, 0.71],
    ]
    payload = workbook(*lines, fill=lambda sheet: sheet.merge_cells("A5:C5"))
    found = read(payload, leave_out={"site": "合\\s*计|小计"}, carry_down=["site"])
    assert (found.table["row_number"].to_pylist(), found.left_out) == ([1, 2], 1)


def test_hidden_rows_are_rows_unless_the_contract_says_otherwise() -> None:
    def fill(sheet: Any) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["D"].hidden = True

    payload = workbook(TITLES, ["S1", "2025-03-01", 1, 1], ["S2", "2025-03-01", 1, 2], fill=fill)
    assert read(payload).table["cadmium"].to_pylist() == ["1", "2"]
    found = read(payload, hidden="leave_out")
    assert (found.table["site"].to_pylist(), found.left_out) == (["S1"], 1)


def test_rows_of_several_sheets_are_counted_on_and_named_by_their_sheet() -> None:
    book = openpyxl.Workbook()
    first, second, third = book.active, book.create_sheet("二月"), book.create_sheet("说明")
    assert first is not None
    first.title = "一月"
    for sheet, day in ((first, "2025-01-01"), (second, "2025-02-01")):
        sheet.append(TITLES)
        sheet.append(["S1", day, 20, "x" if day.startswith("2025-02") else 1])
    third.append(["说明：单位 mg/kg"])
    payload = saved(book)
    assert judged(payload, sheet=".月") == (["S1", "S1"], [(2, "cadmium", "not_a_number", "二月!D2")])
    assert "说明: no header in its first 30 rows; if it is no sheet of rows, say so" in problem(
        soil(), "workbook", payload
    )
    assert problem(soil(sheet="三月"), "workbook", payload) == (
        "not_the_format: no sheet is named as '三月'; there are: 一月, 二月, 说明"
    )


@pytest.mark.parametrize(
    ("titles", "told"),
    [
        (TITLES[:3], "header_changed: 土壤!1:1: missing: cadmium"),
        ([*TITLES, "铅(mg/kg)"], "header_changed: 土壤!1:1: unknown: 铅(mg/kg)"),
        ([*TITLES, "镉"], "header_changed: 土壤!1:1: twice: cadmium"),
    ],
)
def test_a_changed_header_is_named_with_its_row(titles: list[str], told: str) -> None:
    assert problem(soil(), "workbook", workbook(titles, ["S1", "2025-03-01", 20, 1])) == told


GOOD = workbook(TITLES, ["S1", "2025-03-01", 20, 0.31])
SHEET = "xl/worksheets/sheet1.xml"


def bomb() -> bytes:
    return with_part(GOOD, SHEET, lambda content: content + b" " * (20 << 20))


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b"site,time\nS1,2025-03-01\n", "no workbook (.xlsx): it begins with b'site,time\\nS1,202', perhaps text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an old (.xls) or encrypted Office file: save it as"),
        (b"<!DOCTYPE html><html>login</html>", "an HTML page instead of data"),
        (GOOD[:-200], "truncated: no whole workbook (.xlsx)"),
        (workbook(), "no_rows"),
        (workbook(TITLES), "no_rows"),
        (with_part(GOOD, SHEET, lambda c: c.replace(b"<worksheet", b"<!DOCTYPE a><worksheet", 1)), "is no part of"),
        (with_part(GOOD, SHEET, lambda c: c.replace(b'r="2"', b'r="99999999"', 1)), "a row with the number '99999999'"),
        (with_part(GOOD, SHEET, lambda c: c[:-40]), "no_rows"),
        (with_part(GOOD, "xl/workbook.xml", lambda c: c.replace(b"r:id", b"r:no")), "not_the_format"),
        (with_part(GOOD, "[Content_Types].xml", lambda c: b"<x/>"), "not_the_format"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_said_clearly(payload: bytes, told: str) -> None:
    said = problem(soil(), "workbook", payload)
    assert told in said or (told == "no_rows" and "truncated" in said)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    assert "sheet1.xml grows" in problem(soil(), "workbook", bomb())


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whatever_is_broken_in_a_workbook_is_named(data: st.DataObject) -> None:
    part = data.draw(st.sampled_from([SHEET, "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"]))
    cut = data.draw(st.integers(0, 3000))
    filling = data.draw(st.binary(max_size=6) | st.sampled_from([b"", b"<", b'"', b"9", b"</row>", b't="s"']))
    payload = with_part(GOOD, part, lambda content: content[:cut] + filling + content[cut + len(filling) :])
    with suppress(FormatProblem):
        formats.read_table(soil(), "workbook", payload)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(GOOD)), st.binary(max_size=8))
def test_whatever_bytes_come_is_named(place: int, filling: bytes) -> None:
    with suppress(FormatProblem):
        formats.read_table(soil(), "workbook", GOOD[:place] + filling + GOOD[place + len(filling) :])
