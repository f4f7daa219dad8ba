"""The house itself: start, stop, look, examine, back up, bring back."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

COMMANDS = {
    "up": "Start PostgreSQL and Airflow, apply roles, migrations and standards",
    "down": "Stop everything that `eco up` started, by pid",
    "status": "What runs, and what the ledger says of the last attempts",
    "doctor": "Examine this machine and this house, with the mend of each fault",
    "backup": "Write database and received bytes to one file; --drill proves that it comes back",
    "restore": "Bring a backup back into an empty warehouse",
}

AsJson = Annotated[bool, typer.Option("--json", help="For programs: one JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Add the commands above to the top level."""
    for function in (up, down, status, doctor, backup, restore):
        app.command(function.__name__, help=COMMANDS[function.__name__])(function)


def up(
    database_only: Annotated[bool, typer.Option("--database-only", help="PostgreSQL alone.")] = False,
) -> None:
    from ecowarehouse.deployment import deploy, take_up_registers
    from ecowarehouse.settings import Settings

    deploy(Settings.load(), say=typer.echo)
    take_up_registers(Settings.load(), say=typer.echo)
    typer.echo(f"PostgreSQL: {_database_line()}")
    if database_only:
        return
    services = _part("services")
    if services is not None:
        _say_services(services.up())


def down(
    immediate: Annotated[
        bool, typer.Option("--immediate", help="Do not wait for sessions or a checkpoint.")
    ] = False,
) -> None:
    from ecowarehouse.postgres import cluster
    from ecowarehouse.settings import Settings

    services = _part("services")
    for name in services.down() if services is not None else []:
        typer.echo(f"{name}: stopped")
    if Settings.load().database_url:
        typer.echo("PostgreSQL: given by ECO_DATABASE_URL, left alone")
        return
    typer.echo("PostgreSQL: stopped" if cluster.stop(immediate=immediate) else "PostgreSQL: was not running")


def status(as_json: AsJson = False) -> None:
    from dataclasses import asdict

    from ecowarehouse.postgres import cluster
    from ecowarehouse.settings import Settings

    settings = Settings.load()
    running = bool(settings.database_url) or cluster.status(settings) is not None
    services = _part("services")
    ledger = _ledger() if running else []
    feeds = _feeds() if running else []
    parts = services.status() if services is not None else None
    found = {
        "home": str(settings.home),
        "database": _database_line(),
        "services": parts,
        "ledger": ledger,
        "feeds": [{**asdict(feed), "silent": feed.silent, "overdue": feed.overdue} for feed in feeds],
    }
    if as_json:
        typer.echo(json.dumps(found, default=str, ensure_ascii=False))
        return
    typer.echo(f"home        {found['home']}\nPostgreSQL  {found['database']}")
    if parts is not None:
        _say_services(parts)
    for row in ledger:
        typer.echo(f"{row['kind']:<11} {row['outcome']:<10} {row['attempts']:>8}  last {row['last']}")
    for feed in feeds:
        typer.echo(feed.line())


def doctor(as_json: AsJson = False) -> None:
    from dataclasses import asdict

    from ecowarehouse.doctor import examine, healthy

    checks = examine()
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
    else:
        for check in checks:
            mend = f"  → {check.mend}" if check.mend else ""
            typer.echo(f"{check.state:<4}  {check.name:<12} {check.finding}{mend}")
    if not healthy(checks):
        raise typer.Exit(1)


