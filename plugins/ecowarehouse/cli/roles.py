"""Roles of the database: apply them, or check for deviations."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def apply() -> None:
    """Create what is missing and grant what is meant. Repeatable."""
    from ecowarehouse.postgres.prepare import prepare

    prepare()
    typer.echo("roles applied")


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Compare the database with what is meant; exit code 1 if they differ."""
    from ecowarehouse.postgres import roles
    from ecowarehouse.postgres.connection import connect

    with connect(application="roles check", admin=True, autocommit=True) as connection:
        deviations = roles.check(connection)
    typer.echo(json.dumps(deviations, ensure_ascii=False) if as_json else "\n".join(deviations) or "as meant")
    if deviations:
        raise typer.Exit(1)
