"""Decisions of people as rows: reviews, corrections, embargoes, withdrawals, known disagreements, and their ends.

Every later build, gate and release consults them, so that no run undoes one.
"""

from ecowarehouse.decisions.problems import DecisionRefused
from ecowarehouse.decisions.record import Decision, entries, record, revoke

__all__ = ["Decision", "DecisionRefused", "entries", "record", "revoke"]
