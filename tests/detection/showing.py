"""A feed with planted faults as files: what its source shows at each pull, with the moment in the file's name."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from simulation.city.delivery.faults import Faults, plant
from simulation.city.delivery.feed import Draft, Feed, local, number, place
from simulation.city.window import CHINA, HOUR

EVERY = timedelta(hours=4)
# A reader with a cursor asks again for what changed shortly before: so copies come beside the row that they copy.
LOOK_BACK = timedelta(hours=16)
# Late batches and corrections of the last days come in pulls after the end, one a day.
AFTERWARDS = 12


@dataclass(frozen=True)
class Case:
    """One feed to be detected in: the contract that reads it, and the days [since, until) that are scored."""

    name: str
    contract: str
    feed: Feed
    since: datetime
    until: datetime
    seed: int

    @property
    def pulls(self) -> list[datetime]:
        """Moments at which the source is asked."""
        regular = range(
            1, int((self.until - self.since) / EVERY) + 2
        )  # one more: the last hour comes after its end
        return [self.since + EVERY * number for number in regular] + [
            self.until + timedelta(days=day) for day in range(1, AFTERWARDS + 1)
        ]


def case_of(
    name: str, contract: str, draft: Draft, days: int, seed: int, faults: Faults | None = None
) -> Case:
    """Plant faults in a clean feed of these days; its columns become those that the contract reads."""
    columns = (
        place("code"),
        local("time", form="%Y-%m-%d %H:%M"),
        *(number(p.name, p.name) for p in draft.properties),
    )
    plants = plant(faults or Faults(), draft.name, draft.clean, draft.properties, draft.step, seed, days)
    first = datetime.fromtimestamp(int(draft.clean.time[0]), CHINA)
    shown = Feed(dataclasses.replace(draft, columns=columns), plants)
    assert draft.step == HOUR
    return Case(name, contract, shown, first, first + timedelta(days=days), seed)


def write_pulls(case: Case, folder: Path) -> list[Path]:
    """One file a pull that has something new to show, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for moment in case.pulls:
        rows = case.feed.rows(case.since, case.until, moment, moment - _back(case, moment))
        if len(rows):
            paths.append(write(rows, folder / f"pull_{moment:%Y%m%d%H%M}.csv"))
    return paths


def _back(case: Case, moment: datetime) -> timedelta:
    return LOOK_BACK if moment <= case.until + EVERY else timedelta(days=1) + LOOK_BACK


def write(rows: pa.Table, path: Path) -> Path:
    """Delimited text as the contracts read it; what is null is an empty cell."""
    pa_csv.write_csv(rows, path, pa_csv.WriteOptions(quoting_style="none"))
    return path


def chunks(paths: Sequence[Path], count: int) -> list[Sequence[Path]]:
    """The same files in so many parts, in order."""
    size = -(-len(paths) // count)
    return [paths[first : first + size] for first in range(0, len(paths), size)]
