"""Make readable what the gate let through: `eco publish [DATASET...]`; or hold it back: `eco publish --embargo`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ecowarehouse.cli import _decide

COMMANDS = {"publish": "Release what the gate let through, all datasets or some"}

EXIT_BLOCKED = 3


def register(app: typer.Typer) -> None:
    """Add the command at top level."""
    app.command("publish")(publish)


def publish(
    datasets: Annotated[list[str] | None, typer.Argument(help="All datasets if none is given.")] = None,
    embargo: Annotated[
        str | None, typer.Option(metavar="DATASET", help="Release nothing: hold back new rows of it.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help=f"Of an embargo: {_decide.PERIOD}")] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Of an embargo: the last period, included.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="When the embargo ends by itself.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why there is an embargo.")] = None,
    by: Annotated[str | None, typer.Option(help="Who decides on it.")] = None,
    document: Annotated[str | None, typer.Option(help="What it rests on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Release the newest build of each element; exit code 3 if something no longer is as the gate saw it."""
    if embargo:
        if datasets or not (first and until and reason and by):
            raise typer.BadParameter("an embargo takes one dataset, --from, --until, --reason and --by")
        _embargo(embargo, first, last, until, reason, by, document, as_json)
        return
    if first or last or until or reason or by or document:
        raise typer.BadParameter(
            "--from, --to, --until, --reason, --by and --document belong to --embargo DATASET"
        )
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


def _embargo(
    name: str,
    first: str,
    last: str | None,
    until: str,
    reason: str,
    by: str,
    document: str | None,
    as_json: bool,
) -> None:
    from ecowarehouse.decisions import datasets
    from ecowarehouse.postgres.connection import connect

    given = _decide.settings()
    dataset = _decide.dataset(name, given)
    with connect("eco_steward", application="embargo") as conn:
        written = datasets.embargo(
            conn, dataset, periods=_decide.periods(first, last, given.timezone), reason=reason, by=by,
            until=_decide.moment(until, given.timezone), document=document,
        )  # fmt: skip
    _decide.tell(written, dataset.element, as_json)
