"""What the ledger's reasons mean and what mends them, for people: the seed `vocabulary/ledger_reason.csv`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from ecowarehouse.settings import Settings


@dataclass(frozen=True, slots=True)
class LedgerReason:
    """One reason of an attempt (`landing.batch`) or of a refused row (`landing.reject`)."""

    reason: str
    concerns: Literal["attempt", "row"]
    zh: str
    en: str
    mend_zh: str
    mend_en: str


def ledger_reasons(settings: Settings) -> dict[str, LedgerReason]:
    """All of them, by their word."""
    return _read(settings.dbt_project / "seeds" / "vocabulary" / "ledger_reason.csv")


@cache
def _read(path: Path) -> dict[str, LedgerReason]:
    with path.open(encoding="utf-8", newline="") as text:
        return {row["reason"]: LedgerReason(**row) for row in csv.DictReader(text)}  # type: ignore[arg-type]
