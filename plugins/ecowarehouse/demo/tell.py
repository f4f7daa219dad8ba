"""What the demo prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.table import Table

from ecowarehouse.demo.figures import Figures
from ecowarehouse.demo.source import Pull
from ecowarehouse.services import config
from ecowarehouse.settings import Settings

if TYPE_CHECKING:
    from ecowarehouse.demo.run import Result

_COLUMNS: Final = ("loaded", "rejected", "revised", "flagged", "gated", "blocked", "released")


def step(console: Console, text: str) -> None:
    """One line of the preparation."""
    console.print(f"[green]✓[/green] {text}", highlight=False, soft_wrap=True)


def pull(console: Console, found: Pull, line: Figures) -> None:
    """One line a pull."""
    took = f"{line.seconds:.1f} s to release" if line.seconds else "nothing released"
    words = f"{line.loaded:,} rows, {line.versions:,} versions ({line.revised:,} revised), {line.released:,} released"
    step(console, f"{found.description}: {words}; {took}")


def end(console: Console, settings: Settings, result: Result) -> None:
    """The table, and where to look."""
    if result.before == result.after:
        console.print(f"\n[bold]nothing new[/bold]: data before and after are the same ({result.after})")
    else:
        console.print(_table(result))
    console.print(
        f"\n{result.seconds:.0f} s in all; services held at most {result.memory_mb} MB\n", highlight=False
    )
    for line in _where(settings, result):
        console.print(line, highlight=False, soft_wrap=True)


def _table(result: Result) -> Table:
    # No figure may be cut off in a terminal of 80 columns.
    table = Table(
        title="By the ledger: rows; gated and blocked are periods",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("pull", no_wrap=True)
    for name in (*_COLUMNS, "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    numbered = [(str(number), line) for number, (_, line) in enumerate(result.pulls, start=1)]
    for number, line in [*numbered, ("all", result.total)]:
        cells = [f"{getattr(line, name):,}" for name in _COLUMNS]
        table.add_row(number, *cells, f"{line.seconds:.1f}" if line.seconds else "")
    return table


def _where(settings: Settings, result: Result) -> list[str]:
    dictionary = settings.project_root / "docs" / "dictionary" / "README.md"
    lines = [
        f"Airflow         {result.url}  login {config.LOGIN}, password {config.PASSWORD} in {settings.secrets_file}",
        f"public page     python3 -m http.server -d {settings.exports / 'open'} 8000, then http://127.0.0.1:8000/portal/",
        f"gate reports    {settings.gate_reports}",
    ]
    lines += [f"data dictionary {dictionary}"] if dictionary.exists() else []
    example = "select * from shared.air_station_hour order by period_start desc limit 5"
    lines.append(f'query           eco query "{example}"')
    if result.midway is not None:
        hours = "select count(*), max(period_start) from air.station_hour"
        lines.append(f'as it was       eco query "{hours}" --as-of {result.midway.isoformat()}')
    lines += [
        'the ledger      eco query "select * from governance.attempt order by started_at desc limit 10"',
        "to stop it all  make down",
    ]
    return lines
