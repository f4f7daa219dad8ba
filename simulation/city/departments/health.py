"""The health bureau (disease control): water of works, taps and tanks by month, as its workbook writes it."""

from __future__ import annotations

import numpy as np

from simulation.city.delivery.block import Property, ordered, rarely
from simulation.city.delivery.feed import Draft, constant, local, place, result, text
from simulation.city.nature.world import World
from simulation.city.places.land import TAPS
from simulation.city.streams import stream
from simulation.city.window import DAY, HOUR, midnight

_KINDS = rarely("gap", "correction", "sentinel", "spike")
_UG = ("ug/L", 1000.0)
# property, heading, usual level
_ITEMS = (
    (Property("total_coliform", "{MPN}/100mL", 0, limit=1, faults=rarely("gap")), "总大肠菌群(MPN/100mL)", 0.1),
    (Property("colony_count", "{CFU}/mL", 0, limit=1, faults=_KINDS), "菌落总数(CFU/mL)", 6.0),
    (Property("turbidity", "[NTU]", 2, limit=0.1, faults=_KINDS), "浑浊度(NTU)", 0.4),
    (Property("ph", "1", 2, faults=_KINDS), "pH", 7.3),
    (Property("free_chlorine", "mg/L", 2, limit=0.01, faults=_KINDS), "游离氯(mg/L)", 0.35),
    (Property("codmn", "mg/L", 2, limit=0.05, faults=_KINDS), "高锰酸盐指数(mg/L)", 1.1),
    (Property("ammonia_nitrogen", "mg/L", 3, limit=0.02, other_unit=_UG, faults=_KINDS | {"unit_error"}),
     "氨(mg/L)", 0.03),
    (Property("nitrate", "mg/L", 2, limit=0.02, faults=_KINDS), "硝酸盐(mg/L)", 1.5),
    (Property("arsenic", "mg/L", 4, limit=0.0005, other_unit=_UG, faults=_KINDS | {"unit_error"}), "砷(mg/L)", 0.0011),
    (Property("lead", "mg/L", 4, limit=0.0005, other_unit=_UG, faults=_KINDS | {"unit_error"}), "铅(mg/L)", 0.0007),
    (Property("trichloromethane", "mg/L", 4, limit=0.0005, other_unit=_UG, faults=_KINDS | {"unit_error"}),
     "三氯甲烷(mg/L)", 0.009),
)  # fmt: skip
PROPERTIES = tuple(of for of, _, _ in _ITEMS)


def tap_water(world: World) -> Draft:
    """A sample a month at each of the points; what is not detected reads 未检出 or `<0.02`."""
    records = []
    for on in world.window.days_of_month(11):
        for number, tap in enumerate(TAPS):
            rng = stream(world.seed, "tap_water", tap.code, f"{on}")
            time = midnight(on) + number % 6 * DAY + 9 * HOUR
            values = {
                of.name: usual * float(np.exp(rng.normal(0, 0.02 if of.name == "ph" else 0.35)))
                for of, _, usual in _ITEMS
            }
            records.append({
                "time": time, "site": number, "ready": time + 18 * DAY, **values,
                "sample": f"YS{on:%Y%m}{number + 1:03d}",
            })  # fmt: skip
    return Draft(
        name="tap_water", department="health", title="生活饮用水监测（合成）", step=None, day_boundary=0,
        properties=PROPERTIES,
        columns=(
            text("样品编号", "sample"), place("监测点编号"), place("监测点名称", "name"), place("水样类型", "kind"),
            local("采样日期", form="%Y-%m-%d"),
            *(result(heading, of, "未检出" if of.name == "total_coliform" else "<{limit}") for of, heading,
             _ in _ITEMS),
            constant("数据性质", "synthetic 合成"),
        ),
        clean=ordered(TAPS, records, PROPERTIES),
    )  # fmt: skip
