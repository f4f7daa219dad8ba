"""Stations of ambient air: every type of HJ 664, one township station in each of the 26 townships."""

from __future__ import annotations

from simulation.city.places.geography import TOWNSHIPS, Site, site

# HJ 664: 评价点 assessment, 对照点 reference, 区域点 regional, 背景点 background, 路边交通点 traffic,
# 污染监控点 source_oriented
_URBAN = (
    ("GPA1001", "城东小学", "assessment", "西山镇", (110.0905, 23.4010)),
    ("GPA1002", "人民医院", "assessment", "西山镇", (110.0762, 23.3921)),
    ("GPA1003", "长安工业园", "assessment", "寻旺乡", (110.1012, 23.3655)),
    ("GPA1004", "西山风景区", "reference", "西山镇", (110.0480, 23.4010)),
    ("GPA1005", "大瑶山南麓", "background", "紫荆镇", (110.0710, 23.6600)),
    ("GPA1006", "罗秀南", "regional", "罗秀镇", (110.2350, 23.0700)),
    ("GPA1007", "黔江走廊", "regional", "石龙镇", (109.8830, 23.4200)),
    ("GPA1008", "浔江走廊", "regional", "木乐镇", (110.3350, 23.4700)),
    ("GPA1009", "城北大道路边", "traffic", "西山镇", (110.0810, 23.4060)),
    ("GPA1010", "国道路边", "traffic", "蒙圩镇", (109.9900, 23.3640)),
    ("GPA1011", "水泥厂下风向", "source_oriented", "蒙圩镇", (109.9660, 23.3480)),
    ("GPA1012", "垃圾焚烧厂下风向", "source_oriented", "寻旺乡", (110.1250, 23.3380)),
)
STATIONS: tuple[Site, ...] = (
    *(site(code, name, kind, town, at=at, control_level="county") for code, name, kind, town, at in _URBAN),
    *(
        site(f"GPA20{number:02d}", f"{t.name}站", "township", t.name, 1.0, control_level="county")
        for number, t in enumerate(TOWNSHIPS, start=1)
    ),
)
CORRIDOR = ("GPA1007", "GPA1008")
