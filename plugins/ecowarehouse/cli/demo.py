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

Pulls = Annotated[
    int | None, typer.Option("--pulls", min=1, help="Only the first so many pulls; without, all of them.")
]


def register(app: typer.Typer) -> None:
    """Add the command at top level."""
    app.command("demo")(demo)


def demo(data: Data = None, feeds: Feeds = None, pulls: Pulls = None) -> None:
    """Start everything, bring in every pull of the sources by real DAG runs, show what came of it."""
    from rich.console import Console

    from ecowarehouse.demo import run, tell
    from ecowarehouse.settings import Settings

    settings, console = Settings.load(), Console()
    data = data.resolve() if data else None
    result = run.run(settings, data, console, feeds, pulls)
    tell.end(console, settings, result)
