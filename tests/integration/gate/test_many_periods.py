"""The cost of the gate follows the number of periods, and years of backfill take seconds."""

from __future__ import annotations

import time

import pytest

from tests.integration.toy_mart import STATIONS, T0, Toy


@pytest.mark.slow
def test_5_000_periods_are_judged_in_seconds(toy: Toy) -> None:
    first = toy.build(toy.fill(1))
    toy.judge(first)  # the import of Great Expectations is paid here
    hours = toy.fill(5000, T0.replace(year=2020), STATIONS)
    toy.admin.execute("analyze air.station_hour")
    build = toy.build(hours)
    started = time.perf_counter()
    result = toy.judge(build)
    seconds = time.perf_counter() - started
    assert result.counts["air.station_hour"] == {"publish": 5001}, "the first still waits"
    started = time.perf_counter()
    toy.judge(toy.build(hours[-1:]))
    one = time.perf_counter() - started
    print(f"\n5,000 periods judged in {seconds:.2f} s; one period beside 5,000 waiting in {one:.2f} s")
    toy.release(build)
    assert seconds < 15


def test_pages_are_written_and_old_ones_removed(toy: Toy) -> None:
    import os

    toy.reports = toy.folder.parent / "gate"
    old = toy.reports / "builds" / "air-0.html"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    os.utime(old, (0, 0))
    hours = toy.fill(2)
    toy.admin.execute("update air.station_hour set aqi = 501 where period_start = %s", [T0])
    build = toy.build(hours)
    toy.judge(build)
    page = (toy.reports / "builds" / f"air-{build}.html").read_text()
    assert "range: highest is 501, expected at most 500" in page
    assert "2019-07-18 08:00" in page
    assert f"air-{build}.html" in (toy.reports / "index.html").read_text()
    assert not old.exists()
    docs = list((toy.reports / "builds" / f"air-{build}").glob("air.station_hour-*.html"))
    assert docs
    for path in docs:
        text = path.read_text()
        assert path.name in page
        assert "unexpected values" in text or "Expectation" in text
        assert not [asset for asset in ("src=", "<link", "http") if asset in text], (
            "asks something of a network"
        )
