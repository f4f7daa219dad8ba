"""Contracts of the feeds: list, check, start a new one, write what follows from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract

app = typer.Typer(no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="For programs.")]
_SCHEMA = Path("docs") / "contract.schema.json"


@app.command(name="list")
def list_(as_json: _Json = False) -> None:
    """Every feed with its element, department and state; exit code 1 if one is broken."""
    from ecowarehouse.contracts import load_contracts
    from ecowarehouse.settings import Settings

    found = load_contracts(Settings.load().city)
    rows = [
        {"feed": c.feed, "element": c.element, "department": c.department, "title": c.title.zh, "state": "ok"}
        for c in found.contracts.values()
    ]
    rows += [
        {"feed": b.feed_guess, "element": "", "department": "", "title": "", "state": "broken"}
        for b in found.broken.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            typer.echo("\t".join(row.values()))
    if found.broken:
        raise typer.Exit(1)


@app.command()
def check(
    feed: Annotated[str | None, typer.Argument(help="One feed; all when not given.")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the sources too; nothing is landed.")] = False,
) -> None:
    """Contracts, what was written from them, recorded answers; exit code 1 with the mend for each problem.

    Of one feed that is as meant, the next step towards its first release.
    """
    from ecowarehouse.contracts import load_contracts
    from ecowarehouse.contracts.staging import differences
    from ecowarehouse.new_feed import next_step, unreadable
    from ecowarehouse.settings import Settings

    settings = Settings.load()
    found = load_contracts(settings.city)
    broken = [b.message for b in found.broken.values() if feed in (None, b.feed_guess)]
    chosen = [c for c in found.contracts.values() if feed in (None, c.feed)]
    if not broken and not chosen:
        raise typer.BadParameter(found.unknown(str(feed)))
    problems = [*broken, *(line for c in chosen for line in differences(c, settings.dbt_project))]
    problems += [line for c in chosen for line in unreadable(settings, c)]
    schema = settings.project_root / _SCHEMA
    if feed is None and (not schema.exists() or schema.read_text(encoding="utf-8") != _schema_text()):
        problems.append(f"{_SCHEMA}: is not what the model says; run `eco source schema --write`")
    if ask:
        problems += [line for contract in chosen if (line := _ask(contract))]
    typer.echo("\n".join(problems) or f"{len(chosen)} contract(s) as meant")
    if problems:
        raise typer.Exit(1)
    if feed is not None:
        typer.echo(f"next: {next_step(settings, chosen[0])}")


def _ask(contract: Contract) -> str | None:
    """What is wrong with a source, with the mend; None after telling what it would give."""
    from ecowarehouse.connectors import FetchProblem, asking
    from ecowarehouse.reasons import ledger_reasons
    from ecowarehouse.settings import Settings

    try:
        typer.echo(f"{contract.feed}: {asking.ask(contract)}")
    except FetchProblem as problem:
        known = ledger_reasons(Settings.load()).get(problem.reason)
        return f"{contract.feed}: {problem}" + (f". Mend: {known.mend_en}" if known else "")
    return None


@app.command()
def staging(
    feed: Annotated[str, typer.Argument(help="The feed.")],
    write: Annotated[bool, typer.Option("--write", help="Write the files instead of showing them.")] = False,
) -> None:
    """The staging views of a feed, from its contract."""
    from ecowarehouse.contracts.staging import staging_files
    from ecowarehouse.settings import Settings

    settings = Settings.load()
    contract = _contract(settings.city, feed)
    for path, text in staging_files(contract, settings.dbt_project).items():
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            typer.echo(f"wrote {path.relative_to(settings.project_root)}")
        else:
            typer.echo(text)


@app.command()
def schema(
    write: Annotated[bool, typer.Option("--write", help=f"Write {_SCHEMA} instead of showing it.")] = False,
) -> None:
    """The JSON Schema of a contract, for editors."""
    from ecowarehouse.settings import Settings

    if write:
        (Settings.load().project_root / _SCHEMA).write_text(_schema_text(), encoding="utf-8")
        typer.echo(f"wrote {_SCHEMA}")
    else:
        typer.echo(_schema_text(), nl=False)


@app.command()
def new(
    feed: Annotated[str, typer.Argument(help="Name of the feed, such as noise_hourly.")],
    department: Annotated[str, typer.Option(help="Key in departments.yml; it needs a duty for the element.")],
    element: Annotated[str, typer.Option(help="Element that the feed belongs to.")],
    answers: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            help="A recorded answer (CSV, JSON, XML, XLSX) to propose from and to keep for the test; may repeat.",
        ),
    ] = None,
    transport: Annotated[str, typer.Option(help="How it comes: http, sql, sftp, drop.")] = "http",
) -> None:
    """All files of a feed: contract, staging views, test, recorded answers; a suite where the element has none."""
    from ecowarehouse.contracts.scaffold import ScaffoldError
    from ecowarehouse.new_feed import begin
    from ecowarehouse.settings import Settings

    settings = Settings.load()
    try:
        for path in begin(settings, feed, department, element, answers or (), transport):
            typer.echo(f"wrote {_shown(path, settings.project_root)}")
    except ScaffoldError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(f"next: answer each `TODO` of the contract; `eco source check {feed}` names them")


def _shown(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _contract(city: Path, feed: str) -> Contract:
    from ecowarehouse.contracts import load_contracts

    try:
        return load_contracts(city)[feed]
    except KeyError as error:
        raise typer.BadParameter(str(error.args[0])) from None


def _schema_text() -> str:
    from ecowarehouse.contracts import json_schema

    return json.dumps(json_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
