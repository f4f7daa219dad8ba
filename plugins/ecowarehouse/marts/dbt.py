"""dbt in this process: own folders for each call, one look at the project for all, results as data.

dbt keeps state in its process (adapters, flags): one call at a time, which `_ONE_AT_A_TIME` sees to.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from ecowarehouse.edits import stamp
from ecowarehouse.postgres import libpq_env
from ecowarehouse.settings import Settings

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

ROLE: Final = "eco_dbt"
_PARSED: Final = "partial_parse.msgpack"  # of one database: its name stands in every relation
_REMAINS_KEPT: Final = 7 * 24 * 3600
_ONE_AT_A_TIME = threading.Lock()
_READ: Final[dict[tuple[str, ...], _Project]] = {}
_SILENT: Final = frozenset({"exposure", "operation"})
_OK: Final = frozenset({"success", "pass", "warn", "no-op"})


class DbtFailed(RuntimeError):
    """dbt could not read the project, or a model or test failed; the message is dbt's of the first."""

    def __init__(self, message: str, results: list[ModelRun]) -> None:
        super().__init__(message)
        self.results = results


@dataclass(frozen=True, slots=True)
class ModelRun:
    """What became of one model, seed or test."""

    model: str
    kind: str
    status: str
    rows: int | None
    seconds: float
    message: str | None

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than well; what was skipped failed elsewhere."""
        return self.status not in _OK and self.status != "skipped"


@dataclass(frozen=True, slots=True)
class _Project:
    """The project as dbt read it, and what its files were like then."""

    stamp: int
    manifest: Manifest


def run(
    arguments: list[str], *, build_id: int | None = None, settings: Settings | None = None
) -> list[ModelRun]:
    """Run one dbt command and return what became of each node.

    Args:
        arguments: the command with its own options, such as `["seed", "--select", "air_limits"]`.
        build_id: the build whose scope the marts read; it goes into the session's settings (`eco.build_id`),
            because a dbt variable that changes makes dbt parse the project again.

    Raises:
        DbtFailed: the project cannot be read, or a node failed.
    """
    from dbt.cli.main import dbtRunner  # 1 s, and only those who build need it

    _ask_no_stack()
    settings = settings or Settings.load()
    home = settings.home / "dbt"
    home.mkdir(parents=True, exist_ok=True)
    _remove_remains(home)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=home))
    common = [
        "--quiet", "--no-use-colors", "--no-version-check", "--cache-selected-only", "--no-write-json",
        "--log-level-file", "info",  # the statements themselves lie in target/run
    ]  # fmt: skip
    places = [
        "--project-dir", str(settings.dbt_project), "--profiles-dir", str(settings.dbt_project),
        "--target-path", str(folder / "target"), "--log-path", str(folder / "log"),
        # The same at every call in one city, so that the partial parse serves; what changes is in the session.
        "--vars", json.dumps({"timezone": settings.timezone}),
    ]  # fmt: skip
    session = _session(build_id, settings)
    parsed = home / f"{session['ECO_DATABASE']}.{_PARSED}"
    if parsed.exists():
        places += ["--partial-parse-file-path", str(parsed)]
    with _ONE_AT_A_TIME, _environment(session):
        outcome = _read(settings, session["ECO_DATABASE"], [*common, "parse", *places])
        if isinstance(outcome, _Project):
            outcome = dbtRunner(outcome.manifest).invoke([*common, *arguments, *places])
    nodes = [_model_run(result) for result in getattr(outcome.result, "results", None) or []]
    results = [node for node in nodes if node.failed or node.kind not in _SILENT]
    failure = _failure(outcome, results)
    if failure is not None:
        raise DbtFailed(f"{failure} (dbt's log: {folder / 'log' / 'dbt.log'})", results)
    _keep_parsed(folder / "target" / _PARSED, parsed)
    shutil.rmtree(folder, ignore_errors=True)
    return results


def _read(settings: Settings, database: str, parse: list[str]) -> _Project | dbtRunnerResult:
    """The project as this process read it, unless a file of it was edited since; or what became of reading it.

    Every relation has the name of the database in it, and the time zone of the city decides what models say.
    """
    from dbt.cli.main import dbtRunner

    key = (str(settings.dbt_project), database, settings.timezone)
    now = stamp(settings.dbt_project)
    held = _READ.get(key)
    if held is None or held.stamp != now:
        outcome = dbtRunner().invoke(parse)
        if not outcome.success:
            return outcome
        held = _READ[key] = _Project(now, cast("Manifest", outcome.result))
    return held


def _ask_no_stack() -> None:
    """Of each of its flags dbt asks the whole stack which module set it: a sixth of a build under Airflow's tasks.

    The name goes into an event that nobody here reads.
    """
    from dbt_common.behavior_flags import BehaviorFlagRendered

    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]


def _session(build_id: int | None, settings: Settings) -> dict[str, str]:
    """libpq's variables. The role is a start-up option: a rollback of dbt's undoes its own SET ROLE."""
    known = libpq_env(settings=settings)
    options = [known.get("PGOPTIONS", ""), f"-c role={ROLE}", f"-c timezone={settings.timezone}"]
    if build_id is not None:
        options.append(f"-c eco.build_id={build_id}")
    wanted = {name: value for name, value in known.items() if name.startswith("PG")}
    wanted["PGOPTIONS"] = " ".join(filter(None, options))
    wanted["ECO_DATABASE"] = known.get("PGDATABASE", settings.database)
    wanted["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    return wanted


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _model_run(result: Any) -> ModelRun:
    response = getattr(result, "adapter_response", None) or {}
    rows = response.get("rows_affected")
    return ModelRun(
        model=str(result.node.name),
        kind=str(result.node.resource_type),
        status=str(result.status),
        rows=int(rows) if isinstance(rows, int) and rows >= 0 else None,
        seconds=round(float(result.execution_time), 3),
        message=str(result.message) if result.message else None,
    )


def _failure(outcome: Any, results: list[ModelRun]) -> str | None:
    for result in results:
        if result.failed:
            return f"{result.kind} {result.model}: {result.message or result.status}"
    if outcome.exception is not None:
        return f"dbt: {outcome.exception}"
    return None if outcome.success else "dbt ended without success and without a reason"


def _remove_remains(home: Path) -> None:
    """A failed run's folder is left for people, a killed run's by accident: a week is enough for both."""
    for folder in home.glob("run-*"):
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - _REMAINS_KEPT:
                shutil.rmtree(folder, ignore_errors=True)


def _keep_parsed(made: Path, kept: Path) -> None:
    """Put the newest parse where the next call finds it, in one step; losing it costs two seconds."""
    with suppress(OSError):
        made.replace(kept)
