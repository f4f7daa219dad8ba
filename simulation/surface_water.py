"""The national surface-water feed as its page shows it, in the form of a CSV; real pulls, or an invented network."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from random import Random

from simulation.air import CHINA

_VALUES = (
    "水温_C", "pH", "溶解氧_mgL", "电导率_uScm", "浊度_NTU", "高锰酸盐指数_mgL", "氨氮_mgL", "总磷_mgL", "总氮_mgL",
    "叶绿素a_mgL", "藻密度_cellsL",
)  # fmt: skip
HEADINGS = (
    "snapshot", "province", "basin", "section", "city", "river", "time_raw", "time", "official_class",
    *(name for value in _VALUES for name in (value, f"{value}_raw")), "status",
)  # fmt: skip
_DECIMALS = (1, 0, 1, 1, 1, 1, 2, 3, 2)
_FILE = "cnemc_surface_water_20251106_08_4snapshots.csv"
_CLASSES = "ⅠⅡⅢⅣⅤ"
_STEP = timedelta(hours=4)

# name, river, and the level around which codmn, ammonia nitrogen and phosphorus move
SECTIONS = (
    ("黔江上（合成）", "黔江", 1.2, 0.06, 0.04), ("大藤峡坝上（合成）", "大藤峡水库", 1.5, 0.08, 0.05),
    ("黔江口（合成）", "黔江", 1.4, 0.07, 0.05), ("郁江上（合成）", "郁江", 1.9, 0.15, 0.08),
    ("郁江口（合成）", "郁江", 2.3, 0.22, 0.09), ("三江口（合成）", "浔江", 1.8, 0.12, 0.07),
    ("浔江下（合成）", "浔江", 1.9, 0.14, 0.07), ("北河桥（合成）", "北河", 4.6, 0.9, 0.18),
    ("南渌江口（合成）", "南渌江", 5.4, 1.25, 0.24), ("西山湖心（合成）", "西山湖", 3.1, 0.2, 0.045),
)  # fmt: skip

Row = Mapping[str, str]


def feed_csv(rows: Iterable[Row], without: Iterable[str] = ()) -> bytes:
    """Rows in the form of the feed; a served answer has no column `snapshot`."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, [h for h in HEADINGS if h not in set(without)], lineterminator="\n", extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def real_pulls(data: Path) -> list[tuple[str, list[Row]]]:
    """The four real pulls of November 2025, in order: stamp and rows.

    Raises:
        FileNotFoundError: the file of the folder `data/water` is missing.
    """
    pulls: dict[str, list[Row]] = {}
    with (data / "water" / _FILE).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            pulls.setdefault(row["snapshot"], []).append(row)
    return sorted(pulls.items())


def synthetic_rows(clock: datetime, seed: int) -> list[Row]:
    """What the invented network shows at a moment: the newest sample of each section, every four hours.

    The first answer after a sample is revised an hour later in one section; one is in maintenance at night.
    """
    local = clock.astimezone(CHINA)
    newest = local.replace(hour=local.hour // 4 * 4, minute=0, second=0, microsecond=0)
    if local - newest < timedelta(minutes=30):
        newest -= _STEP
    return [_row(place, newest, local, seed) for place in range(len(SECTIONS))]


def _row(place: int, sampled: datetime, clock: datetime, seed: int) -> Row:
    name, river, codmn, ammonia, phosphorus = SECTIONS[place]
    fixed = {
        "snapshot": "", "province": "广西壮族自治区", "basin": "珠江流域", "section": name, "city": "桂平市",
        "river": river, "time_raw": f"{sampled:%m-%d %H:%M}", "time": f"{sampled:%Y-%m-%d %H:%M}",
    }  # fmt: skip
    rng = Random(f"{seed}:{name}:{sampled.isoformat()}")
    if place == 3 and sampled.hour == 4:
        nothing = dict.fromkeys(_VALUES, "*") | {f"{v}_raw": "" for v in _VALUES}
        return {**fixed, "time": "", "time_raw": "", "official_class": "", **nothing, "status": "维护"}
    wave = math.sin((sampled.timetuple().tm_yday * 6 + sampled.hour / 4) * math.pi / 18)
    readings = [
        22 + 3 * wave + rng.uniform(-0.2, 0.2), 7.7 + rng.uniform(-0.2, 0.3), 7.4 - 0.8 * wave + rng.uniform(-0.3, 0.3),
        310 + rng.uniform(-20, 20), 22 + rng.uniform(-6, 6), codmn * rng.uniform(0.85, 1.2),
        ammonia * rng.uniform(0.7, 1.4), phosphorus * rng.uniform(0.85, 1.2), 2.1 + rng.uniform(-0.3, 0.3),
    ]  # fmt: skip
    if place == 7 and clock - sampled > timedelta(hours=2):
        readings[6] += 0.11  # revised under the same stamp
    raw = [Decimal(repr(round(reading, 4))) for reading in readings]
    if raw[6] < Decimal("0.05"):
        raw[6] = Decimal("0.025")  # half of the limit of the method
    shown = [
        value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
        for value, places in zip(raw, _DECIMALS, strict=True)
    ]
    cells = {heading: str(value) for heading, value in zip(_VALUES, shown, strict=False)}
    cells |= {f"{heading}_raw": str(value) for heading, value in zip(_VALUES, raw, strict=False)}
    cells |= dict.fromkeys(_VALUES[9:], "*") | {f"{heading}_raw": "" for heading in _VALUES[9:]}
    lake = river.endswith("湖") or river == "西山湖"
    return {**fixed, **cells, "official_class": official_class(shown, lake=lake), "status": "正常"}


def official_class(shown: list[Decimal], *, lake: bool) -> str:
    """The class that the source would print, worked out apart from the warehouse: nine values in the order shown."""
    limits = {
        5: (2, 4, 6, 10, 15),
        6: ("0.15", "0.5", 1, "1.5", 2),
        7: ("0.01", "0.025", "0.05", "0.1", "0.2") if lake else ("0.02", "0.1", "0.2", "0.3", "0.4"),
    }
    worst = 0 if 6 <= shown[1] <= 9 else 5
    worst = max(worst, sum(shown[2] < Decimal(limit) for limit in ("7.5", "6", "5", "3", "2")))
    for place, steps in limits.items():
        worst = max(worst, sum(shown[place] > Decimal(str(limit)) for limit in steps))
    return "劣Ⅴ" if worst == 5 else _CLASSES[worst]
