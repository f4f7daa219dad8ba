"""The agriculture bureau: soil and produce by year, one row a sample and item; laboratories differ in their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from simulation.city.delivery.block import Property, ordered, rarely
from simulation.city.delivery.feed import Draft, censored, constant, local, place, text
from simulation.city.nature.world import World
from simulation.city.places.geography import Site
from simulation.city.places.laboratory import LABORATORIES
from simulation.city.places.land import PRODUCE_PLOTS, SOIL_PLOTS
from simulation.city.streams import stream
from simulation.city.window import DAY, HOUR, midnight

_KINDS = rarely("gap", "correction", "sentinel", "unit_error", "spike")
# name, Chinese name, unit, decimals, detection limit, usual level in soil
_SOIL = (
    ("ph", "pH", "1", 2, None, 0.0), ("cadmium", "镉", "mg/kg", 3, 0.01, 0.32), ("mercury", "汞", "mg/kg", 3,
     0.002, 0.13),
    ("arsenic", "砷", "mg/kg", 2, 0.01, 16.0), ("lead", "铅", "mg/kg", 1, 0.1, 34.0), ("chromium", "铬",
     "mg/kg", 1, 4.0, 68.0),
    ("copper", "铜", "mg/kg", 1, 1.0, 25.0), ("zinc", "锌", "mg/kg", 1, 1.0, 82.0), ("nickel", "镍", "mg/kg", 1,
     3.0, 24.0),
    ("hch", "六六六总量", "mg/kg", 4, 0.0005, 0.0006), ("ddt", "滴滴涕总量", "mg/kg", 4, 0.0007, 0.0009),
    ("benzo_a_pyrene", "苯并[a]芘", "mg/kg", 4, 0.0004, 0.006), ("pcb", "多氯联苯", "mg/kg", 4, 0.0006, 0.0004),
)  # fmt: skip
_PRODUCE = (
    ("cadmium", "镉", "mg/kg", 4, 0.002, 0.06), ("lead", "铅", "mg/kg", 4, 0.005, 0.04),
    ("inorganic_arsenic", "无机砷", "mg/kg", 4, 0.01, 0.05), ("mercury", "总汞", "mg/kg", 4, 0.001, 0.003),
    ("chromium", "铬", "mg/kg", 4, 0.01, 0.12),
)  # fmt: skip
_IN_MICROGRAMS = ("cadmium", "mercury")  # the second laboratory writes these in µg/kg, and says so
_HOT = {"工矿污染场地": 2.4, "固体废物处置场地周边": 1.7, "工业园区周边": 1.4, "大型交通干线两侧": 1.2}


def soil_sample(world: World) -> Draft:
    """Samples of the plots each November, depth 0 to 20 cm; cadmium and mercury come in two units."""
    return _sampled(world, "soil_sample", "土壤样品（合成）", SOIL_PLOTS, _SOIL, (11, 5), "land")


def produce_sample(world: World) -> Draft:
    """Samples of crops each October, by crop; limits are those of GB 2762."""
    return _sampled(world, "produce_sample", "农产品样品（合成）", PRODUCE_PLOTS, _PRODUCE, (10, 15), "crop")


def _sampled(
    world: World, name: str, title: str, plots: Sequence[Site], items: Sequence[tuple[Any, ...]],
    day: tuple[int, int], kind: str,
) -> Draft:  # fmt: skip
    properties = tuple(
        Property(n, unit, places, limit=limit, missing=0.008, other_unit=None if n == "ph" else ("ug/kg", 1000.0),
                 faults=_KINDS if n != "ph" else _KINDS - {"unit_error"})
        for n, _, unit, places, limit, _ in items
    )  # fmt: skip
    records = [
        record
        for year in range(world.window.last_day.year - 3, world.window.last_day.year + 1)
        if date(year, *day) <= world.window.last_day
        for number in range(len(plots))
        for record in _bottle(world, name, number, plots[number], year, items, day)
    ]
    return Draft(
        name=name, department="agriculture", title=title, step=None, day_boundary=0, properties=properties,
        columns=(
            text("样品编号"), place("点位编号"), place("点位名称", "name"),
            place("土地利用类型" if kind == "land" else "作物", kind),
            *((place("点位类别", "category"), place("水田", "paddy")) if kind == "land" else (place("土壤点位",
               "soil_plot"),)),
            place("经度", "longitude"), place("纬度", "latitude"), local("采样日期", form="%Y-%m-%d"),
            text("采样深度(cm)", "depth"), text("检测项目", "chinese"), censored("检测结果", form="ND"),
            text("单位", "unit"),
            text("检出限", "detection_limit"), text("检测机构", "laboratory"), constant("数据性质", "synthetic 合成"),
        ),
        clean=ordered(plots, records, properties, item="item"),
    )  # fmt: skip


def _bottle(
    world: World,
    feed: str,
    number: int,
    plot: Site,
    year: int,
    items: Sequence[tuple[Any, ...]],
    day: tuple[int, int],
) -> list[Mapping[str, Any]]:
    rng, kept = stream(world.seed, feed, plot.code, f"{year}"), stream(world.seed, feed, plot.code)
    time = midnight(date(year, *day)) + number % 12 * DAY + 9 * HOUR
    laboratory = LABORATORIES[number % 2]
    hot = _HOT.get(str(plot.attributes.get("land")), 1.0)
    found: list[Mapping[str, Any]] = []
    for name, chinese, unit, places, limit, level in items:
        own, now = float(kept.normal(0, 0.45)), float(rng.normal(0, 0.06))
        value = (
            float(plot.attributes.get("ph", 6.0)) + 0.3 * now
            if name == "ph"
            else level * hot * float(np.exp(own + now))
        )
        micro = laboratory == LABORATORIES[1] and name in _IN_MICROGRAMS
        scale = 1000 if micro else 1
        found.append({
            "time": time, "site": number, "ready": time + 60 * DAY, "item": name, "value": value * scale,
            "样品编号": f"{plot.code}-{year}", "depth": "0-20" if feed == "soil_sample" else None, "chinese": chinese,
            "unit": "µg/kg" if micro else ("无量纲" if unit == "1" else unit), "decimals": 1 if micro else places,
            "detection_limit": None if limit is None else f"{limit * scale:g}", "laboratory": laboratory,
        })  # fmt: skip
    return found
