"""Sections, automatic stations, drinking-water sources, points of aquatic ecology; by share of a course."""

from __future__ import annotations

from simulation.city.places.geography import CONFLUENCE, DAM, Site, along, site


def _section(
    code: str, name: str, town: str, river: str, share: float, role: str, kind: str = "river"
) -> Site:
    return site(
        code,
        name,
        kind,
        town,
        at=along(river, share),
        river=river,
        share=share,
        role=role,
        wide=str(river in _WIDE),
    )


_WIDE = ("qian", "yu", "xun")
SECTIONS: tuple[Site, ...] = (
    _section("GPS01", "黔江入境断面", "垌心乡", "qian", 0.04, "entry"),
    _section("GPS02", "大藤峡坝上断面", "南木镇", "qian", 0.54, "control", "river_type_reservoir"),
    _section("GPS03", "黔江口断面", "西山镇", "qian", 0.96, "control"),
    _section("GPS04", "郁江入境断面", "白沙镇", "yu", 0.04, "entry"),
    _section("GPS05", "郁江大湾断面", "大湾镇", "yu", 0.42, "control"),
    _section("GPS06", "郁江口断面", "西山镇", "yu", 0.96, "control"),
    _section("GPS07", "三江口下断面", "西山镇", "xun", 0.06, "control"),
    _section("GPS08", "浔江石咀断面", "石咀镇", "xun", 0.48, "control"),
    _section("GPS09", "浔江出境断面", "江口镇", "xun", 0.97, "exit"),
    _section("GPS10", "北河桥断面", "西山镇", "bei", 0.70, "urban_river"),
    _section("GPS11", "南渌江中断面", "大洋镇", "nanlu", 0.50, "control"),
    _section("GPS12", "南渌江口断面", "马皮乡", "nanlu", 0.97, "risk_area"),
)
# An automatic station stands near its section, not in it.
STATIONS: tuple[Site, ...] = tuple(
    site(
        f"GPW{number:03d}", s.name.removesuffix("断面（合成）") + "自动站", s.kind, "西山镇",
        at=(s.longitude + 0.002, s.latitude + 0.001), section=s.code, distance_m=250.0,
        river=s.attributes["river"], share=s.attributes["share"], area=s.township,
    )
    for number, s in enumerate(SECTIONS[:11], start=1)
)  # fmt: skip
INTAKES: tuple[Site, ...] = (
    site(
        "GPI01",
        "桂平市黔江水源地",
        "surface_source",
        "西山镇",
        at=along("qian", 0.90),
        river="qian",
        share=0.90,
    ),
    site(
        "GPI02",
        "桂平市浔江备用水源地",
        "surface_source",
        "寻旺乡",
        at=along("xun", 0.20),
        river="xun",
        share=0.20,
    ),
    site(
        "GPI03", "大湾镇郁江水源地", "surface_source", "大湾镇", at=along("yu", 0.40), river="yu", share=0.40
    ),
    site("GPI04", "木乐镇地下水水源地", "groundwater_source", "木乐镇"),
    site("GPI05", "金田镇地下水水源地", "groundwater_source", "金田镇"),
    site("GPI06", "罗秀镇地下水水源地", "groundwater_source", "罗秀镇"),
)
ECOLOGY_POINTS: tuple[Site, ...] = (
    site("GPE01", "大藤峡库区水生态点", "aquatic_ecology", "南木镇", at=DAM, river="qian", share=0.50),
    site("GPE02", "三江口水生态点", "aquatic_ecology", "西山镇", at=CONFLUENCE, river="xun", share=0.02),
    site(
        "GPE03",
        "浔江鱼类产卵场水生态点",
        "aquatic_ecology",
        "江口镇",
        at=along("xun", 0.8),
        river="xun",
        share=0.8,
    ),
)
