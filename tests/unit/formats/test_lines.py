"""Lines that are no rows, and rows that are no delimited ones."""

from __future__ import annotations

import gzip
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ecowarehouse import formats
from ecowarehouse.formats import FormatProblem
from tests.unit.formats.form_house import contract, problem, rows

HEADER = ["site", "time", "value"]
ROWS = [["S1", "2025-03-01", "1"], ["S2", "2025-03-01", "2"]]


def text(*lines: str) -> bytes:
    return "\n".join([*lines, ""]).encode()


def read(payload: bytes, **options: Any) -> list[list[str | None]]:
    return rows(formats.read_table(contract("csv", HEADER, options), "csv", payload))


DATA = ("S1,2025-03-01,1", "S2,2025-03-01,2")


@pytest.mark.parametrize(
    ("payload", "options"),
    [
        (text(*DATA), {"header_line": False}),
        (b"\xef\xbb\xbf" + text(*DATA), {"header_line": False}),
        (
            gzip.compress(text("Title", '"of two, lines', "site,time,value", *DATA), mtime=0),
            {"skip_lines": 2},
        ),
        (text("# a", "site,time,value", "#b", DATA[0], "# c", DATA[1], "#"), {"comment": "#"}),
        (text("site,time,value", "10s,20d,14n", *DATA), {"types_line": True}),
        (text("site,time,value", *DATA, '"合计",,3'), {"leave_out": ['"?合计.*']}),
        (text("site,time,value", *DATA, "END 2"), {"ends_with": "END [0-9]+"}),
        (text(" site , time,value ", *DATA), {"trim_headings": True}),
        (text("site,x,time,,value", "S1,a,2025-03-01,,1", "S2,b,2025-03-01,,2"), {"ignore": ["x", ""]}),
    ],
)
def test_lines_that_are_no_rows_are_none(payload: bytes, options: dict[str, Any]) -> None:
    assert read(payload, **options) == ROWS


def test_rows_are_numbered_without_the_lines_that_are_left_out_and_these_are_counted() -> None:
    payload = text("# x", "site,time,value", DATA[0], "# y", "short", "总计,,3", '"open,1,2', DATA[1], "END")
    options = {"comment": "#", "leave_out": ["总计.*"], "ends_with": "END"}
    found = formats.read_table(contract("csv", HEADER, options), "csv", payload)
    assert found.table["row_number"].to_pylist() == [1, 4]
    assert [(one.row_number, one.reason) for one in found.rejects] == [
        (2, "ragged_row"),
        (3, "quote_not_closed"),
    ]
    assert found.left_out == 3


@pytest.mark.parametrize(
    ("payload", "options", "told"),
    [
        (text("site,time,value", *DATA), {"ends_with": "END"}, "truncated: no line at its end is as 'END'"),
        (
            text("site,time,value", "END", *DATA),
            {"ends_with": "END"},
            "rows after the line that ends it: 'S1,2025-",
        ),
        (
            text("site,time,value", *DATA),
            {"types_line": True},
            "no line of formats such as 5s and 14n after the",
        ),
        (text("# a", "# b"), {"comment": "#"}, "header_changed: missing: site, time, value"),
        (text(*DATA)[:-4], {"header_line": False}, "truncated: the last line has 2 of 3 columns and no end"),
        (text("title"), {"skip_lines": 3}, "header_changed: missing: site"),
        (b"SQLite format 3\0" + b"x" * 90, {}, "a database of SQLite, such as a GeoPackage, instead of text"),
    ],
)
def test_what_is_not_as_the_contract_says_is_named(
    payload: bytes, options: dict[str, Any], told: str
) -> None:
    assert told in problem(contract("csv", HEADER, options), "csv", payload)


def test_quotes_may_be_characters_and_rows_may_end_early() -> None:
    assert read(text("site\ttime\tvalue", 'a"b\t"1\t2'), delimiter="\t", quoted=False) == [['a"b', '"1', "2"]]
    payload = text("site,time,value", '"S,1",x', "S2", "S3,y,1")
    assert read(payload, short_rows=True) == [["S,1", "x", ""], ["S2", "", ""], ["S3", "y", "1"]]


@pytest.mark.parametrize(
    "options",
    [
        {"line_ends_in_cells": True, "comment": "#"},
        {"line_ends_in_cells": True, "short_rows": True},
        {"header_line": False, "types_line": True},
        {"leave_out": ["("]},
        {"encoding": "utf-99"},
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        contract("csv", HEADER, options)


lines = st.lists(st.sampled_from([*DATA, "# c", "END", '"x', "short", "", "a,b,c,d", '"q",1,2']), max_size=12)


@settings(max_examples=150, deadline=None)
@given(lines, st.sampled_from(["\n", "\r\n"]))
def test_every_line_is_a_row_a_reject_or_counted(found: list[str], end: str) -> None:
    made = contract("csv", HEADER, {"comment": "#", "leave_out": ["END"]})
    payload = end.join(["site,time,value", *found, ""]).encode()
    with suppress(FormatProblem):
        table = formats.read_table(made, "csv", payload)
        blank = found.count("")
        assert len(table.table) + len(table.rejects) + table.left_out + blank == len(found)


PLACES = {"site": [1, 4], "time": [6, 15], "value": [16, 20]}


def test_columns_by_their_places() -> None:
    payload = "站点一 2025-03-01 1.50 rest\nS002 2025-03-01 2.50\nS003 2025\n\n".encode()
    made = contract("fixed_width", HEADER, {"columns": {"site": [1, 3], "time": [5, 14], "value": [16, 19]}})
    found = formats.read_table(made, "fixed_width", gzip.compress(payload))
    assert rows(found)[0] == ["站点一", "2025-03-01", "1.50"]
    assert [(one.row_number, one.reason, one.received) for one in found.rejects] == [
        (3, "ragged_row", "S003 2025")
    ]


def test_a_cut_last_line_is_a_cut_file() -> None:
    made = contract("fixed_width", HEADER, {"columns": PLACES})
    payload = b"S001 2025-03-0112345\nS002 2025-03"
    assert problem(made, "fixed_width", payload) == "truncated: the last line has 12 characters and no end"
    assert problem(made, "fixed_width", b"x" * (1 << 20)) == "not_the_format: no line ends within 1 MiB"


def test_an_optional_place_may_lack() -> None:
    made = contract(
        "fixed_width", ["site", "time", "note", "value"], {"columns": {**PLACES, "note": [21, 25]}}, optional=["note"]
    )  # fmt: skip
    found = formats.read_table(made, "fixed_width", b"S001 2025-03-0112345\nS001 2025-03-0212345hello\n")
    assert found.table["note"].to_pylist() == [None, "hello"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_comes_is_named(payload: bytes) -> None:
    for made, form in (
        (
            contract("fixed_width", HEADER, {"columns": PLACES, "comment": "#", "ends_with": "END"}),
            "fixed_width",
        ),
        (contract("csv", HEADER, {"header_line": False, "comment": "#", "short_rows": True}), "csv"),
    ):
        with suppress(FormatProblem):
            formats.read_table(made, form, payload)
