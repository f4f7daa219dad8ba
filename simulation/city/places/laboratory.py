"""What laboratories look for, where, and by which method: items, usual levels, detection limits.

Levels are invented; methods are named as laboratories name them [from memory, for labels only].
"""

from __future__ import annotations

from dataclasses import dataclass

LABORATORIES = ("SYN-LAB-01", "SYN-LAB-02", "SYN-LAB-03")


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a laboratory: its own code and Chinese name, unit, decimals, detection limit, method, usual level.

    `of` names the property of the rivers' model that it follows; `other_unit` what a mistaken report is written in.
    """

    name: str
    code: str
    chinese: str
    unit: str
    decimals: int
    limit: float | None
    method: str
    level: float
    of: str | None = None
    other_unit: tuple[str, float] | None = None


_UG = ("ug/L", 1000.0)
SURFACE = (
    Item("water_temperature", "T01", "水温", "Cel", 1, None, "GB 13195-91", 22, "water_temperature"),
    Item("ph", "T02", "pH值", "1", 2, None, "HJ 1147-2020", 7.5, "ph"),
    Item("dissolved_oxygen", "T03", "溶解氧", "mg/L", 2, None, "HJ 506-2009", 7.5, "dissolved_oxygen"),
    Item("codmn", "T04", "高锰酸盐指数", "mg/L", 2, 0.5, "GB 11892-89", 1.8, "codmn"),
    Item("cod", "T05", "化学需氧量", "mg/L", 1, 4, "HJ 828-2017", 8.0, "codmn"),
    Item("bod5", "T06", "五日生化需氧量", "mg/L", 1, 0.5, "HJ 505-2009", 1.4, "codmn"),
    Item("ammonia_nitrogen", "T07", "氨氮", "mg/L", 3, 0.025, "HJ 535-2009", 0.1, "ammonia_nitrogen", _UG),
    Item("total_phosphorus", "T08", "总磷", "mg/L", 3, 0.01, "GB 11893-89", 0.06, "total_phosphorus", _UG),
    Item("total_nitrogen", "T09", "总氮", "mg/L", 2, 0.05, "HJ 636-2012", 1.8, "total_nitrogen"),
    Item("copper", "T10", "铜", "mg/L", 5, 0.00008, "HJ 700-2014", 0.0012, None, _UG),
    Item("zinc", "T11", "锌", "mg/L", 5, 0.00067, "HJ 700-2014", 0.004, None, _UG),
    Item("fluoride", "T12", "氟化物", "mg/L", 3, 0.006, "HJ 84-2016", 0.18),
    Item("selenium", "T13", "硒", "mg/L", 4, 0.0004, "HJ 694-2014", 0.0002),
    Item("arsenic", "T14", "砷", "mg/L", 5, 0.0003, "HJ 694-2014", 0.0011, None, _UG),
    Item("mercury", "T15", "汞", "mg/L", 5, 0.00004, "HJ 694-2014", 0.00001),
    Item("cadmium", "T16", "镉", "mg/L", 5, 0.00005, "HJ 700-2014", 0.00006, None, _UG),
    Item("chromium_6", "T17", "六价铬", "mg/L", 3, 0.004, "GB 7467-87", 0.001),
    Item("lead", "T18", "铅", "mg/L", 5, 0.00009, "HJ 700-2014", 0.0004, None, _UG),
    Item("cyanide", "T19", "氰化物", "mg/L", 3, 0.001, "HJ 484-2009", 0.0003),
    Item("volatile_phenol", "T20", "挥发酚", "mg/L", 4, 0.0003, "HJ 503-2009", 0.0001),
    Item("petroleum", "T21", "石油类", "mg/L", 2, 0.01, "HJ 970-2018", 0.006),
    Item("surfactant", "T22", "阴离子表面活性剂", "mg/L", 2, 0.05, "GB 7494-87", 0.02),
    Item("sulfide", "T23", "硫化物", "mg/L", 3, 0.01, "HJ 1226-2021", 0.002),
    Item("faecal_coliform", "T24", "粪大肠菌群", "/L", 0, 20, "HJ 347.2-2018", 1800),
)
DRINKING = (
    *SURFACE,
    Item("sulfate", "T25", "硫酸盐", "mg/L", 2, 0.018, "HJ 84-2016", 14),
    Item("chloride", "T26", "氯化物", "mg/L", 2, 0.007, "HJ 84-2016", 8),
    Item("nitrate", "T27", "硝酸盐", "mg/L", 3, 0.004, "HJ 84-2016", 1.2),
    Item("iron", "T28", "铁", "mg/L", 5, 0.00082, "HJ 700-2014", 0.03, None, _UG),
    Item("manganese", "T29", "锰", "mg/L", 5, 0.00012, "HJ 700-2014", 0.008, None, _UG),
)
LIVING = (
    Item(
        "phytoplankton_density", "L01", "浮游植物密度", "10*4/L", 1, None, "HJ 1296-2023", 85, "chlorophyll_a"
    ),
    Item("phytoplankton_species", "L02", "浮游植物种数", "{species}", 0, None, "HJ 1296-2023", 42),
    Item("benthos_species", "L03", "底栖动物种数", "{species}", 0, None, "HJ 1295-2023", 17),
    Item("benthos_shannon", "L04", "底栖动物香农指数", "1", 2, None, "HJ 1295-2023", 2.1),
    Item("edna_fish_species", "L05", "环境DNA鱼类种数", "{species}", 0, None, "in-house eDNA", 31),
)
SUPERVISED = tuple(
    Item(name, code, chinese, "mg/L", decimals, limit, method, level)
    for name, code, chinese, decimals, limit, method, level in (
        ("cod", "T05", "化学需氧量", 1, 4.0, "HJ 828-2017", 46.0),
        ("ammonia_nitrogen", "T07", "氨氮", 3, 0.025, "HJ 535-2009", 5.2),
        ("total_phosphorus", "T08", "总磷", 3, 0.01, "GB 11893-89", 0.24),
        ("total_nitrogen", "T09", "总氮", 2, 0.05, "HJ 636-2012", 13.0),
        ("suspended_solids", "T30", "悬浮物", 0, 4.0, "GB 11901-89", 16.0),
    )
)
