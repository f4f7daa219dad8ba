"""Set everything up and run the main job on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMANDS = {
    "demo": "Set everything up and run the main job on this machine, from stand-in sources to releases"
}

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", exists=True, file_okay=False, help="Folder of real pulls; without, an invented network."
    ),
]
Feeds = Annotated[
    list[str] | None,
    typer.Option(
        "--feed", help="Only this feed (may be given again); without, all whose source speaks here."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command at top level."""
    app.command("demo")(demo)


def demo(data: Data = None, feeds: Feeds = None) -> None:
    """Start everything, bring in every pull of the sources by real DAG runs, show what came of it."""
    from rich.console import Console

    from ecowarehouse.demo import run, tell
    from ecowarehouse.settings import Settings

    settings, console = Settings.load(), Console()
    data = data.resolve() if data else None
    result = run.run(settings, data, console, feeds)
    tell.end(console, settings, result)
