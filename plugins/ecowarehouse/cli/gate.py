"""Judge candidates by period: `eco gate [ELEMENT...]`, `eco gate waive DATASET`, `eco gate show`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from typer.core import TyperGroup

EXIT_BLOCKED = 3
# Of a period whose judgement gives no reason.
_SAID = {
    "open": "released as far as it goes; values of it may still come",
    "waiting": "passed, and not published yet: eco publish",
    "blocked": "",
}

Json = Annotated[bool, typer.Option("--json", help="For programs.")]


class _ElementsOrCommand(TyperGroup):
    """`eco gate air` judges; only `waive`, `show` and options of help are something else."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command before anything that isn't a command."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["judge", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_ElementsOrCommand)


@app.command()
def judge(
    elements: Annotated[list[str] | None, typer.Argument(help="All elements if none is given.")] = None,
    as_json: Json = False,
) -> None:
    """Judge the newest build of these elements; exit code 3 if a period is blocked."""
    from ecowarehouse.gate import judge_elements
    from ecowarehouse.postgres.connection import connect

    with connect(application="gate") as conn:
        results = judge_elements(conn, elements or ())
    if as_json:
        typer.echo(json.dumps([result.summary() for result in results], ensure_ascii=False))
    for result in results if not as_json else ():
        typer.echo(f"{result.element}: build {result.build_id}, {result.outcome}, {result.judged} periods")
        for dataset, counts in sorted(result.counts.items()):
            typer.echo(f"  {dataset}: " + ", ".join(f"{n} {word}" for word, n in sorted(counts.items())))
        for blocked in result.blocked[:10]:
            typer.echo(f"  blocked {blocked.dataset} {blocked.period_start.isoformat()}: {blocked.reason}")
    if not results and not as_json:
        typer.echo("nothing was built yet")
    if any(result.blocked for result in results):
        raise typer.Exit(EXIT_BLOCKED)


@app.command()
def waive(
    dataset: str,
    period: Annotated[str, typer.Option(help="2019, 2019-07, 2019-07-18, 2019-07-18T08, or FROM/TO.")],
    expectation: Annotated[str, typer.Option(help="The critical expectation that failed.")],
    reason: Annotated[str, typer.Option(help="Why the data are published all the same; shown beside them.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
    until: Annotated[str, typer.Option(help="Until when the decision holds: an ISO date or moment.")],
) -> None:
    """Decide, by name, to publish in spite of one failed expectation; the next gate takes it up."""
    from ecowarehouse import gate
    from ecowarehouse.gate.waivers import parse_period
    from ecowarehouse.postgres.connection import connect

    setup = gate.Setup.load()
    period_from, period_to = parse_period(period, setup.zone)
    with connect(application="waive") as conn:
        waiver = gate.waive(
            conn, dataset, period_from=period_from, period_to=period_to, expectation=expectation,
            reason=reason, by=by, until=_moment(until, setup.zone), setup=setup,
        )  # fmt: skip
    typer.echo(f"decision {waiver} recorded. Next: eco gate {dataset.split('.', maxsplit=1)[0]}")


@app.command()
def show(
    dataset: Annotated[str | None, typer.Argument(help="All datasets if none is given.")] = None,
    as_json: Json = False,
) -> None:
    """Periods that are not finally released, with the reason."""
    from ecowarehouse.gate.store import unresolved_verdicts
    from ecowarehouse.postgres.connection import connect

    with connect("eco_gate", application="gate show") as conn:
        rows = unresolved_verdicts(conn, dataset)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for row in rows:
        reason = row["reason"] or _SAID[row["state"]]
        typer.echo(f"{row['state']:8} {row['dataset']} {row['period_start'].isoformat()}  {reason}")
    typer.echo(f"{len(rows)} periods are not finally released")


def _moment(text: str, zone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no ISO date or moment", param_hint="--until") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
