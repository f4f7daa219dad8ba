"""Make readable what the gate let through: `eco publish [DATASET...]`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

COMMANDS = {"publish": "Release what the gate let through, all datasets or some"}

EXIT_BLOCKED = 3


def register(app: typer.Typer) -> None:
    """Add the command at top level."""
    app.command("publish")(publish)


def publish(
    datasets: Annotated[list[str] | None, typer.Argument(help="All datasets if none is given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Release the newest build of each element; exit code 3 if a candidate changed after its verdict."""
    from ecowarehouse.postgres.connection import connect
    from ecowarehouse.release import release_datasets

    with connect(application="publish") as conn:
        results = release_datasets(conn, datasets or ())
    if as_json:
        typer.echo(json.dumps([result.summary() for result in results], ensure_ascii=False))
    for result in results if not as_json else ():
        typer.echo(f"{result.element}: build {result.build_id}, {result.outcome}, {result.periods} periods")
        for dataset, inserted in sorted(result.inserted.items()):
            typer.echo(f"  {dataset}: {inserted} rows came, {result.closed[dataset]} no longer hold")
        for refused in result.refused[:10]:
            typer.echo(f"  refused {refused.dataset} {refused.period_start.isoformat()}: {refused.reason}")
    if any(result.refused for result in results):
        raise typer.Exit(EXIT_BLOCKED)
