"""Generated pages: the data dictionary, and all documents as HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMANDS = {"docs": "Data dictionary from contracts, dbt and standards; all documents as HTML in the home"}


def register(app: typer.Typer) -> None:
    """Add the command at top level."""
    app.command("docs")(docs)


def docs(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 if the dictionary is not up to date.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the dictionary's Markdown; default docs/dictionary."),
    ] = None,
) -> None:
    """Write the data dictionary (Markdown) and HTML of all documents. Needs no database."""
    from ecowarehouse import dictionary, html_pages
    from ecowarehouse.settings import Settings

    settings = Settings.load()
    folder = out or settings.project_root / dictionary.FOLDER
    wanted = dictionary.pages(settings)
    if check:
        if stale := dictionary.differences(folder, wanted):
            typer.echo(f"not up to date: {', '.join(stale)}. Mend: make docs")
            raise typer.Exit(1)
        typer.echo(f"{len(wanted)} pages are up to date")
        return
    changed = dictionary.write(folder, wanted)
    typer.echo(f"dictionary  {folder} ({len(wanted)} pages, {len(changed)} changed)")
    html = settings.home / "docs"
    written = html_pages.write(settings.project_root, html)
    typer.echo(f"HTML        {html / 'index.html'} ({len(written)} pages)")