def backup(
    file: Annotated[Path | None, typer.Argument(help="Default: a dated file in the home.")] = None,
    drill: Annotated[
        bool, typer.Option("--drill", help="Restore it into a scratch database and compare all rows.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    from ecowarehouse.postgres import backup as backups

    if drill:
        result = backups.drill(file=file)
        _say_drill(result, as_json)
        if not result.passed:
            raise typer.Exit(1)
        return
    written = backups.backup(file or _dated_file())
    _say_backup("written", written, as_json)


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file of `eco backup`.")],
    force: Annotated[
        bool, typer.Option("--force", help="Set a warehouse with data aside, under another name.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    from ecowarehouse.postgres import backup as backups

    _say_backup("restored", backups.restore(file, force=force), as_json)


def _say_services(found: dict[str, Any]) -> None:
    airflow = found["airflow"]
    for name, part in airflow["parts"].items():
        typer.echo(f"{name:<15} {part['state']}")
    if airflow["url"]:
        typer.echo(
            f"Airflow     {airflow['url']}, login {airflow['login']}, password in {airflow['password_file']}"
        )
    for name, other in found["others"].items():
        typer.echo(f"{name:<15} pid {other['pid']}")


def _part(name: str) -> ModuleType | None:
    """A part of the house that a database-only installation may lack."""
    qualified = f"ecowarehouse.{name}"
    return import_module(qualified) if find_spec(qualified) is not None else None


def _database_line() -> str:
    from ecowarehouse.postgres import cluster
    from ecowarehouse.settings import Settings

    settings = Settings.load()
    if settings.database_url:
        return "given by ECO_DATABASE_URL"
    server = cluster.status(settings)
    if server is None:
        return "stopped"
    return f"{cluster.HOST}:{server.port}, pid {server.pid}, run as {server.mode}"


def _ledger() -> list[dict[str, Any]]:
    """Attempts by kind and outcome; empty before the first migration."""
    from ecowarehouse.postgres.connection import connect
    from ecowarehouse.postgres.errors import DatabaseUnreachable

    statement = """
        select kind, outcome, count(*), max(started_at) from governance.attempt
        group by kind, outcome order by max(started_at) desc
    """
    try:
        connection = connect("eco_engineer", application="status", autocommit=True)
    except DatabaseUnreachable:
        return []
    with connection:
        exists = connection.execute("select to_regclass('governance.attempt') is not null").fetchone()
        if exists is None or not exists[0]:
            return []
        rows = connection.execute(statement).fetchall()
    return [dict(zip(("kind", "outcome", "attempts", "last"), row, strict=True)) for row in rows]


def _feeds() -> list[Any]:
    """How each feed stands; empty when the database can't be asked."""
    from ecowarehouse import completeness
    from ecowarehouse.contracts import load_contracts
    from ecowarehouse.postgres.connection import connect
    from ecowarehouse.postgres.errors import DatabaseUnreachable
    from ecowarehouse.settings import Settings

    try:
        connection = connect("eco_engineer", application="status", autocommit=True)
    except DatabaseUnreachable:
        return []
    with connection:
        return completeness.standing(connection, load_contracts(Settings.load().city))


def _dated_file() -> Path:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from ecowarehouse.settings import Settings

    settings = Settings.load()
    now = datetime.now(ZoneInfo(settings.timezone))
    return settings.home / "backups" / f"eco-{now:%Y%m%dT%H%M%S}.tar"


def _say_backup(word: str, done: Any, as_json: bool) -> None:
    if as_json:
        found = {
            "file": str(done.file),
            "bytes": done.bytes,
            "rows": done.rows,
            "content": done.content.sha256,
        }
        typer.echo(json.dumps(found))
        return
    typer.echo(f"{word}: {done.file} ({done.bytes:,} bytes, {done.files} files, {done.rows:,} rows)")
    typer.echo(f"content sha256 {done.content.sha256}")


def _say_drill(result: Any, as_json: bool) -> None:
    content = result.backup.content.sha256
    if as_json:
        typer.echo(
            json.dumps({"passed": result.passed, "differences": result.differences, "content": content})
        )
    elif result.passed:
        typer.echo(f"drill passed: {result.backup.rows:,} rows came back, content sha256 {content}")
    else:
        typer.echo(
            f"drill FAILED: these tables came back different: {', '.join(result.differences)}", err=True
        )
