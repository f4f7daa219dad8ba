"""Versions of observations as a pure function of sightings; sites; flags."""

from ecowarehouse.core.build import CoreResult, build

__all__ = ["CoreResult", "build"]
