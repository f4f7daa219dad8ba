"""The natural resources bureau: groundwater quality by quarter (headings of its sheet), land use polygons by year."""

from __future__ import annotations

from datetime import date

import numpy as np

from simulation.city.delivery.block import Property, ordered, rarely
from simulation.city.delivery.feed import Draft, constant, local, place, result
from simulation.city.delivery.records import listed
from simulation.city.nature.world import World
from simulation.city.places.geography import TOWNSHIPS, square
from simulation.city.places.land import LAND_CLASSES, WELLS
from simulation.city.streams import stream
from simulation.city.window import DAY, HOUR, midnight

_KINDS = rarely("gap", "correction", "sentinel", "spike", "unit_error")
_UG = ("ug/L", 1000.0)
GROUNDWATER = (
    Property("ph", "1", 2, faults=_KINDS - {"unit_error"}),
    Property("total_hardness", "mg/L", 1, limit=5),
    Property("dissolved_solids", "mg/L", 0, limit=4),
    Property("sulfate", "mg/L", 2, limit=0.018),
    Property("chloride", "mg/L", 2, limit=0.007),
    Property("iron", "mg/L", 4, limit=0.001, other_unit=_UG),
    Property("manganese", "mg/L", 4, limit=0.0002, other_unit=_UG),
    Property("volatile_phenol", "mg/L", 4, limit=0.0003),
    Property("codmn", "mg/L", 2, limit=0.4),
    Property("ammonia_nitrogen", "mg/L", 3, limit=0.025, other_unit=_UG),
    Property("nitrate", "mg/L", 3, limit=0.004),
    Property("nitrite", "mg/L", 3, limit=0.003),
    Property("fluoride", "mg/L", 3, limit=0.006),
    Property("arsenic", "mg/L", 5, limit=0.0003, other_unit=_UG),
    Property("cadmium", "mg/L", 5, limit=0.00005, other_unit=_UG),
)
_USUAL = (6.9, 145, 260, 18, 12, 0.06, 0.05, 0.0001, 0.9, 0.05, 3.2, 0.002, 0.2, 0.0008, 0.00004)
_HEADINGS = (
    "pH", "总硬度(mg/L)", "溶解性总固体(mg/L)", "硫酸盐(mg/L)", "氯化物(mg/L)", "铁(mg/L)", "锰(mg/L)",
    "挥发性酚类(mg/L)",
    "耗氧量(mg/L)", "氨氮(mg/L)", "硝酸盐(mg/L)", "亚硝酸盐(mg/L)", "氟化物(mg/L)", "砷(mg/L)", "镉(mg/L)",
)  # fmt: skip


def groundwater_quality(world: World) -> Draft:
    """Samples of wells in January, April, July and October; below a detection limit the sheet says `<0.025`."""
    records = []
    own = stream(world.seed, "groundwater", "well").normal(0, 0.5, (len(WELLS), len(GROUNDWATER)))
    for on in world.window.days_of_month(10):
        if on.month not in (1, 4, 7, 10):
            continue
        for well in range(len(WELLS)):
            rng = stream(world.seed, "groundwater", WELLS[well].code, f"{on}")
            time = midnight(on) + well % 5 * DAY + 10 * HOUR
            values = {
                p.name: usual
                * float(np.exp((0.02 if p.name == "ph" else 1.0) * (own[well, n] + rng.normal(0, 0.15))))
                for n, (p, usual) in enumerate(zip(GROUNDWATER, _USUAL, strict=True))
            }
            records.append({
                "time": time, "site": well, "ready": time + 30 * DAY, **values,
                "number": f"DXS{on:%Y%m}{well + 1:03d}", "filtered": "滤" if well % 2 else "原",
            })  # fmt: skip
    return Draft(
        name="groundwater_quality", department="natural_resources", title="地下水水质监测（合成）", step=None,
        day_boundary=0, properties=[_with(p) for p in GROUNDWATER],
        columns=(
            place("统一编号"), place("监测井名称", "name"), place("含水层", "aquifer"),
            local("采样日期", form="%Y-%m-%d"),
            *(result(heading, p, "<{limit}") for heading, p in zip(_HEADINGS, GROUNDWATER, strict=True)),
            constant("数据性质", "synthetic 合成"),
        ),
        clean=ordered(WELLS, records, GROUNDWATER),
    )  # fmt: skip


def _with(of: Property) -> Property:
    return Property(
        of.name, of.unit, of.decimals, of.limit, 0.01, of.other_unit,
        faults=_KINDS if of.other_unit else _KINDS - {"unit_error"},
    )  # fmt: skip


def land_use(world: World) -> Draft:
    """Polygons (WKT, CGCS2000) of each township by class of the third land survey, each year; `TBMJ` is m²."""
    records = []
    for turn, year in enumerate(world.window.years(3)):
        time = midnight(date(year, 12, 31))
        for number, t in enumerate(TOWNSHIPS):
            rng = stream(world.seed, "land_use", t.code)
            whole = 90 + 60 * float(rng.random())
            for spot, (code, name, plain, mountain) in enumerate(LAND_CLASSES):
                share = {"plain": plain, "mountain": mountain}.get(t.land, (plain + mountain) / 2)
                grown = {"0701": 1.03, "0101": 0.995, "0301": 0.999, "0602": 1.05}.get(code, 1.0) ** turn
                area = whole * share * grown
                side = float(np.sqrt(area))
                ring = square(t.longitude + 0.02 * (spot % 3 - 1), t.latitude + 0.02 * (spot // 3 - 1), side)
                records.append({
                    "time": time, "site": number, "ready": time + 150 * DAY, "BSM": f"{t.code}{code}{spot:02d}",
                    "YEAR": year, "XZQDM": t.code, "XZQMC": t.name, "DLBM": code, "DLMC": name,
                    "TBMJ": round(area * 1e6, 1), "GEOMETRY": polygon(ring),
                })  # fmt: skip
    return listed("land_use", "natural_resources", "土地利用变更调查图斑（合成）", records, "BZ")


def polygon(ring: list[tuple[float, float]]) -> str:
    """A ring as well-known text."""
    return f"POLYGON (({', '.join(f'{x} {y}' for x, y in ring)}))"
