"""Versions of observations and entities as a pure function of sightings; sites; flags."""

from __future__ import annotations

from typing import Any

import psycopg

from ecowarehouse.contracts import Contract, EntityContract, ObservationContract
from ecowarehouse.core import entities
from ecowarehouse.core.build import build as build_observations
from ecowarehouse.core.result import CoreResult, NotDeployed

__all__ = ["CoreResult", "NotDeployed", "build"]


def build(conn: psycopg.Connection[Any], contract: Contract, *, run_id: str | None = None) -> CoreResult:
    """Take up every waiting sighting of a feed, in one transaction.

    Raises `LockNotObtained`, and `NotDeployed` when the feed is new here; any other error too leaves core as it was and
    the sightings waiting.
    """
    if isinstance(contract, EntityContract):
        return entities.build(conn, contract, run_id=run_id)
    assert isinstance(contract, ObservationContract)
    return build_observations(conn, contract, run_id=run_id)
