"""Decisions of people: `eco decisions list`, `revoke`, `disagree`, `left`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ecowarehouse.cli import _decide

app = typer.Typer(no_args_is_help=True)

FOR_GOOD = "9998"

Json = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def show(
    subject: Annotated[str | None, typer.Argument(help="A feed or a dataset; all without.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Also those that have ended.")] = False,
    as_json: Json = False,
) -> None:
    """Decisions that hold, newest first: who, when, what, why, until when."""
    from ecowarehouse.decisions import entries
    from ecowarehouse.postgres.connection import connect

    with connect("eco_engineer", application="decisions list") as conn:
        found = entries(conn, subject=subject, only_holding=not ended)
    if subject and not found:
        _decide.subject(subject)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    for one in found:
        ends = f" until {one['until']:%Y-%m-%d %H:%M}" if one["until"] else ""
        revoked = f" · revoked by {one['revoked_by']}: {one['revoked_for']}" if one["revoked_by"] else ""
        typer.echo(
            f"{one['reference']:>10}  {one['kind']:12} {one['subject']} {one['scope'] or ''}"
            f" {one['period_from']:%Y-%m-%dT%H:%M}/{one['period_to']:%Y-%m-%dT%H:%M}  {one['says']}"
            f"  {one['reason']}  ({one['decided_by']}, {one['decided_at']:%Y-%m-%d %H:%M}{ends}){revoked}"
        )
    typer.echo(f"{len(found)} decisions")


@app.command()
def revoke(
    reference: Annotated[str, typer.Argument(help="7, or waiver/3; see `eco decisions list`.")],
    reason: Annotated[str, typer.Option(help="Why it ends.")],
    by: Annotated[str, typer.Option(help="Who ends it.")],
    as_json: Json = False,
) -> None:
    """End a decision before its time. It stays on record, and a question as of before still finds it."""
    from ecowarehouse import decisions
    from ecowarehouse.decisions import corrections
    from ecowarehouse.decisions.withdrawing import enforce
    from ecowarehouse.postgres.connection import connect

    given = _decide.settings()
    with connect("eco_steward", application="revoke") as conn:
        element = decisions.revoke(conn, reference, by=by, reason=reason)
        found = [one for one in decisions.entries(conn) if one["reference"] == reference]
        corrections.take_up_element(conn, given.bytes_store, element)
        for one in found:
            if one["kind"] == "withdrawal":
                enforce(conn, given, _decide.dataset(one["subject"], given))
    if as_json:
        typer.echo(json.dumps({"revoked": reference, "element": element}))
    else:
        typer.echo(f"decision {reference} ended. Next: eco cycle {element}, or the next run does it")


@app.command()
def disagree(
    name: Annotated[str, typer.Argument(metavar="DATASET")],
    first: Annotated[str, typer.Option("--from", help=_decide.PERIOD)],
    cause: Annotated[
        str, typer.Option(help="Why computed and reported values differ; shown beside the data.")
    ],
    by: Annotated[str, typer.Option(help="Who found the cause.")],
    until: Annotated[str, typer.Option(help="Until when it is known: an ISO date or moment.")],
    last: Annotated[str | None, typer.Option("--to", help="The last period, included.")] = None,
    site: Annotated[str | None, typer.Option(help="Only rows of this site.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="COLUMN=VALUE of the key; may be repeated.")] = None,
    document: Annotated[str | None, typer.Option(help="What it rests on.")] = None,
    as_json: Json = False,
) -> None:
    """Write down a known disagreement with reported values: these rows no longer block, and the cause is shown."""
    from ecowarehouse.decisions import datasets
    from ecowarehouse.postgres.connection import connect

    given = _decide.settings()
    dataset = _decide.dataset(name, given)
    with connect("eco_steward", application="disagree") as conn:
        written = datasets.disagree(
            conn, dataset, periods=_decide.periods(first, last, given.timezone), cause=cause, by=by,
            until=_decide.moment(until, given.timezone), document=document,
            rows=datasets.row_scope(dataset, site, where or ()),
        )  # fmt: skip
    _decide.tell(written, dataset.element, as_json)


@app.command()
def left(
    names: Annotated[list[str], typer.Argument(metavar="DATASET...", help="Datasets of one element.")],
    site: Annotated[str, typer.Option(help="The site's code, as the datasets have it.")],
    first: Annotated[str, typer.Option("--from", help=f"The first period without it: {_decide.PERIOD}")],
    reason: Annotated[str, typer.Option(help="Why it is no longer there; shown beside the data.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
    last: Annotated[
        str, typer.Option("--to", help="The last period without it; for good if not given.")
    ] = FOR_GOOD,
    document: Annotated[str | None, typer.Option(help="What it rests on.")] = None,
    as_json: Json = False,
) -> None:
    """Write down that a site has left: the gate no longer expects it. What it reported stays."""
    from ecowarehouse.decisions import datasets
    from ecowarehouse.postgres.connection import connect

    given = _decide.settings()
    chosen = [_decide.dataset(name, given) for name in dict.fromkeys(names)]
    with connect("eco_steward", application="left") as conn:
        written = datasets.depart(
            conn, chosen, site=site, periods=_decide.periods(first, last, given.timezone), reason=reason, by=by,
            document=document, zone=given.timezone,
        )  # fmt: skip
    _decide.tell(", ".join(map(str, written)), chosen[0].element, as_json)
