"""Great Expectations as judge of one table of periods: the only place that imports it.

The import takes seconds, so it happens once a process and only when there is something to judge. Telemetry is
off before the import; nothing is asked of a network.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecowarehouse.gate.measure import Measured
    from ecowarehouse.gate.suites import Expectation

_ROW = "gate_row"
# Style sheets, scripts, pictures and advertisements of other hosts: a page of the gate asks nothing of a network.
_FOREIGN = re.compile(
    r"<link[^>]*>|<img[^>]*>|<script.*?</script>|<a[^>]*https?://[^>]*>.*?</a>|url\([^)]*https?://[^)]*\)",
    re.DOTALL,
)
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:70rem}table{border-collapse:collapse}"
    "td,th{border:1px solid #bbb;padding:.3rem .6rem;text-align:left;vertical-align:top}"
)
_RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": [_ROW],
    "return_unexpected_index_query": False,
}


@dataclass
class Judgement:
    """What came of the expectations: failing rows by expectation, and errors of those that gave no result.

    `result` is Great Expectations' own of the whole validation, from which `page` is made.
    """

    failing: dict[str, set[int]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    result: Any = None


def judge_frame(title: str, expectations: Sequence[Expectation], measured: Sequence[Measured]) -> Judgement:
    """Judge these periods by these expectations in one validation.

    An expectation that raises is tried once more by itself; one that fails never is. What raises again is in
    `errors` and not in `failing`; whoever reads the result counts.
    """
    judgement = Judgement()
    if not measured or not expectations:
        return judgement
    frame = _frame(expectations, measured)
    _validate(title, expectations, frame, judgement)
    again = [expectation for expectation in expectations if expectation.name in judgement.errors]
    for expectation in again:
        del judgement.errors[expectation.name]
        _validate(title, [expectation], frame, judgement)
    return judgement


def open_judge() -> None:
    """Do ahead what the first validation of a process would do."""
    _source()
    _view()


def page(judgement: Judgement) -> str | None:
    """The page of Data Docs of a validation, without what it would fetch from elsewhere; None when there was none."""
    if judgement.result is None:
        return None
    from great_expectations.render.renderer import ValidationResultsPageRenderer

    text = str(_view().render(ValidationResultsPageRenderer().render(judgement.result)))
    return _FOREIGN.sub("", text).replace("</head>", f"<style>{_STYLE}</style></head>", 1)


@cache
def _view() -> Any:
    """One a process: each new one would compile its templates again."""
    from great_expectations.render.view import DefaultJinjaPageView

    return DefaultJinjaPageView()


@cache
def _gx() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    os.environ.setdefault("TQDM_DISABLE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return gx


@cache
def _source() -> Any:
    """One in-memory context a process: it holds no connection, and nothing of it is kept."""
    gx = _gx()
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    # Without this it makes a temporary folder for pages that nobody asked for, and leaves it.
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = {"globally": False}
    return context.data_sources.add_pandas("candidates")


def _frame(expectations: Sequence[Expectation], measured: Sequence[Measured]) -> Any:
    import pandas as pd

    names = sorted({expectation.measure for expectation in expectations})
    content: dict[str, Any] = {
        name: pd.Series([period.values[name] for period in measured], dtype="float64") for name in names
    }
    return pd.DataFrame({_ROW: range(len(measured)), **content})


def _validate(title: str, expectations: Sequence[Expectation], frame: Any, into: Judgement) -> None:
    try:
        suite = _gx().ExpectationSuite(name=title)
        for expectation in expectations:
            _add(suite, expectation, into)
        validation = _batch(title, frame).validate(suite, result_format=_RESULT_FORMAT)
    except Exception as error:  # noqa: BLE001 - whatever a check raises blocks, and is told
        into.errors.update({e.name: _words(error) for e in expectations})
        return
    into.result = into.result or validation
    for result in validation.results:
        _take(result, into)


def _add(suite: Any, expectation: Expectation, into: Judgement) -> None:
    kind = getattr(_gx().expectations, "Expect" + "".join(map(str.capitalize, expectation.expect.split("_"))))
    try:
        suite.add_expectation(
            kind(
                column=expectation.measure,
                severity=expectation.severity,
                meta={"name": expectation.name},
                **expectation.limits(),
            )
        )
    except Exception as error:  # noqa: BLE001 - whatever a check raises blocks, and is told
        into.errors[expectation.name] = _words(error)


def _batch(title: str, frame: Any) -> Any:
    source = _source()
    if title in source.get_asset_names():
        source.delete_asset(title)
    asset = source.add_dataframe_asset(title)
    definition = asset.add_batch_definition_whole_dataframe("periods")
    return definition.get_batch(batch_parameters={"dataframe": frame})


def _take(result: Any, into: Judgement) -> None:
    name = result.expectation_config.meta["name"]
    if message := _exception(result.exception_info):
        into.errors[name] = message
        return
    rows = result.result.get("unexpected_index_list")
    count = result.result.get("unexpected_count", 0)
    if result.success:
        into.failing[name] = set()
    elif rows is not None and len(rows) == count > 0:
        into.failing[name] = {int(row[_ROW]) for row in rows}
    else:
        into.errors[name] = "failed without saying where"


def _exception(info: Any) -> str | None:
    """The message of a result that raised; GX nests it by metric or not."""
    if not isinstance(info, dict):
        return None
    if "raised_exception" in info:
        return str(info.get("exception_message")) if info["raised_exception"] else None
    messages = [_exception(nested) for nested in info.values()]
    return next((message for message in messages if message), None)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:500]
