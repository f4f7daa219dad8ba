"""From figures to a verdict: pure, so that every rule can be read and tried without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ecowarehouse.gate.judge_frame import Judgement
from ecowarehouse.gate.measure import Measured
from ecowarehouse.gate.suites import DatasetSuite, Expectation, PeriodState

VerdictWord = Literal["publish", "publish_with_warnings", "blocked"]


@dataclass(frozen=True, slots=True)
class Waiver:
    """A named person's decision to publish in spite of one failed expectation."""

    waiver_id: int
    period_from: datetime
    period_to: datetime
    expectation: str

    def covers(self, period: datetime, expectation: str) -> bool:
        """Whether it speaks of this expectation in this period."""
        return self.expectation == expectation and self.period_from <= period < self.period_to


@dataclass
class Verdict:
    """The gate's judgement of one period of one dataset."""

    dataset: str
    period_start: datetime
    period_state: PeriodState
    verdict: VerdictWord
    checksum: str
    declared: int = 0
    evaluated: int = 0
    reason: str | None = None
    figures: dict[str, float | None] = field(default_factory=dict)
    failed: list[dict[str, Any]] = field(default_factory=list)
    waiver_id: int | None = None
    suite_hash: str | None = None

    @property
    def content(self) -> tuple[Any, ...]:
        """What makes it another judgement than the one before."""
        failed = [(f["expectation"], f.get("waiver_id")) for f in self.failed]
        return self.verdict, self.period_state, self.reason, failed, self.suite_hash, self.checksum


def blocked(dataset: str, period: datetime, state: PeriodState, reason: str, checksum: str = "") -> Verdict:
    """A verdict on something that was not even judged."""
    return Verdict(dataset, period, state, "blocked", checksum, reason=reason)


def decide(
    dataset: str,
    suite: DatasetSuite,
    state: PeriodState,
    measured: Measured,
    row: int,
    judgement: Judgement,
    waivers: Sequence[Waiver],
) -> Verdict:
    """The verdict on one measured period.

    Args:
        dataset: its name.
        suite: its suite.
        state: open or closed; decides which expectations count.
        measured: the period's figures.
        row: where the period stands in the table that was judged.
        judgement: what Great Expectations found.
        waivers: those still valid for the dataset.
    """
    expectations = suite.applicable(state)
    evaluated = [e for e in expectations if e.name in judgement.failing and e.name not in judgement.errors]
    failed = [_failure(e, measured, waivers) for e in evaluated if _fails(e, measured, row, judgement)]
    verdict = Verdict(
        dataset, measured.period_start, state, "blocked", measured.checksum,
        declared=len(expectations), evaluated=len(evaluated), figures=_figures(expectations, measured),
        failed=failed, suite_hash=suite.hash,
    )  # fmt: skip
    verdict.reason = _structural(expectations, evaluated, judgement.errors, state) or _unwaived(failed)
    if verdict.reason is None:
        held = measured.values.get("held_rows") or 0
        verdict.verdict = "publish_with_warnings" if failed or held else "publish"
        verdict.reason = _remark(failed, held, suite)
        verdict.waiver_id = next((f["waiver_id"] for f in failed if "waiver_id" in f), None)
    return verdict


def _figures(expectations: Sequence[Expectation], measured: Measured) -> dict[str, float | None]:
    wanted = ["rows", "held_rows", *(expectation.measure for expectation in expectations)]
    return {name: measured.values.get(name) for name in wanted}


def _fails(expectation: Expectation, measured: Measured, row: int, judgement: Judgement) -> bool:
    """Great Expectations passes over a measure without a value; what that means, the expectation says."""
    if measured.values.get(expectation.measure) is None:
        return expectation.when_null is None or expectation.when_null.then != "pass"
    return row in judgement.failing[expectation.name]


def _failure(expectation: Expectation, measured: Measured, waivers: Sequence[Waiver]) -> dict[str, Any]:
    failure: dict[str, Any] = {
        "expectation": expectation.name,
        "severity": expectation.severity,
        "measure": expectation.measure,
        "value": measured.values.get(expectation.measure),
        "demand": expectation.demand(),
    }
    if failure["value"] is None and expectation.when_null is not None:
        failure["because"] = expectation.when_null.reason
        if expectation.when_null.then == "warn":
            failure["severity"] = "warning"
    if failure["severity"] == "critical":
        covering = [w for w in waivers if w.covers(measured.period_start, expectation.name)]
        if covering:
            failure["waiver_id"] = covering[-1].waiver_id
    return failure


def _structural(
    declared: Sequence[Expectation],
    evaluated: Sequence[Expectation],
    errors: Mapping[str, str],
    state: PeriodState,
) -> str | None:
    if not declared:
        return f"no expectation applies to {state} periods. Mend: mark one as `applies: {state}` or `always`"
    missing = [expectation.name for expectation in declared if expectation not in evaluated]
    if not missing:
        return None
    told = "; ".join(f"{name}: {errors.get(name, 'no result')}" for name in missing)
    counts = f"{len(evaluated)} of {len(declared)} expectations evaluated"
    return f"{counts} ({told}). Mend: the suite, then eco gate"


def _unwaived(failed: Sequence[Mapping[str, Any]]) -> str | None:
    standing = [f for f in failed if f["severity"] == "critical" and "waiver_id" not in f]
    if not standing:
        return None
    told = "; ".join(_told(failure) for failure in standing)
    return f"{told}. Mend: correct and rebuild, or eco gate waive"


def _remark(failed: Sequence[Mapping[str, Any]], held: float, suite: DatasetSuite) -> str | None:
    parts = [_told(failure) for failure in failed]
    if held and suite.hold_rows:
        parts.append(f"{held:g} rows held back: {suite.hold_rows.reason}")
    return "; ".join(parts) or None


def _told(failure: Mapping[str, Any]) -> str:
    value = failure["value"]
    shown = "null" if value is None else f"{value:.6g}"
    waived = f", waived by decision {failure['waiver_id']}" if "waiver_id" in failure else ""
    because = f" ({failure['because']})" if "because" in failure else ""
    return (
        f"{failure['expectation']}: {failure['measure']} is {shown}{because},"
        f" expected {failure['demand']}{waived}"
    )
