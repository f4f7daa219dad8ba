"""Imported once by the fork server: what every `eco` imports and what dbt generates for itself at its first parse."""

import json
import tempfile

import dbt.adapters.postgres
import dbt.task.build  # noqa: F401
import great_expectations  # noqa: F401
import pyarrow.csv  # noqa: F401
from dbt.cli.main import dbtRunner

import ecowarehouse.cli.app
import ecowarehouse.cycle
import ecowarehouse.deployment
import ecowarehouse.gate.docs
import ecowarehouse.gate.judge_frame  # noqa: F401
from ecowarehouse.settings import Settings

_settings = Settings.load()
_project = str(_settings.dbt_project)
with tempfile.TemporaryDirectory() as _folder:
    _places = [
        "--project-dir",
        _project,
        "--profiles-dir",
        _project,
        "--target-path",
        _folder,
        "--log-path",
        _folder,
        "--vars",
        json.dumps({"timezone": _settings.timezone}),
    ]
    # The static parser has threads, which a fork does not take along: whoever needs it then waits for ever.
    for _ in ("make the parse", "read it"):
        dbtRunner().invoke(
            ["--quiet", "--no-version-check", "--no-write-json", "--no-static-parser", "parse", *_places]
        )
