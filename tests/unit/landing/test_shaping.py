"""Received columns become the columns that land: taken apart, put together, turned into rows; no text is lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pydantic import ValidationError

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.load import load_contracts, validate
from ecowarehouse.formats import FormatProblem
from ecowarehouse.landing import shaping
from ecowarehouse.landing.check import Checked, check
from ecowarehouse.settings import Settings

KNOWN_AT = datetime(2021, 7, 1, tzinfo=UTC)
BASE = """
feed: tried
version: 1
element: noise
title: {zh: 试, en: tried}
department: somebody
authority: nobody
legal_basis: none
licence: none
series_kind: real_time
synthetic: true
retention_years: 1
connector: {transport: files, url: /nowhere}
schedule: {minutes: [1], lateness: PT1H, freshness: PT1H}
known_at: [{from: receipt}]
sites: discover
forms: {csv: {}}
site: {code: site}
period: {column: day, format: '%Y-%m-%d', timezone: Asia/Shanghai, label: start, averaging: P1D,
         plausible: {from: '2000-01-01'}}
key: [site, day]
header: [site, day, value]
channels: {value: {property: leq, averaging: P1D, unit: 'dB{A}'}}
"""


def contract(text: str) -> Contract:
    return validate({**yaml.safe_load(BASE), **yaml.safe_load(text)})


def received(*rows: dict[str, str]) -> pa.Table:
    columns: dict[str, Any] = {name: pa.array([row[name] for row in rows], pa.string()) for name in rows[0]}
    return pa.table({"row_number": pa.array(range(1, len(rows) + 1), pa.int64()), **columns})


def rows(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_a_date_of_three_columns_and_a_site_that_the_file_does_not_name() -> None:
    made = contract("""
        header: [year, month, day_of_month, value]
        made:
          site: {from: constant, text: HKO}
          day: {from: columns, template: '{year}-{month:02}-{day_of_month:02}'}
        """)
    table = shaping.shape(
        made, received({"year": "1884", "month": " 3", "day_of_month": "1", "value": "***"})
    )
    assert table.column_names[1:] == made.landed
    assert rows(table, "site", "day", "value") == [("HKO", "1884-03-01", "***")]


def test_a_part_of_a_cell_and_a_cell_that_has_no_such_part_stays_as_it_came() -> None:
    made = contract(r"""
        header: [site, day, tmp]
        made: {value: {from: part, column: tmp, pattern: '^([+-]\d{4}),[15]$'}}
        """)
    table = shaping.shape(
        made, received(*({"site": "a", "day": "d", "tmp": t} for t in ("+0020,1", "+0020,3", "+0030,5")))
    )
    assert rows(table, "tmp", "value") == [("+0020,1", "+0020"), ("+0020,3", "+0020,3"), ("+0030,5", "+0030")]


def test_times_of_a_file_that_has_none_and_the_year_in_its_name() -> None:
    made = contract(r"""
        header: [value]
        made:
          site: {from: constant, text: GT1}
          year: {from: file_name, pattern: '_(\d{4})\.csv$'}
          hour: {from: row_number, start: '{year}-01-01T00:00:00', step: PT1H}
        period: {column: hour, format: iso8601, timezone: Asia/Shanghai, label: start, averaging: PT1H,
                 plausible: {from: '2000-01-01'}}
        key: [site, hour]
        channels: {value: {property: leq, averaging: PT1H, unit: 'dB{A}'}}
        """)
    table = shaping.shape(made, received({"value": "1"}, {"value": "2"}), part="2011")
    assert rows(table, "hour") == [("2011-01-01T00:00:00",), ("2011-01-01T01:00:00",)]
    with pytest.raises(FormatProblem, match="the file's name is not as"):
        shaping.shape(made, received({"value": "1"}))


def test_columns_become_rows_and_a_reject_names_the_row_that_was_received() -> None:
    made = contract(r"""
        header: [site, day01, day02]
        unpivot: {columns: 'day(\d\d)', name: of_month, value: value}
        made: {day: {from: columns, template: '2004-05-{of_month}'}}
        """)
    table = shaping.shape(
        made,
        received({"site": "a", "day01": "1.0", "day02": "2.0"}, {"site": "b", "day01": "3.0", "day02": "x"}),
    )
    assert rows(table, "site", "day", "value") == [
        ("a", "2004-05-01", "1.0"), ("a", "2004-05-02", "2.0"), ("b", "2004-05-01", "3.0"), ("b", "2004-05-02", "x"),
    ]  # fmt: skip
    assert table["row_number"].to_pylist() == [1, 2, 3, 4]
    assert [made.received_row(number) for number in (1, 2, 3, 4)] == [1, 1, 2, 2]


def test_of_a_register_an_empty_cell_may_be_no_row_and_no_received_row_goes_without_any() -> None:
    plan = load_contracts(Settings.load().city)["site_plan_list"]
    stages = ("planned", "approved", "built", "accepted", "running")
    there = {name: "" for name in plan.header if name not in stages}
    table = shaping.shape(
        plan,
        pa.table({
            "row_number": [1, 2, 3],
            **{name: [text] * 3 for name, text in there.items()},
            "planned": ["2023-01-10", "2023-01-10", ""],
            "approved": ["2023-03-01", " ", None],
            "built": ["", None, ""],
            "accepted": ["2023-10-20", None, ""],
            "running": [None, None, ""],
        }),
    )  # fmt: skip
    assert rows(table, "row_number", "stage", "since") == [
        (1, "planned", "2023-01-10"),
        (2, "approved", "2023-03-01"),
        (4, "accepted", "2023-10-20"),
        (6, "planned", "2023-01-10"),
        (11, "planned", ""),
    ]
    assert [plan.received_row(number) for number in table["row_number"].to_pylist()] == [1, 1, 1, 2, 3]


LONG = """
    header: [site, day, item, result, unit]
    long: {channel: item, value: result, unit: unit}
    key: [site, day, item]
    channels:
      cadmium:
        {property: leq, averaging: P1D, unit: mg/kg, codes: [Cd, 镉], units: {μg/kg: 0.001, g/kg: 1000}}
      texture: {property: leq, averaging: P1D, unit: '1', kind: text, units: {'': 1}}
    """


def judged(*cells: tuple[str, str, str]) -> Checked:
    made = contract(LONG)
    table = received(
        *({"site": "a", "day": "2020-01-01", "item": i, "result": r, "unit": u} for i, r, u in cells)
    )
    return check(made, shaping.shape(made, table), known_at=KNOWN_AT)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (("Hg", "1", "mg/kg"), "unknown_property"),
        (("cadmium", "1", "mg/kg"), "unknown_property"),  # codes are given, so the channel's own name is none
        (("Cd", "1", "mg/L"), "unknown_unit"),
        (("Cd", "1", ""), "unknown_unit"),
        (("texture", "clay", "mg/kg"), "unknown_unit"),
    ],
)
def test_what_nobody_can_say_the_meaning_of_is_refused_with_what_would_do(
    cell: tuple[str, str, str], reason: str
) -> None:
    found = judged(cell, ("镉", "2", "µg/kg"))
    [reject] = found.rejects
    assert (reject.row_number, reject.reason) == (1, reason)
    assert "Cd, 镉" in reject.detail or "mg/kg or ug/kg or g/kg" in reject.detail or "1 or " in reject.detail
    assert found.table.num_rows == 1


def test_text_in_a_number_is_a_rejected_cell_and_a_text_channel_may_hold_it() -> None:
    found = judged(("Cd", "1O", "mg/kg"), ("texture", "clay", ""))
    assert [(r.row_number, r.column, r.reason, r.received) for r in found.rejects] == [
        (1, "result", "not_a_number", "1O")
    ]
    assert found.table["rejected_columns"].to_pylist() == ["{result}", None]


def test_two_codes_of_one_channel_are_one_key() -> None:
    found = judged(("Cd", "1", "mg/kg"), ("镉", "2", "mg/kg"), ("texture", "clay", ""))
    assert [(r.row_number, r.reason) for r in found.rejects] == [(1, "conflicting_row")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("made: {x: {from: columns, template: '{nothing}'}}", "made.x: neither received nor made before it: nothing"),
        ("made: {day: {from: constant, text: x}}", "made: the name of another column: day"),
        ("unpivot: {columns: 'x(.)', name: n, value: v}", "unpivot.columns: no column of the header is x"),
        (r"""header: [site, day01]
unpivot: {columns: 'day(\d\d)', name: day, value: value, empty: left_out}""", "unpivot.empty: belongs to registers"),
        ("made: {x: {from: columns, template: '{day:>2}'}}", "a width such as :02"),
        ("made: {x: {from: part, column: day, pattern: 'x'}}", "needs at least one group"),
        ("long: {channel: item, value: value}", "long: not in the header: item"),
        ("channels: {value: {property: leq, averaging: P1D, unit: x, codes: [v]}}", "codes and units belong to feeds"),
        (LONG.replace("codes: [Cd, 镉]", "codes: [texture]"), "two channels with the code texture"),
        (LONG.replace("[site, day, item]\n", "[site, day]\n"), "key must hold the column item"),
    ],
)  # fmt: skip
def test_a_shape_that_cannot_be_is_named(change: str, said: str) -> None:
    with pytest.raises((ValidationError, ValueError), match=said):
        contract(change)
