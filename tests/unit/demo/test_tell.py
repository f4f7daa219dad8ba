"""What the demo prints stays readable in a terminal of 80 columns."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from ecowarehouse.demo import tell
from ecowarehouse.demo.figures import Figures
from ecowarehouse.demo.run import Result
from ecowarehouse.settings import Settings


def test_no_figure_is_cut_off_in_80_columns() -> None:
    line = Figures(
        loaded=146_512, rejected=10_692, revised=91_016, flagged=191_787, gated=1_217, blocked=1_000,
        released=148_843, seconds=217.4,
    )  # fmt: skip
    result = Result(pulls=[("12:00", line)], total=line, before="a", after="b")
    out = io.StringIO()
    tell.end(Console(file=out, width=80), Settings.load(), result)
    said = out.getvalue()
    for figure in ("146,512", "10,692", "91,016", "191,787", "1,217", "1,000 ", "148,843", "217.4"):
        assert said.count(figure) == 2, (figure, said)
    assert "…" not in said


def test_the_question_of_the_past_is_one_that_this_demos_data_answer() -> None:
    out = io.StringIO()
    result = Result(midway=datetime(2026, 2, 28, 23, 26, tzinfo=UTC))
    tell.end(Console(file=out, width=80), Settings.load(), result)
    assert "--as-of 2026-02-28T23:26:00+00:00" in out.getvalue()
