"""What the gate and the release must know of the house, gathered in one place and replaceable in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse.settings import Settings

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset


@dataclass(frozen=True, slots=True)
class Setup:
    """Datasets, suites, lateness of feeds, and who says which standards are applied and approved."""

    datasets: Sequence[Dataset]
    expectations: Path
    zone: str
    lateness: Mapping[str, timedelta]
    unapproved: Callable[[psycopg.Connection[Any]], list[str]]
    applied: Callable[[psycopg.Connection[Any]], str]
    reports: Path | None = None

    @classmethod
    def load(cls, settings: Settings | None = None) -> Setup:
        """The setup of this installation.

        Raises:
            ValueError: settings, contracts or datasets that cannot be read; the message names the file.
        """
        from ecowarehouse.contracts import load_contracts
        from ecowarehouse.datasets import load_datasets
        from ecowarehouse.standards import applied_hash, unapproved

        settings = settings or Settings.load()
        contracts = load_contracts(settings.city).contracts
        return cls(
            datasets=load_datasets(settings),
            expectations=settings.expectations,
            zone=settings.timezone,
            lateness={contract.feed: contract.schedule.lateness for contract in _values(contracts)},
            unapproved=unapproved,
            applied=applied_hash,
            reports=settings.gate_reports,
        )

    def of_element(self, element: str) -> list[Dataset]:
        """The datasets of an element, in a fixed order."""
        return sorted((d for d in self.datasets if d.element == element), key=lambda d: d.dataset)


def _values(contracts: Any) -> Sequence[Any]:
    return list(contracts.values()) if isinstance(contracts, Mapping) else list(contracts)
