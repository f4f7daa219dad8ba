"""Released data as files: `eco export [DATASET...] --out DIR`."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

COMMANDS = {"export": "Released data as files: CSV, Parquet, manifest, dictionary and an index"}


def register(app: typer.Typer) -> None:
    """Add the command at top level."""
    app.command("export")(export)


def export(
    datasets: Annotated[list[str] | None, typer.Argument(help="All of the face if none is given.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to (default: ECO_HOME/export).")] = None,
    face: Annotated[str, typer.Option(help="open: for the public; shared: for departments.")] = "open",
    keep_days: Annotated[
        int | None,
        typer.Option(
            min=1, help="Remove files of versions that a newer one replaced longer ago (default: city.yml)."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Write the newest released version into DIR/FACE; what has not changed keeps its files."""
    from ecowarehouse import exports
    from ecowarehouse.postgres.connection import connect

    chosen = next((one for one in exports.FACES if one == face), None)
    if chosen is None:
        raise typer.BadParameter(f"--face is {' or '.join(exports.FACES)}")
    with connect(application="export") as conn:
        result = exports.export(
            conn, datasets=datasets or (), face=chosen, out=out,
            keep=None if keep_days is None else timedelta(days=keep_days),
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(result.summary(), ensure_ascii=False))
        return
    for name, written in sorted(result.written.items()):
        typer.echo(f"{name}: {written.version}, {written.parts} of {written.of} parts written")
    for name, reason in sorted(result.withheld.items()):
        typer.echo(f"{name}: not exported, {reason}")
    typer.echo(f"{result.outcome}: {result.folder / 'index.json'}")
