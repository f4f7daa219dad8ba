"""A withdrawal that takes effect at once, on every way out: relations, candidates, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from ecowarehouse import exports, release
from ecowarehouse.marts.guard import guard

if TYPE_CHECKING:
    from ecowarehouse.datasets import Dataset
    from ecowarehouse.release import ReleaseResult
    from ecowarehouse.settings import Settings


def enforce(conn: psycopg.Connection[Any], settings: Settings, dataset: Dataset) -> ReleaseResult | None:
    """Make withdrawals of a dataset, and ends of them, so now; what the release did, None before the first build.

    Repeatable: after a kill in between, the next build and release complete it, and so does calling it again.
    """
    guard(conn, dataset.element, settings)
    result = release.withdraw(conn, dataset.element)
    if any((settings.exports / face).is_dir() for face in exports.FACES):
        exports.export_standing(
            conn, settings, [dataset.element]
        )  # and takes back versions with retracted rows
    return result
