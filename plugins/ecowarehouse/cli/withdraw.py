"""Take released rows back: `eco withdraw DATASET`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecowarehouse.cli import _decide

COMMANDS = {
    "withdraw": "Take released rows back: superseded (earlier releases stay) or retracted (auditors alone)"
}


def register(app: typer.Typer) -> None:
    """Add the command at top level."""
    app.command("withdraw")(withdraw)


def withdraw(
    name: Annotated[str, typer.Argument(metavar="DATASET")],
    first: Annotated[str, typer.Option("--from", help=_decide.PERIOD)],
    kind: Annotated[str, typer.Option(help="superseded or retracted.")],
    reason: Annotated[str, typer.Option(help="Why; shown beside the data.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
    last: Annotated[str | None, typer.Option("--to", help="The last period, included.")] = None,
    site: Annotated[str | None, typer.Option(help="Only rows of this site.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="COLUMN=VALUE of the key; may be repeated.")] = None,
    document: Annotated[str | None, typer.Option(help="What it rests on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Take rows out of what is readable, at once. No later run brings them back; `eco decisions revoke` does."""
    from ecowarehouse.decisions import datasets
    from ecowarehouse.decisions.withdrawing import enforce
    from ecowarehouse.postgres.connection import connect

    given = _decide.settings()
    dataset = _decide.dataset(name, given)
    meant = _decide.periods(first, last, given.timezone)
    with connect("eco_steward", application="withdraw") as conn:
        written = datasets.withdraw(
            conn, dataset, periods=meant, kind=kind, reason=reason, by=by, document=document,
            zone=given.timezone, rows=datasets.row_scope(dataset, site, where or ()),
        )  # fmt: skip
        result = enforce(conn, given, dataset)
    changed = result.withdrawn.get(name, 0) if result else 0
    _decide.tell(written, dataset.element, as_json, rows=changed)
