"""The ecology and environment bureau: the ecological index by year and township, red-line areas, parks."""

from __future__ import annotations

from datetime import date

from simulation.city.delivery.feed import Draft
from simulation.city.delivery.records import listed
from simulation.city.departments.natural_resources import polygon
from simulation.city.nature.world import World
from simulation.city.places.geography import SYNTHETIC, TOWNSHIPS, square, township
from simulation.city.places.land import RED_LINES
from simulation.city.places.pollution import PARKS
from simulation.city.streams import stream
from simulation.city.window import DAY, midnight

_LIKE = {"plain": (42, 55, 48), "hills": (58, 74, 40), "mountain": (76, 92, 35)}


def ecology_index_year(world: World) -> Draft:
    """Components of the ecological index (0 to 100) by year and township, as the bureau's workbook lists them."""
    records = []
    for turn, year in enumerate(world.window.years(5)):
        time = midnight(date(year, 12, 31))
        for number, t in enumerate(TOWNSHIPS):
            rng = stream(world.seed, "ecology_index", t.code)
            richness, green, water = (base + float(rng.normal(0, 3)) + 0.3 * turn for base in _LIKE[t.land])
            stress, load = 14 + float(rng.normal(0, 3)) - 0.2 * turn, 9 + float(rng.normal(0, 2)) - 0.3 * turn
            index = (
                0.35 * richness + 0.25 * green + 0.15 * water + 0.15 * (100 - stress) + 0.10 * (100 - load)
            )
            names = (
                "生物丰度指数",
                "植被覆盖指数",
                "水网密度指数",
                "土地胁迫指数",
                "污染负荷指数",
                "生态环境状况指数",
            )
            values = zip(names, (richness, green, water, stress, load, index), strict=True)
            records.append({
                "time": time, "site": number, "ready": time + 160 * DAY, "年度": year, "乡镇代码": t.code,
                "乡镇": t.name,
                **{name: round(value, 2) for name, value in values},
            })  # fmt: skip
    return listed(
        "ecology_index_year", "ecology_environment", "生态环境状况指数（合成）", records, "数据性质"
    )


def red_line(world: World) -> Draft:
    """Areas inside the ecological red line, with geometry (WKT) and what they protect; invented outlines."""
    time = midnight(date(world.window.years(1)[0], 1, 1))
    records = [
        {
            "time": time, "ready": time, "HXBM": code, "HXMC": name + SYNTHETIC, "LX": kind,
            "XZQDM": township(town).code, "MJ_KM2": round(side * side, 2),
            "GEOMETRY": polygon(square(township(town).longitude, township(town).latitude, side)),
        }
        for code, name, town, side, kind in RED_LINES
    ]  # fmt: skip
    return listed("red_line", "ecology_environment", "生态保护红线（合成）", records, "BZ")


def park(world: World) -> Draft:
    """Industrial parks with outline (WKT) and the pollutants watched."""
    time = midnight(date(world.window.years(1)[0], 1, 1))
    records = [
        {"time": time, "ready": time, "park_code": code, "park_name": name, "pollutants": watched,
         "geometry": polygon(square(*seat, side))}
        for code, name, seat, side, watched in PARKS
    ]  # fmt: skip
    return listed("park", "ecology_environment", "工业园区（合成）", records, "label")
