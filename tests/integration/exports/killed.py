"""A process that exports and is killed by its own hand: `python -m tests.integration.exports.killed OUT PLACE NUMBER`.

PLACE is `copy` (in the middle of a part's CSV), `parquet` (its Parquet half written) or `name` (before the file's
NUMBERth name is given).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from ecowarehouse import exports
from ecowarehouse.exports import files, tables
from ecowarehouse.postgres.connection import connect


class _Deadly:
    """Wraps a function and kills this process at its NUMBERth call: before it, or when its file is half written."""

    def __init__(self, original: Any, number: int, half_of: int | None = None) -> None:
        self.original, self.left, self.half_of = original, number, half_of

    def __call__(self, *arguments: Any) -> None:
        self.left -= 1
        if self.left == 0 and self.half_of is None:
            os.kill(os.getpid(), signal.SIGKILL)
        self.original(*arguments)
        if self.left == 0 and self.half_of is not None:
            path = arguments[self.half_of]
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)


def main(out: str, place: str, number: int) -> None:
    """Export until the kill."""
    if place == "copy":
        tables.write_csv = _Deadly(tables.write_csv, number, half_of=2)
    elif place == "parquet":
        tables.write_parquet = _Deadly(tables.write_parquet, number, half_of=5)
    else:
        files._settle = _Deadly(files._settle, number)
    with connect(application="to be killed") as conn:
        exports.export(conn, out=Path(out))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
