"""Wells, taps, plots of soil and of produce, forest and wetland plots, red-line areas, classes of land."""

from __future__ import annotations

from simulation.city.places.geography import TOWNSHIPS, Site, site

WELLS: tuple[Site, ...] = tuple(
    site(f"GRW45088{number:03d}", f"{t.name}监测井", "well", t.name, 2.0,
         aquifer="潜水" if number % 3 else "承压水", depth_m=15.0 + 5 * (number % 6))
    for number, t in enumerate(TOWNSHIPS[::2], start=1)
)  # fmt: skip
TAPS: tuple[Site, ...] = tuple(
    site(
        f"JK{number:03d}",
        f"{TOWNSHIPS[number % 26].name}{kind}{number}",
        kind,
        TOWNSHIPS[number % 26].name,
        1.5,
    )
    for number, kind in enumerate(("出厂水", "末梢水", "二次供水", "末梢水") * 7, start=1)
)
# The nine surroundings of the plan; category by the national network's words.
_SOIL = (
    ("耕地", "基础点", 14), ("园地", "基础点", 6), ("林地", "背景点", 5), ("饮用水水源地", "风险监控点", 4),
    ("工矿污染场地", "风险监控点", 4), ("固体废物处置场地周边", "风险监控点", 3), ("工业园区周边", "风险监控点", 5),
    ("规模化畜禽养殖场周边", "风险监控点", 4), ("大型交通干线两侧", "风险监控点", 5),
)  # fmt: skip
SOIL_PLOTS: tuple[Site, ...] = tuple(
    site(f"TR{number:03d}", f"{land}土壤点{number}", "soil", TOWNSHIPS[(7 * number) % 26].name, 3.0, land=land,
         category=category, ph=round(4.9 + 0.35 * (number * 5 % 9), 2), paddy=str(land == "耕地" and number % 2 == 0))
    for number, (land, category) in enumerate(
        ((land, category) for land, category, count in _SOIL for _ in range(count)), start=1)
)  # fmt: skip
CROPS = ("稻谷", "叶菜类蔬菜", "荔枝", "甘蔗", "玉米")
PRODUCE_PLOTS: tuple[Site, ...] = tuple(
    site(f"NC{number:03d}", f"{CROPS[number % 5]}产地{number}", "produce", TOWNSHIPS[(3 * number) % 26].name, 3.0,
         crop=CROPS[number % 5], soil_plot=f"TR{number % 20 + 1:03d}")
    for number in range(1, 25)
)  # fmt: skip
FOREST_PLOTS: tuple[Site, ...] = tuple(
    site(f"LY{number:03d}", f"{t.name}{kind}样地", kind, t.name, 3.0)
    for number, (t, kind) in enumerate(
        ((t, kind) for t in TOWNSHIPS for kind in (("森林",) if t.land != "plain" else ("湿地",))), start=1)
)  # fmt: skip
# code, name, township, side in km, what is protected
RED_LINES = (
    ("HX001", "大瑶山南部水源涵养红线区", "紫荆", 9.0, "水源涵养"), ("HX002", "垌心生物多样性红线区", "垌心",
     7.0, "生物多样性维护"),
    ("HX003", "西山自然公园红线区", "西山", 2.2, "自然公园"), ("HX004", "浔江湿地红线区", "江口", 2.5, "湿地"),
    ("HX005", "中沙水土保持红线区", "中沙", 6.0, "水土保持"),
)  # fmt: skip
# class code of the third land survey, name, share of a plain township, of a mountain one
LAND_CLASSES = (
    ("0101", "水田", 0.34, 0.08), ("0103", "旱地", 0.14, 0.05), ("0201", "果园", 0.11, 0.06), ("0301",
     "乔木林地", 0.18, 0.70),
    ("0701", "城镇住宅用地", 0.12, 0.02), ("1101", "河流水面", 0.07, 0.02), ("0602", "采矿用地", 0.01, 0.01),
)  # fmt: skip
