"""Release: one transaction that makes readable what the gate let through; history of everything readable."""

from ecowarehouse.release.publishing import Refused, ReleaseResult, release, release_datasets, withdraw
from ecowarehouse.release.relations import RelationError

__all__ = ["Refused", "RelationError", "ReleaseResult", "release", "release_datasets", "withdraw"]
