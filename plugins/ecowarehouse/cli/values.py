"""What people decide about values: `eco review FEED`, `eco correct FEED`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecowarehouse.cli import _decide

COMMANDS = {
    "review": "A person looked at values: how far the review went, and whether they are valid",
    "correct": "Another value holds for one cell of an own feed; what came in stays beside it",
}

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Document = Annotated[str | None, typer.Option(help="What it rests on: number of the record.")]
By = Annotated[str, typer.Option(help="Who decides.")]
Department = Annotated[
    str | None, typer.Option(help="For which department, by duties.csv; the one that runs the house without.")
]


def register(app: typer.Typer) -> None:
    """Add the commands at top level."""
    app.command("review")(review)
    app.command("correct")(correct)


def review(
    feed: str,
    site: Annotated[str, typer.Option(help="Code of the site.")],
    first: Annotated[str, typer.Option("--from", help=_decide.PERIOD)],
    stage: Annotated[str, typer.Option(help="raw, auto_checked, first_review, second_review or final.")],
    validity: Annotated[str, typer.Option(help="valid, invalid or not_judged.")],
    reason: Annotated[str, typer.Option(help="Of invalid: a word of vocabulary.invalid_reason[: more].")],
    by: By,
    department: Department = None,
    last: Annotated[str | None, typer.Option("--to", help="The last period, included.")] = None,
    channel: Annotated[str | None, typer.Option(help="One channel; all without.")] = None,
    prop: Annotated[str | None, typer.Option("--property", help="All channels of a property.")] = None,
    document: Document = None,
    as_json: Json = False,
) -> None:
    """Record a review of a site's values; the next run takes it up, and no later one undoes it."""
    from ecowarehouse.decisions import ownership
    from ecowarehouse.decisions.reviews import review as record_review
    from ecowarehouse.postgres.connection import connect

    given = _decide.settings()
    contract = _decide.contract(feed, given)
    by = f"{by} ({ownership.require_duty(given, contract, department)})"
    meant = _decide.periods(first, last, given.timezone)
    with connect("eco_steward", application="review") as conn:
        written = record_review(
            conn, contract, site=site, periods=meant, stage=stage, validity=validity, reason=reason, by=by,
            document=document, channel=channel, prop=prop,
        )  # fmt: skip
    _decide.tell(", ".join(map(str, written)), contract.element, as_json)


def correct(
    feed: str,
    site: Annotated[str, typer.Option(help="Code of the site.")],
    channel: Annotated[str, typer.Option(help="Column of the feed.")],
    at: Annotated[str, typer.Option(help=f"The period: {_decide.PERIOD}")],
    value: Annotated[str, typer.Option(help="What holds instead, in the channel's unit.")],
    reason: Annotated[str, typer.Option(help="Why; shown beside the data.")],
    by: By,
    department: Department = None,
    document: Document = None,
    as_json: Json = False,
) -> None:
    """Record another value for one cell. National feeds can't be corrected here, only received again."""
    from ecowarehouse.decisions import corrections, ownership
    from ecowarehouse.postgres.connection import connect

    given = _decide.settings()
    contract = _decide.contract(feed, given)
    by = f"{by} ({ownership.require_duty(given, contract, department)})"
    period = _decide.periods(at, None, given.timezone)
    with connect("eco_steward", application="correct") as conn:
        written = corrections.correct(
            conn, given, contract, site=site, channel=channel, period=period, value=value, reason=reason, by=by,
            document=document,
        )  # fmt: skip
    _decide.tell(written, contract.element, as_json)
