"""What a core step did, and why it could not."""

from __future__ import annotations

from dataclasses import dataclass


class NotDeployed(RuntimeError):
    """The views of a feed are missing: what was landed waits, and nothing is lost."""


@dataclass
class CoreResult:
    """What one core step did; all counts are rows. `unconfirmed`: why a whole register ends nothing yet, in words."""

    feed: str
    sightings: int = 0
    versions: int = 0
    revised: int = 0
    retired: int = 0
    flags: int = 0
    sites: int = 0
    unconfirmed: str | None = None
