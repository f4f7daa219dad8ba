"""The table that a bench prints, and the same as JSON."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Line:
    """One figure; without `at_most` it is there to be read, and can't be missed."""

    what: str
    figure: float
    unit: str
    compared_to: str
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Whether the target is met, if there is one."""
        return self.at_most is None or self.figure <= self.at_most


@dataclass
class Report:
    """All lines of a run, and its breakdowns: tables of seconds by part."""

    lines: list[Line] = field(default_factory=list)
    parts: dict[str, dict[str, float]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def add(
        self, what: str, figure: float, unit: str, compared_to: str, at_most: float | None = None
    ) -> None:
        """One more line."""
        self.lines.append(Line(what, figure, unit, compared_to, at_most))
        print(f"{what}: {figure:.3g} {unit} ({compared_to})", flush=True)

    @property
    def missed(self) -> list[Line]:
        """Lines whose target is missed."""
        return [line for line in self.lines if not line.met]

    def show(self, console: Console) -> None:
        """Print it."""
        for title, seconds in self.parts.items():
            table = Table("part", "s", min_width=100, title=title, title_justify="left")
            for name, value in seconds.items():
                table.add_row(name, f"{value:.2f}")
            console.print(table)
        table = Table("what", "measured", "compared to", "target", "", title="bench", title_justify="left")
        for line in self.lines:
            target = "" if line.at_most is None else f"≤ {line.at_most:g} {line.unit}"
            verdict = "" if line.at_most is None else ("met" if line.met else "MISSED")
            table.add_row(line.what, f"{line.figure:.3g} {line.unit}", line.compared_to, target, verdict)
        console.print(table)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [asdict(line) | {"met": line.met} for line in self.lines]
        content = {
            "at": datetime.now(UTC),
            "machine": _machine(),
            **self.about,
            "lines": lines,
            "parts": self.parts,
        }
        path.write_text(json.dumps(content, default=str, ensure_ascii=False, indent=1) + "\n")


def _machine() -> dict[str, Any]:
    return {
        "processors": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average": psutil.getloadavg(),
        "python": platform.python_version(),
    }
