"""The gate: suites in YAML, Great Expectations as judge, a verdict for (dataset, period, build)."""

from ecowarehouse.gate.judging import Blocked, GateResult, judge, judge_elements
from ecowarehouse.gate.setup import Setup
from ecowarehouse.gate.store import GateError
from ecowarehouse.gate.suites import SuiteError
from ecowarehouse.gate.waivers import waive

__all__ = ["Blocked", "GateError", "GateResult", "Setup", "SuiteError", "judge", "judge_elements", "waive"]
