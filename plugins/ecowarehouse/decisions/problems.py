"""What can be wrong with a decision."""

from __future__ import annotations


class DecisionRefused(ValueError):
    """The decision makes no sense or is not ours to take; nothing was written, and the message says why."""
