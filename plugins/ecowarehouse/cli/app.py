"""`eco`: finds its commands by reading, and imports a group's code only when one of its commands runs.

A file `cli/<group>.py` offers its commands in one of two ways:

* `app = typer.Typer(...)`: the group `eco <group>`; its help is the first line of the file's docstring.
  (As always with Typer, an app with a single command and no callback is that command.)
* `COMMANDS = {"load": "One feed now", ...}`, a literal, and `register(app: typer.Typer) -> None`, which adds
  these commands at top level.

So `eco --help` costs no dbt, Great Expectations, Airflow or pandas, and two people never edit one table.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Entry:
    """One name on the command line, the module behind it, and its line in the help."""

    module: str
    help: str
    is_group: bool


@cache
def entries(folder: Path = _FOLDER) -> Mapping[str, Entry]:
    """All commands by name, read from the files' syntax trees.

    Raises:
        RuntimeError: two files offer one name, or a file offers `register` without naming its commands.
    """
    found: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.py")):
        if path.stem in ("__init__", "app") or path.stem.startswith("_"):
            continue
        for name, entry in _read(path).items():
            if name in found:
                raise RuntimeError(f"{path}: `eco {name}` is offered by {found[name].module} too")
            found[name] = entry
    return dict(sorted(found.items()))


def _read(path: Path) -> dict[str, Entry]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {name: value for node in tree.body for name, value in _assigned(node)}
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    found: dict[str, Entry] = {}
    if "register" in functions:
        commands = names.get("COMMANDS")
        if commands is None:
            raise RuntimeError(f"{path}: register() needs COMMANDS = {{name: help}} beside it")
        for name, text in ast.literal_eval(commands).items():
            found[name] = Entry(path.stem, text, is_group=False)
    if "app" in names:
        first_line = (ast.get_docstring(tree) or "").partition("\n")[0]
        found[path.stem.replace("_", "-")] = Entry(path.stem, first_line, is_group=True)
    return found


def _assigned(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        return [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return [(node.target.id, node.value)]
    return []


def load(name: str) -> Any:
    """Import the module behind a name and return its command."""
    entry = entries()[name]
    module = import_module(f"ecowarehouse.cli.{entry.module}")
    if entry.is_group:
        return typer.main.get_command(module.app)
    holder = typer.Typer(add_completion=False)
    module.register(holder)
    return typer.main.get_group(holder).commands[name]


class LazyGroup(TyperGroup):
    """The top level: knows names and one line each, and loads the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """All names, without importing anything."""
        return list(entries())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command; in the listing of `eco --help` a stand-in with its help."""
        entry = entries().get(cmd_name)
        if entry is None:
            return None
        if getattr(self, "_listing", False):
            return TyperCommand(cmd_name, help=entry.help)
        return load(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """`eco --help` asks every command for one line: answer from what was read."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


app = typer.Typer(
    cls=LazyGroup,
    name="eco",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _top() -> None:
    """The environmental data warehouse of one city."""


def main() -> None:
    """The entry point: what we foresaw is one line on stderr and exit code 1, the rest a traceback."""
    try:
        app()
    except Exception as error:
        problems = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        if not all(map(_is_foreseen, problems)):
            raise
        for problem in problems:
            print(f"eco: {problem}", file=sys.stderr)
        raise SystemExit(1) from None


def _is_foreseen(error: Exception) -> bool:
    """Errors that our own modules define carry a message for people."""
    return type(error).__module__.partition(".")[0] == "ecowarehouse"


if __name__ == "__main__":
    main()
