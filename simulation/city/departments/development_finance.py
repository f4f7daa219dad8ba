"""The development and the finance bureau: yearly statistics of the city, one row a year and indicator."""

from __future__ import annotations

from datetime import date

from simulation.city.delivery.feed import Draft
from simulation.city.delivery.records import listed
from simulation.city.nature.world import World
from simulation.city.streams import stream
from simulation.city.window import DAY, midnight

# indicator, unit, first value, growth in a year, whose; round numbers near a county of this size, none is official
_INDICATORS = (
    ("常住人口", "万人", 150.0, 0.998, "发展和改革局"), ("地区生产总值", "亿元", 520.0, 1.05, "发展和改革局"),
    ("工业增加值", "亿元", 120.0, 1.05, "发展和改革局"), ("能源消费总量", "万吨标准煤", 210.0, 1.02, "发展和改革局"),
    ("煤炭消费量", "万吨", 145.0, 0.99, "发展和改革局"), ("用水总量", "亿立方米", 6.4, 0.99, "发展和改革局"),
    ("机动车保有量", "万辆", 48.0, 1.06, "发展和改革局"), ("化肥施用量(折纯)", "万吨", 5.1, 0.98, "发展和改革局"),
    ("生猪出栏量", "万头", 92.0, 1.01, "发展和改革局"), ("危险废物产生量", "吨", 8200.0, 1.03, "发展和改革局"),
    ("节能环保支出", "万元", 31000.0, 1.04, "财政局"), ("环境监测经费", "万元", 1450.0, 1.06, "财政局"),
)  # fmt: skip


def yearly_statistics(world: World) -> Draft:
    """Statistics of the last five full years."""
    records = []
    for turn, year in enumerate(world.window.years(5)):
        time = midnight(date(year, 12, 31))
        for name, unit, first, growth, whose in _INDICATORS:
            value = (
                first
                * growth**turn
                * float(stream(world.seed, "statistics", name, f"{year}").normal(1, 0.01))
            )
            records.append({
                "time": time, "ready": time + 100 * DAY, "年份": year, "指标名称": name, "数值": round(value,
                 2), "计量单位": unit,
                "提供部门": whose,
            })  # fmt: skip
    return listed("yearly_statistics", "development_finance", "年度统计（合成）", records, "数据性质")
