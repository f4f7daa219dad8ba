"""What the house says of a case, compared with what was planted in it.

A planted thing is hit when at least half of its hours that the source showed are flagged. Precision counts runs
of flagged hours of a series (hours that follow each other): a run is right when it touches a planted thing of its
kind at the same site and property. A run on nothing planted, on a pollution event or a decoy, and on a plant of
another kind, is wrong; the last are counted apart too, for something was wrong there. Gaps are compared by site,
channel and day with the books of completeness: right is what both say is missing, hit is a gap on whose days both
say the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from simulation.city.delivery.truth import Plant
from simulation.city.window import CHINA_OFFSET, DAY, HOUR, moment
from tests.detection.showing import Case

Cell = tuple[str, str, int]  # site, property (empty: the row), start of the period in seconds
Cells = set[Cell]

KINDS = (
    "gap", "late_batch", "duplicate", "sentinel", "unit_error", "correction", "spike", "flat_line", "drift",
)  # fmt: skip
# Units that lie this far apart can be told by the level; ppb for ug/m3 (a half) cannot.
_FAR = 50
FAR_UNITS = "unit_error >= 50x"
_OF_VALUES = ("unit_error", "correction", "sentinel", "flat_line", "drift", "spike", "falsified")

_FLAGGED = """
select series.site_code, series.channel, extract(epoch from f.period_start)::bigint
from core.quality_flag as f inner join core.series as series using (series_id)
where series.feed = %(feed)s and f.test = any(%(tests)s) and f.flag in (3, 4)
"""
TESTS = {
    "unit_error": ["unit_error"], "spike": ["lone_spike", "spike"], "flat_line": ["flat_run", "flat_line"],
    "drift": ["drift"],
}  # fmt: skip
_BY_BOOKS = {
    "sentinel": """
        select series.site_code, series.channel, extract(epoch from o.period_start)::bigint
        from core.observation as o inner join core.series as series using (series_id)
        where series.feed = %(feed)s and o.value is null and o.source_mark <> ''""",
    "correction": """
        select series.site_code, series.channel, extract(epoch from o.period_start)::bigint
        from core.observation as o inner join core.series as series using (series_id)
        where series.feed = %(feed)s and o.value is not null
        group by 1, 2, 3 having count(*) > 1""",
    "late_batch": """
        select series.site_code, '', extract(epoch from o.period_start)::bigint
        from core.observation as o
        inner join core.series as series using (series_id)
        inner join core.feed as feed on feed.feed = series.feed
        where series.feed = %(feed)s and o.value is not null
        group by 1, 3 having min(o.known_at - o.period_start - feed.averaging - feed.lateness) > interval '0'""",
    "duplicate": """
        select distinct site_code, '', extract(epoch from period_start)::bigint
        from governance.cell_reject where feed = %(feed)s and reason = 'duplicate_row'""",
}
_BOOKS = """
select site_code, channel, (extract(epoch from day::timestamp) - %(offset)s)::bigint,
    source_missing_count + platform_missing_count
