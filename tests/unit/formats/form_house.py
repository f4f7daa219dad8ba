"""Contracts of a few lines, for tests of one form each."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from ecowarehouse import formats
from ecowarehouse.contracts import Contract, ObservationContract
from ecowarehouse.formats import FormatProblem, ReceivedTable


def contract(form: str, header: list[str], options: dict[str, Any] | None = None, **fields: Any) -> Contract:
    """A contract with one form; the first column is the site, the second the time, the last a number."""
    site, time, *_ = header
    channels = {header[-1]: {"property": "cadmium", "averaging": "PT1H", "unit": "mg/kg"}}
    plausible = {"from": "1800-01-01", "ahead": "PT2H"}
    content: dict[str, Any] = {
        "feed": "tried",
        "version": 1,
        "element": "soil",
        "title": {"zh": "试", "en": "tried"},
        "department": "agriculture",
        "authority": "none",
        "legal_basis": "none",
        "licence": "unstated",
        "series_kind": "reviewed",
        "synthetic": True,
        "retention_years": 10,
        "connector": {"transport": "files", "url": "*"},
        "schedule": {"minutes": [10], "lateness": "PT3H", "freshness": "PT2H"},
        "known_at": [{"from": "receipt"}],
        "sites": "discover",
        "site": {"code": site},
        "period": {
            "column": time, "format": "iso8601", "timezone": "Asia/Shanghai", "label": "start", "averaging": "PT1H",
            "plausible": plausible,
        },
        "key": [site, time],
        "forms": {form: options or {}},
        "header": header,
        "channels": channels,
        **fields,
    }  # fmt: skip
    return _validated(json.dumps(content))


@cache
def _validated(content: str) -> Contract:
    return ObservationContract.model_validate_json(content)


def rows(found: ReceivedTable) -> list[list[str | None]]:
    """The received cells, row by row."""
    return [list(row.values())[1:] for row in found.table.to_pylist()]


def problem(made: Contract, form: str, payload: formats.Payload) -> str:
    """What the refusal of a payload says."""
    with pytest.raises(FormatProblem) as told:
        formats.read_table(made, form, payload)
    return str(told.value)
