"""One hour of 60 stations by `eco cycle`, a whole process, from the stand-in source to releases."""

from __future__ import annotations

import json
from typing import Any

from simulation import server
from tests.bench.house import BenchFailed, House, median
from tests.bench.report import Report

WARM = 2  # the first makes partitions and reads all that is there
MEASURED = 3


def run(house: House, report: Report) -> None:
    """Some hours to warm up, then the median of some."""
    database = house.fresh("bench_cycle")
    source = server.build(house.files / "source")
    source.start()
    try:
        found = [_hour(house, source, database, place) for place in range(WARM + MEASURED)][WARM:]
    finally:
        source.stop()
    parts = {name: median([one[name] for one in found]) for name in found[-1]}
    report.parts["`eco cycle`, one hour of 60 stations and of weather, median by part"] = parts
    report.add(
        "eco cycle, one hour, 60 stations", parts["whole process"], "s", "the clock of the whole process"
    )


def _hour(house: House, source: server.Server, database: str, place: int) -> dict[str, float]:
    whole_hours = [
        pull for pull in source.world.pulls if not pull.partial and "again" not in pull.description
    ]
    source.world.set_clock(whole_hours[place].stamp)
    secrets = {
        "ECO_SECRET_CNEMC_AIR_URL": source.url + "/air/feed",
        "ECO_SECRET_WEATHER_URL": source.url + "/weather/observations",
        "ECO_SECRET_WEATHER_TOKEN": source.world.weather_token,
    }
    ran = house.eco(database, "cycle", "--json", codes=(0, 1), more=secrets)
    if '"release"' not in ran.said:  # exit code 1 may be a blocked period, which is none of our business here
        raise BenchFailed(f"eco cycle released nothing\n{ran.said}{ran.complained}")
    parts: dict[str, float] = {}
    for line in ran.said.splitlines():
        _read(json.loads(line), parts)
    parts["Python, imports, connection, end"] = ran.seconds - sum(parts.values())
    parts["whole process"] = ran.seconds
    return parts


def _read(row: dict[str, Any], parts: dict[str, float]) -> None:
    if "feed" in row:
        for step, seconds in row["seconds"].items():
            parts[f"{row['feed']}: {step}"] = seconds
        return
    if "face" in row:
        parts[f"files, {row['face']}"] = row["seconds"]
        return
    for step, seconds in row["seconds"].items():
        parts[f"{row['element']}: {step}"] = seconds
