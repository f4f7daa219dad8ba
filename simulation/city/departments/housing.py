"""The housing and construction bureau: sewage works by day, as in its monthly workbook."""

from __future__ import annotations

from simulation.city.delivery.block import Property, rarely
from simulation.city.delivery.feed import Draft, constant, local, number, place
from simulation.city.delivery.series import detail, months, published
from simulation.city.nature.world import World
from simulation.city.places.pollution import SEWAGE_WORKS
from simulation.city.streams import stream
from simulation.city.window import CHINA_OFFSET, DAY, HOUR

_PLAIN = rarely("gap", "correction", "sentinel", "spike", "unit_error", "flat_line")
PROPERTIES = (
    Property("inflow", "m3", 0, missing=0.008, other_unit=("10*4.m3", 0.0001), faults=_PLAIN - {"unit_error"}),
    Property("cod_in", "mg/L", 1, missing=0.01),
    Property("ammonia_nitrogen_in", "mg/L", 2, missing=0.01),
    Property("cod_out", "mg/L", 1, limit=4, missing=0.01, cap=20.0),
    Property("ammonia_nitrogen_out", "mg/L", 3, limit=0.025, missing=0.01, other_unit=("ug/L", 1000.0), cap=1.5),
    Property("total_nitrogen_out", "mg/L", 2, limit=0.05, missing=0.01, other_unit=("ug/L", 1000.0)),
    Property("total_phosphorus_out", "mg/L", 3, limit=0.01, missing=0.01, other_unit=("ug/L", 1000.0)),
    Property("sludge", "t", 2, missing=0.02, other_unit=("kg", 1000.0), faults=_PLAIN),
    Property("power", "kW.h", 0, missing=0.01, faults=_PLAIN - {"unit_error"}),
)  # fmt: skip
_HEADINGS = (
    "处理水量(m³)", "进水COD(mg/L)", "进水氨氮(mg/L)", "出水COD(mg/L)", "出水氨氮(mg/L)", "出水总氮(mg/L)",
    "出水总磷(mg/L)",
    "污泥产量(t)", "用电量(kWh)",
)  # fmt: skip


def sewage_day(world: World) -> Draft:
    """Days of sewage works; shown the next morning at nine or so."""
    days = world.hours[(world.hours + CHINA_OFFSET) % DAY == 0]
    values = world.works
    return Draft(
        name="sewage_day", department="housing", title="城镇污水处理厂日报（合成）", step=DAY, day_boundary=0,
        properties=PROPERTIES,
        columns=(
            place("厂编号"), place("污水处理厂", "name"), local("日期", form="%Y-%m-%d"),
            *(number(heading, p.name) for heading, p in zip(_HEADINGS, PROPERTIES, strict=True)),
            constant("数据性质", "synthetic 合成"),
        ),
        clean=detail(
            world.window, days, SEWAGE_WORKS, values, PROPERTIES,
            published(days, DAY + 8 * HOUR, len(SEWAGE_WORKS), stream(world.seed, "sewage_day"), (30, 120)),
        ),
        months=lambda: months(days, SEWAGE_WORKS, values, PROPERTIES),
    )  # fmt: skip
