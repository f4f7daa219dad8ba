"""Suites refuse what they would not understand; verdicts follow their rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecowarehouse.checksum import ChecksumError, period_checksum_sql
from ecowarehouse.gate.clock import is_closed
from ecowarehouse.gate.judge_frame import Judgement
from ecowarehouse.gate.measure import Measured
from ecowarehouse.gate.store import GateError
from ecowarehouse.gate.suites import DatasetSuite, SuiteError, load_suite, suite_of
from ecowarehouse.gate.verdicts import Waiver, decide
from ecowarehouse.gate.waivers import parse_period

NOW = datetime(2019, 7, 18, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


def expectation(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "high",
        "expect": "column_values_to_be_between",
        "measure": "highest",
        "max_value": 1,
        "severity": "critical",
        "reason": "r",
        "owner": "o",
        "history": [{"on": "2019-01-01", "by": "b", "change": "c"}],
    }
    return base | changes


def suite(*expectations: dict[str, Any], **more: Any) -> DatasetSuite:
    return DatasetSuite.model_validate(
        {"measures": {"highest": "max(x)"}, "expectations": list(expectations)} | more
    )


def verdict(
    of: DatasetSuite, judgement: Judgement, *waivers: Waiver, held: float = 0
) -> tuple[str, str | None]:
    period = Measured(NOW, NOW + timedelta(hours=1), 5, "c", {"highest": 2.0, "rows": 5, "held_rows": held})
    found = decide("air.x", of, "closed", period, 0, judgement, waivers)
    return found.verdict, found.reason


@pytest.mark.parametrize("element", ["air", "weather"])
def test_the_suites_of_the_house_are_understood(element: str) -> None:
    for name, found in load_suite(ROOT / "expectations", element).datasets.items():
        assert found.applicable("open"), f"{name}: an open period would never be released"
        assert any(e.severity == "critical" for e in found.applicable("closed"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"measure": "nobody_knows"}, "unknown measure"),
        ({"max_value": None}, "min_value or max_value"),
        ({"mostly": 0.9}, "Extra inputs"),
        ({"owner": ""}, "at least 1 character"),
        ({"history": []}, "at least 1 item"),
        ({"severity": "info"}, "critical"),
        ({"when_null": {"then": "pass"}}, "reason"),
        ({"when_null": {"then": "ignore", "reason": "r"}}, "pass"),
        (
            {
                "expect": "column_values_to_not_be_null",
                "max_value": None,
                "when_null": {"then": "pass", "reason": "r"},
            },
            "says itself",
        ),
    ],
)
def test_a_suite_that_says_something_else_is_refused(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    content = {"element": "air", "datasets": {"air.x": {"measures": {"highest": "max(x)"}}}}
    content["datasets"]["air.x"]["expectations"] = [expectation(**changes)]  # type: ignore[index]
    (tmp_path / "air.yml").write_text(yaml.safe_dump(content))
    with pytest.raises(SuiteError, match=told):
        suite_of(tmp_path, "air", "air.x")


@pytest.mark.parametrize(
    ("then", "severity", "word"),
    [
        ("pass", "critical", "publish"),
        ("warn", "critical", "publish_with_warnings"),
        ("warn", "warning", "publish_with_warnings"),
        ("fail", "critical", "blocked"),
        ("fail", "warning", "publish_with_warnings"),
        (None, "critical", "blocked"),
        (None, "warning", "publish_with_warnings"),
    ],
)
def test_a_measure_without_a_value_means_what_the_expectation_says(
    then: str | None, severity: str, word: str
) -> None:
    said = {"when_null": {"then": then, "reason": "nothing to compare"}} if then else {}
    judged = suite(expectation(severity=severity, **said))
    nothing = Measured(NOW, NOW + timedelta(hours=1), 5, "c", {"highest": None, "rows": 5, "held_rows": 0})
    found = decide("air.x", judged, "closed", nothing, 0, Judgement(failing={"high": set()}), ())
    assert found.verdict == word
    assert ("highest is null" in (found.reason or "")) is (then != "pass")
    assert ("nothing to compare" in (found.reason or "")) is (then in ("warn", "fail"))


def test_history_may_say_on(tmp_path: Path) -> None:
    change = yaml.safe_load("{on: 2019-01-01, by: b, change: c}")
    assert True in change
    assert suite(expectation(history=[change])).expectations[0].history[0].on.year == 2019


def test_a_change_of_the_suite_changes_its_hash() -> None:
    assert suite(expectation()).hash != suite(expectation(max_value=2)).hash


def test_verdicts() -> None:
    both = suite(expectation(), expectation(name="warn", severity="warning", max_value=3))
    good = Judgement(failing={"high": set(), "warn": set()})
    assert verdict(both, good) == ("publish", None)
    assert verdict(both, Judgement(failing={"high": set(), "warn": {0}}))[0] == "publish_with_warnings"
    word, reason = verdict(both, Judgement(failing={"high": {0}, "warn": set()}))
    assert word == "blocked"
    assert "highest is 2, expected at most 1" in str(reason)


def test_fewer_evaluated_than_declared_is_blocked_and_no_waiver_helps() -> None:
    waiver = Waiver(1, NOW, NOW + timedelta(hours=1), "high")
    missing = Judgement(failing={}, errors={"high": "ValueError: x"})
    assert verdict(suite(expectation()), missing, waiver)[0] == "blocked"
    assert verdict(suite(expectation(applies="open")), Judgement())[0] == "blocked"


def test_a_waiver_covers_its_period_and_its_expectation_alone() -> None:
    failed = Judgement(failing={"high": {0}})
    hour = timedelta(hours=1)
    assert (
        verdict(suite(expectation()), failed, Waiver(1, NOW, NOW + hour, "high"))[0]
        == "publish_with_warnings"
    )
    assert (
        verdict(suite(expectation()), failed, Waiver(1, NOW + hour, NOW + 2 * hour, "high"))[0] == "blocked"
    )
    assert verdict(suite(expectation()), failed, Waiver(1, NOW, NOW + hour, "other"))[0] == "blocked"


def test_held_rows_are_a_warning() -> None:
    held = suite(expectation(), hold_rows={"when": "not ok", "reason": "disagrees"})
    word, reason = verdict(held, Judgement(failing={"high": set()}), held=2)
    assert (word, reason) == ("publish_with_warnings", "2 rows held back: disagrees")


def test_closed_by_the_clock_or_by_completeness() -> None:
    assert is_closed(NOW, NOW, None)
    assert not is_closed(NOW, NOW - timedelta(seconds=1), 0.9)
    assert is_closed(NOW, NOW - timedelta(seconds=1), 1)
    assert not is_closed(NOW, NOW - timedelta(seconds=1), None)


@pytest.mark.parametrize(
    ("text", "start", "hours"),
    [
        ("2019-07-18T08:00", "2019-07-18T08:00+08:00", 1),
        ("2019-07-18", "2019-07-18T00:00+08:00", 24),
        ("2019-02", "2019-02-01T00:00+08:00", 28 * 24),
        ("2019-12", "2019-12-01T00:00+08:00", 31 * 24),
        ("2020", "2020-01-01T00:00+08:00", 366 * 24),
        ("2019-07-18/2019-07-19", "2019-07-18T00:00+08:00", 48),
    ],
)
def test_periods_of_waivers(text: str, start: str, hours: int) -> None:
    low, high = parse_period(text, "Asia/Shanghai")
    assert low == datetime.fromisoformat(start)
    assert high - low == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "yesterday", "2019-13", "2019-07T08", "2019-07-18T08:30"])
def test_periods_that_are_none(text: str) -> None:
    with pytest.raises(GateError):
        parse_period(text, "Asia/Shanghai")


def test_checksums_refuse_what_they_cannot_mean() -> None:
    with pytest.raises(ChecksumError, match="unknown grain"):
        period_checksum_sql("a.x", ["a"], "a", "week", "UTC")
    with pytest.raises(ChecksumError, match=r"schema\.table"):
        period_checksum_sql("x", ["a"], "a", "day", "UTC")
    with pytest.raises(ChecksumError, match="at least one column"):
        period_checksum_sql("a.x", ["build_id"], "a", "day", "UTC")
