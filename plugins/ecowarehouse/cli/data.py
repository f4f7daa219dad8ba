"""The main job by hand: load, build, cycle, query, recompute."""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract
    from ecowarehouse.cycle import CycleRun
    from ecowarehouse.marts import BuildResult
    from ecowarehouse.pipeline import FeedRun
    from ecowarehouse.query import Answer
    from ecowarehouse.settings import Settings

COMMANDS = {
    "load": "One feed now, from its system or from given files, into landing and core",
    "build": "`build core FEED`: core of a feed · `build [ELEMENT...]`: candidates of elements",
    "cycle": "All of it once, in one process: feeds, core, candidates, gate, release, files",
    "query": "One read-only SELECT: --as-of a moment, --judge-by an edition, in a --role",
    "fsck": "Compare ledger, kept bytes and landed rows; changes nothing",
    "recompute": "--check: work core and marts out again in full and compare with what stands",
}

Json = Annotated[bool, typer.Option("--json", help="print JSON for programs")]


def register(app: typer.Typer) -> None:
    """Add the commands at top level."""
    app.command("load")(load)
    app.command("build")(build)
    app.command("cycle")(cycle)
    app.command("query")(query)
    app.command("recompute")(recompute)
    app.command("fsck")(fsck)


def load(
    feed: str,
    paths: Annotated[list[str] | None, typer.Argument(help="files; without, the feed's own system")] = None,
    known_at: Annotated[
        str | None, typer.Option(help="when the source said so, ISO 8601 with offset")
    ] = None,
    as_json: Json = False,
) -> None:
    """One feed now: fetched or from files, landed, and taken up into core."""
    from ecowarehouse.pipeline import run_feed
    from ecowarehouse.postgres.connection import connect

    settings = _settings()
    contract = _contract(settings, feed)
    with connect(application=f"load {feed}") as conn:
        run = run_feed(conn, settings, contract, paths=paths or (), known_at=_moment(known_at, "--known-at"))
    _print_feeds([run], as_json)
    for batch in run.batches if paths else ():
        if batch.usable and batch.known_at_from == "receipt":
            print(
                f"eco: {batch.source} bears no time that the contract knows, so it counts as known just now: newer than"
                f" all else of {feed}, whose earlier periods are closed. If that is not so, load it again with"
                " --known-at TIME",
                file=sys.stderr,
            )
    if any(not batch.usable for batch in run.batches):
        raise typer.Exit(1)


def build(
    what: Annotated[list[str] | None, typer.Argument(help="`core FEED`, or elements; all without")] = None,
    as_json: Json = False,
) -> None:
    """Core of a feed, or candidates of elements. Nothing becomes readable: that is `eco gate` and `eco publish`."""
    from ecowarehouse import core, marts
    from ecowarehouse.elements import choose
    from ecowarehouse.postgres.connection import connect

    settings = _settings()
    names = what or []
    with connect(application="build") as conn:
        if names[:1] == ["core"]:
            if len(names) != 2:
                raise typer.BadParameter("write `eco build core FEED`")
            _emit(asdict(core.build(conn, _contract(settings, names[1]))), as_json)
            return
        choice = choose(settings, names)
        for element in choice.elements:
            result = marts.build(conn, element, settings=settings)
            told = {"message": result.told.model_dump()} if as_json and result.told else {}
            _emit({"element": element, "build": result.build_id, "outcome": result.outcome} | told, as_json)
            _print_told(result, as_json)
    choice.raise_for_broken()


def cycle(
    elements: Annotated[list[str] | None, typer.Argument(help="elements; all without")] = None,
    as_json: Json = False,
) -> None:
    """All of it once. Exit code 1: a broken contract, a failed step, a lost delivery or a blocked period."""
    from ecowarehouse.cycle import run
    from ecowarehouse.postgres.connection import connect

    with connect(application="cycle") as conn:
        done = run(conn, _settings(), elements or ())
    _print_feeds(done.feeds, as_json)
    _print_elements(done, as_json)
    _print_exports(done, as_json)
    if done.problems:
        raise ExceptionGroup("the cycle is not complete", done.problems)
    lost = any(not batch.usable for feed in done.feeds for batch in feed.batches)
    blocked = any(one.gate is not None and one.gate.blocked for one in done.elements)
    if lost or blocked:
        raise typer.Exit(1)


def query(
    question: Annotated[str, typer.Argument(metavar="SQL", help="one SELECT; `-` reads standard input")],
    as_of: Annotated[str | None, typer.Option(help="what was known then: known_at not after it")] = None,
    judge_by: Annotated[str | None, typer.Option(help="another edition, such as 'HJ 633-2026'")] = None,
    role: Annotated[str | None, typer.Option(help="ask in this role (default: eco_engineer)")] = None,
    form: Annotated[str, typer.Option("--format", help="table, csv or json")] = "table",
) -> None:
    """Ask the warehouse. With --as-of, `air.station_hour` answers with what was known at that moment."""
    from ecowarehouse.query import run

    if form not in ("table", "csv", "json"):
        raise typer.BadParameter("--format is table, csv or json")
    text = sys.stdin.read() if question == "-" else question
    answer = run(text, as_of=_moment(as_of, "--as-of"), judge_by=judge_by, role=role)
    if form == "json":
        print(answer.as_json())
    elif form == "csv":
        print(answer.as_csv(), end="")
    else:
        _print_answer(answer)


