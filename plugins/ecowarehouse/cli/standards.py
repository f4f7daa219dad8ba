"""Standards: apply the files, show what differs, approve a content."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="print JSON for programs")]


@app.command()
def apply(as_json: Json = False) -> None:
    """Load the files whose content or table is not what was applied last."""
    from ecowarehouse import standards
    from ecowarehouse.postgres import connect

    with connect(application="standards apply") as conn:
        loaded = standards.apply(conn)
    if as_json:
        print(json.dumps({"loaded": loaded}))
    else:
        typer.echo(
            "\n".join(f"loaded {file}" for file in loaded) or "nothing to do: all tables are as their files"
        )


@app.command()
def diff(as_json: Json = False) -> None:
    """File, table and approval of each standard. Exit code 1 when anything differs."""
    from ecowarehouse import standards
    from ecowarehouse.postgres import connect

    with connect("eco_engineer", application="standards diff") as conn:
        states = standards.diff(conn)
    if as_json:
        print(json.dumps([asdict(state) for state in states], ensure_ascii=False))
    for state in [] if as_json else states:
        said = [] if state.approved else ["not approved"]
        said += [] if state.applied else ["not applied"]
        typer.echo(f"{state.file}: {', '.join(said) or 'approved and applied'}")
        for sign, rows in (("+", state.only_in_file), ("-", state.only_in_table)):
            for row in rows:
                typer.echo(f"  {sign} {','.join(row)}")
    if not all(state.good for state in states):
        raise typer.Exit(1)


@app.command()
def approve(
    file: Annotated[str, typer.Argument(help="such as standards/air_limits.csv")],
    by: Annotated[str, typer.Option(help="who approves")],
    reason: Annotated[str, typer.Option(help="why this content is right")],
    document: Annotated[str | None, typer.Option(help="what it rests on")] = None,
) -> None:
    """Write down that a person approves the present content of a file."""
    from ecowarehouse import standards
    from ecowarehouse.postgres import connect

    with connect(application="standards approve") as conn:
        try:
            sha256 = standards.approve(conn, file, by=by, reason=reason, document=document)
        except standards.StandardsError as problem:
            raise typer.BadParameter(str(problem)) from problem
    typer.echo(f"approved {file} ({sha256[:12]}) by {by}")
