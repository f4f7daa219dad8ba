"""`make detection`: what is found of planted faults, and what is flagged where nothing was planted.

    python -m tests.detection.run                          seed 1, five other seeds, real files
    python -m tests.detection.run --seeds 1 2 --days 30    less of it

Seed 1 is the one by which thresholds were set, so its figures prove nothing.

Recall and precision by kind, in the words of `tests/detection/scoring.py`. Exit code 1 when a target is missed by the
other seeds together, or more than 1 % of the values of untouched real files are flagged.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import reduce
from operator import add
from pathlib import Path

from ecowarehouse.pipeline import run_feed
from ecowarehouse.settings import Settings
from simulation.city.city import City
from simulation.city.delivery.faults import Faults
from tests.bench.house import House, house
from tests.detection import real
from tests.detection.running import CITY, connections, contract_of, detect
from tests.detection.scoring import FAR_UNITS, Score
from tests.detection.showing import Case, case_of, write

FIRST_DAY = date(2024, 7, 1)  # in the past of any clock: what is known in the future is refused
OTHERS = (2, 3, 4, 5, 6)
SHARED = Path(__file__).resolve().parents[3] / "shared"
STATIONS = ("Aotizhongxin", "Changping", "Dongsi", "Huairou")
FEEDS = {"air_station_hour": "air_hour", "hydrology": "river_hour"}

TARGETS = {
    **dict.fromkeys(("gap", "late_batch", "duplicate", "sentinel", "unit_error", FAR_UNITS, "correction"), 0.95),
    "spike": 0.9, "flat_line": 0.9,
}  # fmt: skip
FALSE_ALARMS = 0.01

# Values with a flag that has an effect on what they are worth, by test, and of how many.
_ALARMS = """
select f.test, count(distinct (f.series_id, f.period_start))
from core.quality_flag as f
inner join core.series as series using (series_id)
inner join vocabulary.flag_effect as e on e.source = 'own_test' and e.code = f.test and e.flag = f.flag
where series.feed = %s and e.effect in ('suspect', 'invalid')
group by rollup (f.test) order by 1
"""
_VALUES = """
select count(*) from core.observation as o inner join core.series as series using (series_id)
where series.feed = %s and o.value is not null
"""

Table = dict[str, dict[str, list[Score]]]  # group of cases, kind, cases


def synthetic(seed: int, days: int) -> Iterator[Case]:
    """Hours of air and of rivers in the city of a seed."""
    city = City(seed=seed, first_day=FIRST_DAY, days=days)
    for feed, contract in FEEDS.items():
        yield case_of(feed, contract, city.feed(feed).draft, days, seed)


def injected(seed: int, days: int) -> Iterator[Case]:
    """Real hours with faults planted in them: a station of Beijing and days of its own for each seed, and a gauge.

    The gauge stands still after 96 days, which is a fault of its own: so the days before are taken.
    """
    station, begin = STATIONS[seed % len(STATIONS)], 90 + 200 * (seed % 6)
    yield case_of(f"Beijing, {station}", "air_hour", real.beijing(SHARED, [station], begin, days), days, seed)
    days = min(days, 95)
    yield case_of("ioos water level", "river_hour", real.water_level(SHARED, 0, days), days, seed)


def main() -> int:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, *OTHERS])
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--parts", nargs="*", default=["synthetic", "injected", "untouched"])
    options = parser.parse_args()
    os.environ["ECO_CITY"] = str(CITY)
    table: Table = defaultdict(lambda: defaultdict(list))
    with house() as made:
        if "synthetic" in options.parts:
            for seed in options.seeds:
                for case in synthetic(seed, options.days):
                    group = "seed 1" if seed == 1 else "other seeds"
                    _one(made, table, f"{group}, {case.name}", case)
        if "injected" in options.parts and SHARED.is_dir():
            for seed in options.seeds:
                for case in injected(seed, options.days):
                    _one(made, table, f"injected, {case.name.split(',')[0]}", case)
        missed = _show(table)
        if "untouched" in options.parts and SHARED.is_dir():
            missed += _untouched(made)
    for line in missed:
        print(f"missed: {line}")
    return 1 if missed else 0


def _one(made: House, table: Table, group: str, case: Case) -> None:
    os.environ["ECO_DATABASE"] = made.fresh("detection")
    for kind, score in detect(
        case, Settings.load(), made.files / f"{case.contract}-{case.seed}-{len(table)}"
    ).items():
        table[group][kind].append(score)
    print(f"{group}, seed {case.seed}: done", flush=True)


def _show(table: Table) -> list[str]:
    missed: list[str] = []
    print(
        f"\n{'':40}{'planted':>8}{'hit':>6}{'recall':>8}{'flagged':>9}{'right':>7}{'on others':>10}{'precision':>10}"
    )
    totals: dict[str, list[Score]] = defaultdict(list)
    for group, kinds in table.items():
        print(group)
        for kind, scores in kinds.items():
            _line(kind, reduce(add, scores))
            if group.startswith("other seeds"):
                totals[kind] += scores
    if totals:
        print("other seeds, all feeds")
    for kind, scores in totals.items():
        total = reduce(add, scores)
        _line(kind, total)
        for name, figure in (("recall", total.recall), ("precision", total.precision)):
            if kind in TARGETS and figure is not None and figure < TARGETS[kind]:
                missed.append(f"{kind}: {name} {figure:.2f} instead of {TARGETS[kind]}")
    return missed


def _line(kind: str, s: Score) -> None:
    recall, precision = ("-" if f is None else f"{f:.3f}" for f in (s.recall, s.precision))
    print(
        f"  {kind:38}{s.planted:8}{s.hit:6}{recall:>8}{s.flagged:9}{s.right:7}{s.on_others:10}{precision:>10}"
    )


def _untouched(made: House) -> list[str]:
    """Whole real files as they are: which share of their values is flagged."""
    missed = []
    for name, contract, draft in (
        ("Beijing, four stations", "air_hour", real.beijing(SHARED, STATIONS)),
        ("ioos water level", "river_hour", real.water_level(SHARED)),
    ):
        os.environ["ECO_DATABASE"] = made.fresh("detection")
        shown = case_of(name, contract, draft, 0, 1, Faults(scale=0)).feed
        path = write(shown.rows(), made.files / f"whole_{FIRST_DAY:%Y%m%d}0000_{contract}.csv")
        with connections(Settings.load()) as (conn, admin):
            run = run_feed(conn, Settings.load(), contract_of(contract), paths=[str(path)])
            [(values,)] = admin.execute(_VALUES.encode(), [contract]).fetchall()
            alarms = dict(admin.execute(_ALARMS.encode(), [contract]).fetchall())
        total = alarms.pop(None, 0)
        told = ", ".join(f"{test} {count / values:.2%}" for test, count in alarms.items())
        print(f"untouched, {name}: {total:,} of {values:,} values flagged, {total / values:.2%} ({told}); "
              f"core {run.seconds['core']:.0f} s")  # fmt: skip
        if total > FALSE_ALARMS * values:
            missed.append(f"untouched, {name}: {total / values:.2%} flagged instead of {FALSE_ALARMS:.0%}")
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
