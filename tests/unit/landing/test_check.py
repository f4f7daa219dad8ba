"""The landing check: every row and cell that can't be used is named, and nothing else is touched."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecowarehouse import formats
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.contracts.period import Period
from ecowarehouse.landing.check import Checked, check, period_start

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = load_contracts(ROOT / "city")
AIR = CONTRACTS["cnemc_air_hourly"]
WEATHER = CONTRACTS["weather_hourly"]
KNOWN_AT = datetime(2019, 7, 18, 9, tzinfo=UTC)  # 17:00 in Guiping


def table(*rows: dict[str, str], contract: Contract = AIR) -> pa.Table:
    plain = {**dict.fromkeys(contract.header, "1"), contract.period.column: "2019-07-18T12:00:00"}
    columns = {n: pa.array([{**plain, **row}[n] for row in rows], pa.string()) for n in contract.header}
    return pa.table({"row_number": pa.array(range(1, len(rows) + 1), pa.int64()), **columns})


def reasons(found: Checked) -> list[tuple[int | None, str | None, str]]:
    return [(r.row_number, r.column, r.reason) for r in found.rejects]


def test_what_is_sound_lands_untouched() -> None:
    rows = table(
        {"stationcode": "A", "area": " \u3000x "}, {"stationcode": "B", "so2": "—", "no2": "", "co": " 1.5"}
    )
    found = check(AIR, rows, known_at=KNOWN_AT)
    assert not found.rejects
    assert found.table.select(AIR.header).equals(rows.select(AIR.header))
    assert found.table["rejected_columns"].null_count == 2
    assert found.period_from == datetime(2019, 7, 18, 3, tzinfo=UTC)
    assert found.period_to == datetime(2019, 7, 18, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"stationcode": ""}, "key_missing"),
        ({"stationcode": " \u3000"}, "key_missing"),
        ({"stationcode": "—"}, "key_missing"),
        ({"timepoint": ""}, "key_missing"),
        ({"timepoint": "yesterday"}, "period_unparsable"),
        ({"timepoint": "2019-02-30T12:00:00"}, "period_unparsable"),
        ({"timepoint": "2019-7-18T12:00:00"}, "period_unparsable"),
        ({"timepoint": "2019-07-18T12:00:00Z"}, "period_unparsable"),
        ({"timepoint": "2019-07-18T25:00:00"}, "period_unparsable"),
        ({"timepoint": "٢٠١٩-07-18T12:00:00"}, "period_unparsable"),
        ({"timepoint": "2011-12-31T23:00:00"}, "period_implausible"),
        ({"timepoint": "2099-01-01T00:00:00"}, "period_implausible"),
        ({"timepoint": "2019-07-18T20:00:00"}, "period_implausible"),
        ({"timepoint": "2019-07-18T12:30:17"}, "period_unaligned"),
        ({"timepoint": "2019-07-18T12:30:00"}, "period_unaligned"),
        ({"timepoint": "2019-07-18T12:00:01"}, "period_unaligned"),
        ({"area": "a\0b"}, "not_text"),
    ],
)
def test_rows_that_cannot_land(row: dict[str, str], reason: str) -> None:
    found = check(AIR, table(row, {"stationcode": "good"}), known_at=KNOWN_AT)
    assert reasons(found) == [(1, None, reason)]
    assert found.table["row_number"].to_pylist() == [2]
    assert found.rejects[0].received is not None


@pytest.mark.parametrize(
    ("fields", "label", "aligned"),
    [
        ({"averaging": "PT4H"}, "08:00", True),  # samples of water
        ({"averaging": "PT4H"}, "00:00", True),
        ({"averaging": "PT4H"}, "09:00", False),
        ({"averaging": "PT4H", "grid": "PT1M"}, "09:17", True),
        ({"averaging": "PT1H", "grid": "PT30M"}, "09:30", True),
        ({"averaging": "PT1H", "grid": "PT30M"}, "09:31", False),
        ({"averaging": "P1D"}, "00:00", True),
        ({"averaging": "P1D"}, "20:00", False),
        ({"averaging": "P1D", "day_boundary": "20:00"}, "20:00", True),
        ({"averaging": "P30D"}, "00:00", True),
        ({"averaging": "PT5H"}, "03:00", True),
    ],
)
def test_periods_begin_on_a_grid(fields: dict[str, str], label: str, aligned: bool) -> None:
    told = {
        "column": "timepoint", "format": "%Y-%m-%d %H:%M", "timezone": "Asia/Shanghai", "label": "start",
        "plausible": {"from": "2019-01-01"},
    } | fields  # fmt: skip
    contract = AIR.model_copy(update={"period": Period.model_validate_json(json.dumps(told))})
    found = check(
        contract, table({"timepoint": f"2019-07-17 {label}"}), known_at=KNOWN_AT + timedelta(days=30)
    )
    assert reasons(found) == ([] if aligned else [(1, None, "period_unaligned")])


@pytest.mark.parametrize("grid", ["PT7H", "PT0S", "-PT1H", "P2D"])
def test_a_grid_divides_a_day(grid: str) -> None:
    told = {
        "column": "t", "format": "iso8601", "timezone": "Asia/Shanghai", "label": "start", "averaging": "PT1H",
        "grid": grid, "plausible": {"from": "2019-01-01"},
    }  # fmt: skip
    with pytest.raises(ValueError, match="must divide a day"):
        Period.model_validate_json(json.dumps(told))


def test_a_period_may_end_a_little_after_known_at() -> None:
    rows = table({"timepoint": "2019-07-18T19:00:00"})
    assert not check(AIR, rows, known_at=KNOWN_AT).rejects


@pytest.mark.parametrize(
    "cell",
    [
        "NaN",
        "Infinity",
        "-inf",
        "0x10",
        "1e400",
        "1,5",
        "12µ",
        "--",
        "1_000",
        "٣",
        "9" * 50,
        "1.2.3",
        "null",
        "1e",
        ".",
    ],
)
def test_cells_that_are_no_numbers(cell: str) -> None:
    found = check(AIR, table({"stationcode": "A", "pm10": cell, "aqi": cell}), known_at=KNOWN_AT)
    assert reasons(found) == [(1, "aqi", "not_a_number"), (1, "pm10", "not_a_number")]
    assert found.table["rejected_columns"].to_pylist() == ["{pm10,aqi}"]
    assert found.rejects[0].received == cell


@pytest.mark.parametrize(
    "cell", ["0", "-5", "+1.5", ".5", "5.", "1e3", "2.5E-2", "0012", "—", "", "NA", "-", " 7\u3000"]
)
def test_cells_that_are_numbers_or_marks(cell: str) -> None:
    assert not check(AIR, table({"pm10": cell}), known_at=KNOWN_AT).rejects


def test_a_text_channel_may_hold_anything() -> None:
    assert not check(AIR, table({"quality": "NaN", "primarypollutant": "x,y"}), known_at=KNOWN_AT).rejects


def test_repeated_keys() -> None:
    rows = table(
        {"stationcode": "A", "so2": "1"},
        {"stationcode": "B", "so2": "1"},
        {"stationcode": " A", "so2": "1"},
        {"stationcode": "B", "so2": "2"},
        {"stationcode": "B", "so2": "3"},
    )
    found = check(AIR, rows, known_at=KNOWN_AT)
    assert reasons(found) == [
        (1, None, "duplicate_row"),
        (2, None, "conflicting_row"),
        (4, None, "conflicting_row"),
    ]
    assert found.table["row_number"].to_pylist() == [3, 5]


def test_one_moment_written_twice_is_one_key() -> None:
    rows = table({"time": "2019-07-18T12:00+08:00"}, {"time": "2019-07-18 04:00:00Z"}, contract=WEATHER)
    assert reasons(check(WEATHER, rows, known_at=KNOWN_AT)) == [(1, None, "duplicate_row")]


def test_unknown_sites_of_a_register() -> None:
    contract = AIR.model_copy(update={"sites": "register"})
    rows = table({"stationcode": "A"}, {"stationcode": "B"})
    assert reasons(check(contract, rows, {"A"}, known_at=KNOWN_AT)) == [(2, None, "unknown_site")]
    assert not check(AIR, rows, {"A"}, known_at=KNOWN_AT).rejects


def test_partial_is_judged_by_sites_of_the_newest_period() -> None:
    old = [{"stationcode": str(n)} for n in range(10)]
    new = [{"stationcode": str(n), "timepoint": "2019-07-18T13:00:00"} for n in range(10)]
    few = check(AIR, table(*old, *new[:8]), known_at=KNOWN_AT)
    assert (few.partial, few.newest_period_sites, few.fullest_period_sites) == (True, 8, 10)
    assert not check(AIR, table(*old, *new[:9]), known_at=KNOWN_AT).partial
    assert not check(AIR, table(*old[:3]), known_at=KNOWN_AT).partial
    assert not check(WEATHER, table({"station_id": "A"}, contract=WEATHER), known_at=KNOWN_AT).partial


def test_nothing_left() -> None:
    found = check(AIR, table({"stationcode": ""}), known_at=KNOWN_AT)
    assert (len(found.table), found.period_from, found.period_to, found.partial) == (0, None, None, False)
    assert not check(AIR, table(), known_at=KNOWN_AT).rejects


def test_period_of_labels() -> None:
    assert period_start(AIR.period, "2026-03-01T00:00:00") == datetime(2026, 2, 28, 15, tzinfo=UTC)
    starts = AIR.period.model_copy(update={"label": "start", "format": "%Y%m%d%H"})
    assert period_start(starts, "2026030100") == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert period_start(starts, "202603010") is None


texts = st.one_of(st.text(max_size=8), st.sampled_from(["1", "2.5", "—", "", "NaN", "1e9", " 3 ", "-0"]))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(10, 14), texts), max_size=12))
def test_every_row_and_cell_is_accounted_for(rows: list[tuple[str, int, str]]) -> None:
    received = table(
        *({"stationcode": s, "timepoint": f"2019-07-18T{h}:00:00", "so2": cell} for s, h, cell in rows)
    )
    found = check(AIR, received, known_at=KNOWN_AT)
    gone = {r.row_number for r in found.rejects if r.column is None}
    landed = set(found.table["row_number"].to_pylist())
    assert gone | landed == set(range(1, len(rows) + 1))
    assert not gone & landed
    keys = list(
        zip(found.table["stationcode"].to_pylist(), found.table["timepoint"].to_pylist(), strict=True)
    )
    assert len(keys) == len(set(keys))
    for row in found.table.to_pylist():
        cell = row["so2"].strip(" \u3000")
        if row["rejected_columns"] is None and cell not in AIR.missing_marks:
            assert math.isfinite(float(cell))


def test_long_content_is_checked_fast() -> None:
    stations, hours = 1500, 200
    labels = [f"{datetime(2019, 7, 1) + timedelta(hours=h):%Y-%m-%dT%H:%M:%S}" for h in range(hours)]  # noqa: DTZ001
    columns = {name: pa.array([str(n % 300) for n in range(stations * hours)]) for name in AIR.header}
    columns["stationcode"] = pa.array([f"S{n}" for n in range(stations)] * hours)
    columns["timepoint"] = pa.array([label for label in labels for _ in range(stations)])
    received = pa.table({"row_number": pa.array(range(1, stations * hours + 1)), **columns})
    started = time.monotonic()
    found = check(AIR, received, known_at=KNOWN_AT)
    assert time.monotonic() - started < 6  # 0.7 s on two idle cores
    assert not found.rejects
    assert len(found.table) == stations * hours


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "form", "rows", "newest", "partial"),
    [
        ("cnemc_live_20190718_h12_13_14_16.csv", "csv", 5996, 1499, False),
        ("cnemc_live_20190718_pull1226_partial_mixed_hour.csv", "csv", 1476, 38, True),
        ("cnemc_live_20190718_pull1426_partial_mixed_hour.csv", "csv", 1474, 36, True),
        ("cnemc_live_20190718T1250_raw_feed.xml", "xml", 1499, 1499, False),
    ],
)
def test_real_files_land_without_a_reject(
    shared: Path, name: str, form: str, rows: int, newest: int, partial: bool
) -> None:
    received = formats.read_table(AIR, form, shared / "data" / "air" / name)
    found = check(AIR, received.table, known_at=KNOWN_AT)
    print(f"{name}: {len(found.table)} rows, {len(received.rejects) + len(found.rejects)} rejects")
    assert (received.rejects, found.rejects) == ([], [])
    assert (len(found.table), found.newest_period_sites, found.partial) == (rows, newest, partial)


@pytest.mark.shared
def test_the_raw_feed_and_the_archive_say_the_same(shared: Path) -> None:
    folder = shared / "data" / "air"
    raw = formats.read_table(AIR, "xml", folder / "cnemc_live_20190718T1250_raw_feed.xml").table
    archive = formats.read_table(AIR, "csv", folder / "cnemc_live_20190718_h12_13_14_16.csv").table
    wanted = {
        tuple(row[n] for n in AIR.header) for row in archive.to_pylist() if row["timepoint"][11:13] == "14"
    }
    assert {tuple(row[n] for n in AIR.header) for row in raw.to_pylist()} == wanted


def test_a_content_speaks_of_the_periods_of_its_rows_and_not_of_those_between() -> None:
    labels = ("2019-07-18T03:00:00", "2019-07-18T12:00:00", "2019-07-18T11:00:00", "2019-07-18T12:00:00")
    rows = [{"stationcode": code, "timepoint": label} for code, label in zip("AABB", labels, strict=True)]
    found = check(AIR, table(*rows), known_at=KNOWN_AT)
    hours = [datetime(2019, 7, 17, 18, tzinfo=UTC) + timedelta(hours=after) for after in (0, 1, 8, 10)]
    assert found.periods == ((hours[0], hours[1]), (hours[2], hours[3]))
