"""Sheets for people, each from one frozen set of releases."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


class Form(StrEnum):
    """What can be written."""

    html = "html"
    xlsx = "xlsx"
    text = "text"


@app.callback()
def _group() -> None:
    """So that `eco report daily` keeps its name."""


@app.command()
def daily(
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its morning; the data's today.")
    ] = None,
    area: Annotated[
        list[str] | None, typer.Option(help="Code of an area; the city and its prefecture when not given.")
    ] = None,
    forms: Annotated[
        list[Form] | None, typer.Option("--format", help="html and xlsx when not given; text: to paste.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; ECO_HOME/reports when not given.")] = None,
) -> None:
    """The duty officer's sheet: this hour, yesterday, to date, sections below target, silent stations."""
    from ecowarehouse.postgres import connect
    from ecowarehouse.reports import ReportError, sheets
    from ecowarehouse.reports import daily as make
    from ecowarehouse.settings import Settings

    settings = Settings.load()
    try:
        with connect("eco_engineer", application="eco report", settings=settings) as conn:
            report = make(conn, settings, day.date() if day else None, area or ())
    except ReportError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    folder = out or settings.home / "reports"
    chosen = forms or [Form.html, Form.xlsx]
    for form in chosen:
        if form is Form.text:
            typer.echo(sheets.summary(report))
            continue
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"daily-{report.day}.{form}"
        if form is Form.html:
            path.write_text(sheets.html(report, settings.timezone), encoding="utf-8")
        else:
            path.write_bytes(sheets.xlsx(report, settings.timezone))
        typer.echo(f"wrote {path}")
