"""`make bench`: ratios measured in one run on one machine, each with what it is compared to and its target.

    python tests/bench/run.py                          all of it, 5 million observations (some 20 minutes)
    python tests/bench/run.py --observations 200000 --days 3 30      a small one
    python tests/bench/run.py --parts load peers       some of it

Exit code 1 when a target is missed. The figures are also written to ECO_HOME/bench.json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # instead of this folder, whose names are common ones

from rich.console import Console  # noqa: E402

from ecowarehouse.settings import Settings  # noqa: E402
from tests.bench import cycle, demo, history, load, peers, query  # noqa: E402
from tests.bench.house import House, house  # noqa: E402
from tests.bench.report import Report  # noqa: E402

PARTS = ("load", "peers", "cycle", "airflow", "history", "query")


def main() -> int:
    """Measure what was asked for, print it, write it down."""
    options = _options()
    console = Console(width=150)
    into = Settings.load().home / "bench.json"
    report = Report(about={"asked": vars(options)})
    with house() as made:
        _measure(made, report, options, console)
    if options.demo_home:
        demo.read(report, options.demo_home)
    report.show(console)
    report.write(into)
    console.print(f"written to {into}")
    for line in report.missed:
        console.print(
            f"missed: {line.what}: {line.figure:.3g} instead of at most {line.at_most:g} {line.unit}"
        )
    return 1 if report.missed else 0


def _measure(made: House, report: Report, options: argparse.Namespace, console: Console) -> None:
    parts = set(options.parts)
    short, long = options.days
    if parts & {"load", "peers"}:
        console.print("load ...")
        done = load.run(made, report, options.observations, options.rounds)
        if "peers" in parts:
            console.print("peers ...")
            peers.run(made, report, done)
    if "cycle" in parts:
        console.print("cycle ...")
        cycle.run(made, report)
    if "airflow" in parts:
        console.print("airflow ...")
        demo.run_one(made, report)
    if parts & {"history", "query"}:
        console.print("history ...")
        history.run(made, report, short, long)
    if "query" in parts:
        console.print("query ...")
        query.run(made, report, long)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--observations", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--days", type=int, nargs=2, default=(30, 300), metavar=("SHORT", "LONG"))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--demo-home", type=Path, help="ECO_HOME of a demo, for hours by the real scheduler")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