def recompute(
    elements: Annotated[list[str] | None, typer.Argument(help="elements; all without")] = None,
    check: Annotated[bool, typer.Option("--check", help="compare and change nothing")] = False,
    as_json: Json = False,
) -> None:
    """Work core (from landing) and marts (from core) out again and compare. Exit code 1 when anything differs."""
    from ecowarehouse import marts
    from ecowarehouse.core import recompute as core_recompute
    from ecowarehouse.decisions import corrections
    from ecowarehouse.elements import choose
    from ecowarehouse.postgres.connection import connect

    if not check:
        raise typer.BadParameter(
            "only --check stands: `eco build` mends marts; core that differs was changed by hand, or its contract was"
        )
    settings = _settings()
    differences: list[Any] = []
    with connect(application="recompute") as conn:
        choice = choose(settings, elements or ())
        for contract in choice.contracts:
            differences += core_recompute.check(conn, contract)
            differences += corrections.check(conn, contract.feed)
        for element in choice.elements:
            differences += marts.recompute_check(conn, element, settings=settings)
    for difference in differences:
        _emit(asdict(difference), as_json)
    choice.raise_for_broken()
    if differences:
        raise typer.Exit(1)
    _emit({"differences": 0}, as_json)


def fsck(as_json: Json = False) -> None:
    """Does what the ledger says stand on disk and in the tables? Exit code 1 and the mend of each fault if not."""
    from ecowarehouse.elements import choose
    from ecowarehouse.fsck import check
    from ecowarehouse.postgres.connection import connect

    settings = _settings()
    choice = choose(settings)
    with connect("eco_engineer", application="fsck") as conn:
        faults = check(conn, settings.bytes_store, choice.contracts)
    for fault in faults:
        if as_json:
            _emit(asdict(fault), True)
        else:
            print(f"{fault.subject}: {fault.finding}. Mend: {fault.mend}")
    choice.raise_for_broken()
    if faults:
        raise typer.Exit(1)
    _emit({"faults": 0}, as_json)


def _settings() -> Settings:
    from ecowarehouse.settings import Settings

    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    return Settings.load()


def _contract(settings: Settings, feed: str) -> Contract:
    from ecowarehouse.contracts import load_contracts

    try:
        return load_contracts(settings.city)[feed]
    except KeyError as error:
        raise typer.BadParameter(str(error.args[0])) from error


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{option}: {text!r} is no ISO 8601 time such as 2019-07-18T14:26+08:00"
        ) from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{option}: say which clock: {text}+08:00 for Beijing, or another offset")
    return moment


def _emit(row: dict[str, Any], as_json: bool) -> None:
    import json

    if as_json:
        print(json.dumps(row, default=str, ensure_ascii=False))
    else:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


def _print_feeds(runs: list[FeedRun], as_json: bool) -> None:
    for run in runs:
        if as_json:
            _emit(
                {
                    "feed": run.feed,
                    "batches": [asdict(b) for b in run.batches],
                    "core": asdict(run.core),
                    "seconds": run.seconds,
                },
                True,
            )
            continue
        for batch in run.batches:
            why = f" ({batch.reason}{': ' + batch.error if batch.error else ''})" if batch.reason else ""
            known = batch.known_at.isoformat(timespec="minutes") if batch.known_at else "-"
            print(
                f"{run.feed}  batch {batch.batch_id}  {batch.outcome}{why}  known {known}  {batch.rows} rows  "
                f"{batch.rejects} rejects  from {Path(batch.source).name or batch.source}"
            )
        core = run.core
        print(
            f"{run.feed}  core: {core.versions} versions ({core.revised} revised, {core.retired} retired), "
            f"{core.flags} flags, {core.sites} sites  "
            + "  ".join(f"{name} {seconds:.2f} s" for name, seconds in run.seconds.items())
        )
        if core.unconfirmed:
            print(f"{run.feed}  {core.unconfirmed}")


def _print_elements(done: CycleRun, as_json: bool) -> None:
    for one in done.elements:
        gate = one.gate.summary() if one.gate is not None else None
        release = one.release.summary() if one.release is not None else None
        if as_json:
            row = {"element": one.element, "build": one.build.build_id, "outcome": one.build.outcome}
            _emit(row | {"gate": gate, "release": release, "seconds": one.seconds}, True)
            continue
        seconds = ", ".join(f"{name} {spent:.2f} s" for name, spent in one.seconds.items())
        print(f"{one.element}  build {one.build.build_id or '-'} {one.build.outcome}  ({seconds})")
        _print_told(one.build, as_json)
        for dataset, verdicts in sorted(gate["verdicts"].items()) if gate else ():
            came = release["inserted"].get(dataset, 0) if release else 0
            gone = release["closed"].get(dataset, 0) if release else 0
            said = ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items()))
            print(f"  {dataset}: {said}; released {came} rows, {gone} no longer hold")
        for blocked in one.gate.blocked if one.gate is not None else ():
            print(f"  blocked: {blocked.dataset} {blocked.period_start:%Y-%m-%d %H:%M}: {blocked.reason}")


def _print_told(build: BuildResult, as_json: bool) -> None:
    if build.told and not as_json:
        print(f"  {build.told.zh} · {build.told.en}")


def _print_exports(done: CycleRun, as_json: bool) -> None:
    for one in done.exports:
        if as_json:
            _emit(one.summary(), True)
            continue
        new = sum(written.parts for written in one.written.values())
        print(f"files  {one.face}: {one.outcome}, {new} parts written  ({one.seconds:.2f} s)  {one.folder}")


def _print_answer(answer: Answer) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*answer.columns, header_style="bold")
    for row in answer.rows:
        table.add_row(*["" if cell is None else str(cell) for cell in row])
    Console().print(table)
    print(f"{len(answer.rows)} rows")