from governance.completeness_day where feed = %(feed)s and source_missing_count + platform_missing_count > 0
"""


@dataclass(frozen=True)
class Score:
    """One kind in one case, or several added up; `on_others` of the `flagged` runs lie on plants of another kind."""

    planted: int = 0
    hit: int = 0
    flagged: int = 0
    right: int = 0
    on_others: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, n) + getattr(other, n) for n in self.__dataclass_fields__))

    @property
    def recall(self) -> float | None:
        """Share of planted things that were hit; None where nothing was planted."""
        return self.hit / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        """Share of flagged runs that are right; None where nothing was flagged."""
        return self.right / self.flagged if self.flagged else None


def score(case: Case, conn: psycopg.Connection[Any]) -> dict[str, Score]:
    """Scores by kind; `unit_error` once for all, and once (`FAR_UNITS`) for units that the level can tell."""
    truth = _Truth(case)
    found = {"gap": _gaps(case, truth, conn)}
    for kind in KINDS[1:]:
        if kind in TESTS:
            cells = _cells(conn, _FLAGGED, case.contract, tests=TESTS[kind])
        else:
            cells = _cells(conn, _BY_BOOKS[kind], case.contract)
        found[kind] = _compare(truth, truth.events(kind), cells)
        if kind == "unit_error":
            far = [event for event in truth.events(kind) if is_far(event[0])]
            found[FAR_UNITS] = _compare(truth, far, cells)
    return found


def _cells(conn: psycopg.Connection[Any], query: str, feed: str, **more: Any) -> Cells:
    return {tuple(row) for row in conn.execute(query.encode(), {"feed": feed, **more})}


class _Truth:
    """Hours of each planted thing that the pulls could see."""

    def __init__(self, case: Case) -> None:
        self.case = case
        block = case.feed.draft.clean
        self.places = {site.code: number for number, site in enumerate(block.sites)}
        self.hours = [(plant, self._hours(plant)) for plant in case.feed.plants]

    def events(self, kind: str) -> list[tuple[Plant, Cells]]:
        """Plants of a kind with what of them could be seen; those of which nothing could are left out."""
        return [(plant, cells) for plant, cells in self.hours if plant.kind == kind and cells]

    def _hours(self, plant: Plant) -> Cells:
        block, pulls = self.case.feed.draft.clean, self.case.pulls
        rows = block.between(self.places[plant.site], plant.property, plant.begin, plant.end)
        rows = rows[block.time[rows] < moment(self.case.until)]
        if plant.property:
            rows = rows[~np.isnan(block.values[plant.property][rows])]
        else:
            rows = rows[~np.all([np.isnan(values[rows]) for values in block.values.values()], axis=0)]
        if (
            plant.kind == "correction"
        ):  # seen only where one pull showed the first value, a later one the second
            at = plant.parameters["at"]
            before = [moment(p) for p in pulls if moment(p) < at]
            if not before or at > moment(pulls[-1]):
                return set()
            rows = rows[block.ready[rows] <= before[-1]]
        appears = plant.parameters.get("arrives", plant.parameters.get("at", 0))
        if appears > moment(pulls[-1]):
            return set()
        return {(plant.site, plant.property, int(t)) for t in block.time[rows]}


def is_far(plant: Plant) -> bool:
    """Whether a mistaken unit is far enough from the right one to be told by the level."""
    factor = plant.parameters["factor"]
    return max(factor, 1 / factor) >= _FAR


def _compare(truth: _Truth, events: list[tuple[Plant, Cells]], flagged: Cells) -> Score:
    own: Cells = set().union(*(cells for _, cells in events))
    others: Cells = set().union(*(cells for p, cells in truth.hours if p.kind in _OF_VALUES)) - own
    beside = {(s, p, t + step) for s, p, t in others for step in (-HOUR, 0, HOUR)}
    runs = runs_of(flagged)
    right = [run for run in runs if not own.isdisjoint(run)]
    wrong = [run for run in runs if own.isdisjoint(run)]
    return Score(
        planted=len(events),
        hit=sum(2 * len(cells & flagged) >= len(cells) for _, cells in events),
        flagged=len(runs),
        right=len(right),
        on_others=sum(not beside.isdisjoint(run) for run in wrong),
    )


def runs_of(cells: Iterable[Cell]) -> list[Cells]:
    """Cells of a series whose hours follow each other, together."""
    runs: list[Cells] = []
    for site, name, time in sorted(cells):
        if runs and (site, name, time - HOUR) in runs[-1]:
            runs[-1].add((site, name, time))
        else:
            runs.append({(site, name, time)})
    return runs


def _gaps(case: Case, truth: _Truth, conn: psycopg.Connection[Any]) -> Score:
    end = moment(case.until)
    booked = {
        (site, channel, day): count
        for site, channel, day, count in conn.execute(
            _BOOKS.encode(), {"feed": case.contract, "offset": CHINA_OFFSET}
        )
        if moment(case.since) <= day < end
    }
    missing = _missing(case)
    channels = [p.name for p in case.feed.draft.properties]
    events = [
        {(site, of, _day(t)) for site, name, t in cells for of in ([name] if name else channels)}
        for _, cells in truth.events("gap")
    ]
    both = sum(min(count, booked.get(key, 0)) for key, count in missing.items())
    return Score(
        planted=len(events),
        hit=sum(all(booked.get(key, 0) == missing[key] for key in days) for days in events),
        flagged=sum(booked.values()),
        right=both,
    )


def _missing(case: Case) -> Mapping[Cell, int]:
    """Values that the source never gave, by site, channel and day: lost, never measured, or a sentinel."""
    block = case.feed.draft.clean
    found: dict[Cell, int] = defaultdict(int)
    for name, values in case.feed.standing().items():
        for row in np.flatnonzero(np.isnan(values) | (values == -999)):
            if block.time[row] < moment(case.until):
                found[block.sites[block.site[row]].code, name, _day(int(block.time[row]))] += 1
    return found


def _day(time: int) -> int:
    return time - (time + CHINA_OFFSET) % DAY
