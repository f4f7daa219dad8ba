"""An invented weather service: hourly observations of five stations, the newest of them sometimes revised."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from random import Random

from simulation.air import CHINA

STATIONS = (
    ("SYNW01", "西山（合成）", "西山镇", "110.0480", "23.4010"),
    ("SYNW02", "木乐（合成）", "木乐镇", "110.3150", "23.4470"),
    ("SYNW03", "罗秀（合成）", "罗秀镇", "110.2210", "23.0950"),
    ("SYNW04", "金田（合成）", "金田镇", "110.1020", "23.5230"),
    ("SYNW05", "石龙（合成）", "石龙镇", "109.9030", "23.3890"),
)
HOURS_KEPT = 72


def observations(clock: datetime, seed: int, since: datetime | None = None) -> list[dict[str, object]]:
    """What the service has at a moment: hours that ended by then, three days back, from `since` on."""
    newest = clock.astimezone(CHINA).replace(minute=0, second=0, microsecond=0)
    found = []
    for back in range(HOURS_KEPT, -1, -1):
        label = newest - timedelta(hours=back)
        if since is None or label >= since:
            found += [_observation(place, label, clock, seed) for place in range(len(STATIONS))]
    return found


def _observation(place: int, label: datetime, clock: datetime, seed: int) -> dict[str, object]:
    code, name, township, longitude, latitude = STATIONS[place]
    rng = Random(f"{seed}:{code}:{label.isoformat()}")
    warmth = 22 + 6 * math.sin((label.hour - 9) * math.pi / 12) + rng.uniform(-1, 1)
    young = clock - label < timedelta(hours=1)
    if young and rng.random() < 0.2:
        warmth += 0.3  # revised within the hour
    rain = round(rng.expovariate(0.5), 1) if rng.random() < 0.1 else 0
    humidity = round(70 - 12 * math.sin((label.hour - 9) * math.pi / 12) + rng.uniform(-4, 4))
    return {
        "station_id": code, "station_name": name, "township": township,
        "lon": longitude, "lat": latitude, "time": label.isoformat(),
        "temperature": round(warmth, 1), "humidity": humidity,
        "pressure": round(1005 + rng.uniform(-4, 4), 1),
        "wind_speed": None if rng.random() < 0.01 else round(rng.uniform(0, 6), 1),
        "wind_direction": rng.randrange(0, 360), "precipitation": rain,
    }  # fmt: skip
