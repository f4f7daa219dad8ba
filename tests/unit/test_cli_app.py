"""The top of the command line: quick, complete, and one name for one command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ecowarehouse.cli import app as cli

HEAVY = ("airflow", "dbt", "great_expectations", "pandas", "sqlalchemy", "pyarrow", "psycopg", "pydantic")


def test_help_imports_nothing_heavy_and_shows_every_command() -> None:
    code = (
        "import sys; sys.argv = ['eco', '--help']; from ecowarehouse.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print('heavy:', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "heavy: []"
    for name, entry in cli.entries().items():
        assert f" {name} " in done.stdout
        assert entry.help, f"`eco {name}` has no line in the help"


@pytest.mark.parametrize("name", sorted(cli.entries()))
def test_every_command_that_is_listed_loads(name: str) -> None:
    assert cli.load(name) is not None


def _module(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)


def test_two_files_cannot_offer_one_name(tmp_path: Path) -> None:
    _module(tmp_path, "one", "COMMANDS = {'load': 'x'}\ndef register(app): ...\n")
    _module(tmp_path, "two", "COMMANDS = {'load': 'y'}\ndef register(app): ...\n")
    with pytest.raises(RuntimeError, match="`eco load` is offered by one too"):
        cli.entries(tmp_path)


def test_a_register_without_names_is_refused(tmp_path: Path) -> None:
    _module(tmp_path, "one", "def register(app): ...\n")
    with pytest.raises(RuntimeError, match="COMMANDS"):
        cli.entries(tmp_path)


def test_groups_are_named_after_their_file_and_helped_by_its_first_line(tmp_path: Path) -> None:
    _module(tmp_path, "hj_212", '"""Frames.\n\nMore."""\nimport no_such_module\napp: object = 1\n')
    assert cli.entries(tmp_path) == {"hj-212": cli.Entry("hj_212", "Frames.", is_group=True)}


def test_a_foreseen_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ecowarehouse.postgres.errors import ClusterError

    def fail() -> None:
        raise ClusterError("no room. Mend: make some")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert capsys.readouterr().err == "eco: no room. Mend: make some\n"


def test_several_foreseen_errors_are_a_line_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ecowarehouse.postgres.errors import ClusterError

    def fail() -> None:
        raise ExceptionGroup("a cycle", [ClusterError("one"), ClusterError("two")])

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == "eco: one\neco: two\n"
