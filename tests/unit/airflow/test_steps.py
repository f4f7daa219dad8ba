"""How the tasks of a feed end: green, `lost`, another try, or failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from ecowarehouse.airflow import steps
from ecowarehouse.landing.load import BatchOutcome

pytestmark = pytest.mark.airflow


@dataclass
class _Run:
    batches: list[BatchOutcome]
    changed: bool = False


@dataclass
class _Ti:
    pushed: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@dataclass
class _DagRun:
    run_type: str


def _batch(outcome: str) -> BatchOutcome:
    return BatchOutcome(1, "feed", "source", outcome, reason="reason")


def test_all_usable_is_green() -> None:
    assert steps._after_load(_Run([_batch("loaded"), _batch("unchanged")]), _Ti()) is None


def test_one_lost_of_two_fails_the_run_after_the_other_was_taken_up() -> None:
    ti = _Ti()
    assert steps._after_load(_Run([_batch("loaded"), _batch("failed")]), ti) == "lost"
    assert "batch 1 failed" in ti.pushed["lost"][0]


def test_a_source_that_gave_nothing_is_asked_again() -> None:
    with pytest.raises(steps.SourceFailed):
        steps._after_load(_Run([_batch("failed")]), _Ti())


def test_an_unusable_answer_is_not_asked_for_again() -> None:
    with pytest.raises(AirflowFailException):
        steps._after_load(_Run([_batch("rejected")]), _Ti())


def test_a_failure_after_earlier_sightings_were_taken_up_still_announces_them() -> None:
    assert steps._after_load(_Run([_batch("failed")], changed=True), _Ti()) == "lost"


@pytest.mark.parametrize(("run_type", "changed", "announced"), [
    ("scheduled", True, True), ("manual", True, True), ("backfill", True, False), ("scheduled", False, False),
])  # fmt: skip
def test_only_a_change_is_announced_and_never_by_a_backfill(
    run_type: str, changed: bool, announced: bool
) -> None:
    assert steps._is_announced(changed, _DagRun(run_type)) is announced


def test_a_backfill_has_no_work() -> None:
    assert steps.has_work("air", dag_run=_DagRun("backfill")) is False
