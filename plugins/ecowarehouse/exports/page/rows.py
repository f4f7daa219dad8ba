"""Rows read back from the files of a standing version, every cell as the CSV has it.

The page is made from files, not from the database: what is not in a file cannot be on the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ecowarehouse.exports import manifest
from ecowarehouse.exports.manifest import Made

Row = dict[str, str | None]
_BLOCK: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest version of a dataset on the disk."""

    folder: Path
    descriptor: dict[str, Any]

    @property
    def version(self) -> str:
        """`v000012`."""
        return str(self.descriptor["version"])

    @property
    def period_to(self) -> datetime:
        """The dataset's own clock: the end of its newest period."""
        return datetime.fromisoformat(self.descriptor["period_to"])

    def rows(
        self, wanted: Sequence[str], since: datetime, until: datetime, chosen: Callable[[Row], bool]
    ) -> Iterable[Row]:
        """Rows of the parts that reach into [since, until), with those wanted columns that the version has."""
        there = set(manifest.columns(self.folder, self.descriptor))
        columns = [name for name in wanted if name in there]
        for part in manifest.parts_of(self.descriptor):
            if _reaches(part, since, until):
                yield from _read(self.folder / part.csv.path, columns, chosen)


def standing(folder: Path) -> Standing | None:
    """The version that `latest.json` names; None without one, or when it has no rows."""
    found = manifest.latest(folder)
    return Standing(folder, found) if found is not None and found["rows"] else None


def _reaches(part: Made, since: datetime, until: datetime) -> bool:
    begins, ends = (datetime.fromisoformat(part.facts[name]) for name in ("period_from", "period_to"))
    return begins < until and ends > since


def _read(path: Path, columns: Sequence[str], chosen: Callable[[Row], bool]) -> Iterable[Row]:
    import pyarrow as pa
    from pyarrow import csv as reader

    # As text, because a number on the page is the number in the file, to the last zero.
    types = {name: pa.string() for name in columns}
    with pa.CompressedInputStream(pa.OSFile(str(path)), "gzip") as stream:
        for batch in reader.open_csv(
            stream,
            read_options=reader.ReadOptions(block_size=_BLOCK, use_threads=False),
            parse_options=reader.ParseOptions(newlines_in_values=True),
            convert_options=reader.ConvertOptions(
                column_types=types,
                include_columns=list(columns),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        ):
            yield from (row for row in batch.to_pylist() if chosen(row))
