"""Candidates of an element: dbt in process, over the scope of what changed."""

from ecowarehouse.marts.build import BuildFailed, BuildResult, build, newest_build
from ecowarehouse.marts.dbt import DbtFailed, ModelRun
from ecowarehouse.marts.deploy import deploy
from ecowarehouse.marts.recompute import Difference, recompute_check

__all__ = [
    "BuildFailed",
    "BuildResult",
    "DbtFailed",
    "Difference",
    "ModelRun",
    "build",
    "deploy",
    "newest_build",
    "recompute_check",
]
