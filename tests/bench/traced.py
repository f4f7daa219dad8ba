"""`eco ...` with a clock in it: `traced.py SECONDS.json load FEED FILE ...` writes the seconds of each part.

The clocks stand around whole functions and statements, some dozens of them, so they cost nothing that could be seen.
A part's seconds are its own: those of a part inside it are not counted twice.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

# module, function, name of the part
_FUNCTIONS = (
    ("ecowarehouse.landing.store", "keep", "bytes kept: hash, copy, fsync"),
    ("ecowarehouse.landing.load", "_read", "parse"),
    ("ecowarehouse.landing.load", "check", "check"),
    ("ecowarehouse.landing.table", "copy_rows", "landing: sort and COPY"),
    ("ecowarehouse.landing.table", "_count", "landing: analyze"),
    ("ecowarehouse.core.build", "_prepare", "core: partitions and series"),
    ("ecowarehouse.core.build", "_take_up", "core: versions"),
    ("ecowarehouse.core.sites", "take_up", "core: sites"),
    ("ecowarehouse.core.flags", "judge", "core: flags"),
    ("ecowarehouse.core.build", "_note_changes", "core: changes noted"),
)


class Clock:
    """Seconds by part; parts may stand within each other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inside: list[float] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the body for a part."""
        self._inside.append(0.0)
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            within = self._inside.pop()
            self.seconds[name] = self.seconds.get(name, 0.0) + spent - within
            if self._inside:
                self._inside[-1] += spent

    def around(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The function with this clock around it."""

        @functools.wraps(function)
        def clocked(*arguments: Any, **named: Any) -> Any:
            with self.part(name):
                return function(*arguments, **named)

        return clocked


def main() -> None:
    """Run `eco` with the clocks set."""
    into = Path(sys.argv[1])
    sys.argv = ["eco", *sys.argv[2:]]
    from ecowarehouse import pipeline
    from ecowarehouse.cli.app import app

    clock = Clock()
    for module, function, name in _FUNCTIONS:
        place = import_module(module)
        setattr(place, function, clock.around(getattr(place, function), name))
    whole = Clock()
    pipeline.run_feed = whole.around(pipeline.run_feed, "in all")
    try:
        app(standalone_mode=False)
    finally:
        into.write_text(json.dumps(clock.seconds | whole.seconds))


if __name__ == "__main__":
    main()
