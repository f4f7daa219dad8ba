"""What stands on the rivers: gauges, rain gauges, the reservoir, wells that are measured for their level."""

from __future__ import annotations

from simulation.city.places.geography import DAM, TOWNSHIPS, Site, along, site


def _gauge(code: str, name: str, town: str, river: str, share: float) -> Site:
    return site(code, name, "river", town, at=along(river, share), river=river, share=share)


GAUGES: tuple[Site, ...] = (
    _gauge("99800101", "黔江上站", "垌心乡", "qian", 0.05),
    _gauge("99800102", "黔江坝下站", "南木镇", "qian", 0.62),
    _gauge("99800103", "黔江口站", "西山镇", "qian", 0.97),
    _gauge("99800201", "郁江上站", "白沙镇", "yu", 0.05),
    _gauge("99800202", "郁江中站", "大湾镇", "yu", 0.45),
    _gauge("99800203", "郁江口站", "西山镇", "yu", 0.97),
    _gauge("99800301", "三江口站", "西山镇", "xun", 0.03),
    _gauge("99800302", "浔江中站", "石咀镇", "xun", 0.5),
    _gauge("99800303", "浔江下站", "江口镇", "xun", 0.95),
    _gauge("99800401", "北河站", "西山镇", "bei", 0.6),
    _gauge("99800501", "南渌江站", "大洋镇", "nanlu", 0.5),
)
RESERVOIRS: tuple[Site, ...] = (
    site(
        "99800901", "大藤峡坝上站", "reservoir", "南木镇", at=DAM, river="qian", share=0.55, type="河流型水库"
    ),
)
RAIN_GAUGES: tuple[Site, ...] = tuple(
    site(f"9981{number:02d}00", f"{t.name}雨量站", "rain", t.name, 1.2)
    for number, t in enumerate(TOWNSHIPS, start=1)
)
LEVEL_WELLS: tuple[Site, ...] = tuple(
    site(
        f"9982{number:02d}00",
        f"{t.name}地下水位井",
        "groundwater_level",
        t.name,
        2.0,
        depth_m=18 + 3 * (number % 7),
    )
    for number, t in enumerate(TOWNSHIPS[::2], start=1)
)
