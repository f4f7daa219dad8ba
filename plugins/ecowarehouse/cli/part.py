"""One part of the house in the foreground, for containers"""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="api-server, scheduler, dag-processor or triggerer.")]


@app.command()
def prepare() -> None:
    """Wait for the database, bring it to what this version expects, end. Repeatable."""
    from ecowarehouse.services import foreground
    from ecowarehouse.settings import Settings

    foreground.prepare(Settings.load(), say=typer.echo)


@app.command()
def run(name: Name) -> None:
    """Become this part; ends with it."""
    from ecowarehouse.services import foreground
    from ecowarehouse.settings import Settings

    foreground.become(Settings.load(), _known(name))


@app.command()
def check(name: Name) -> None:
    """Ask the API server how this part is; exit code 1 unless it is healthy."""
    from ecowarehouse.services import foreground
    from ecowarehouse.settings import Settings

    found = foreground.state(Settings.load(), _known(name))
    typer.echo(found)
    if found != "healthy":
        raise typer.Exit(1)


def _known(name: str) -> str:
    from ecowarehouse.services.airflow import PARTS

    if name not in PARTS:
        raise typer.BadParameter(f"one of {', '.join(PARTS)}")
    return name
