"""Places where noise is measured: functional zones 0 to 4b, roads, sensitive points, a yearly grid."""

from __future__ import annotations

from simulation.city.places.geography import Site, site

_ZONES = (
    ("0", "西山疗养区", "西山镇"), ("0", "紫荆康养区", "紫荆镇"), ("1", "城西住宅区", "西山镇"),
    ("1", "江口住宅区", "江口镇"), ("2", "中心商住区", "西山镇"), ("2", "木乐商住区", "木乐镇"),
    ("3", "长安工业区", "寻旺乡"), ("3", "龙门工业区", "蒙圩镇"), ("4a", "城北大道", "西山镇"),
    ("4a", "国道旁", "蒙圩镇"), ("4b", "铁路旁甲", "南木镇"), ("4b", "铁路旁乙", "社坡镇"),
)  # fmt: skip
_SENSITIVE = (
    ("hospital", "人民医院", "1"), ("hospital", "中医院", "1"), ("school", "第一小学", "1"), ("school",
     "浔州高中", "1"),
    ("residence", "江滨小区", "2"), ("residence", "长安小区", "2"),
)  # fmt: skip
METERS: tuple[Site, ...] = (
    *(site(f"GPN{n:02d}", f"{name}{zone}类功能区", "function_zone", town, zone=zone)
      for n, (zone, name, town) in enumerate(_ZONES, start=1)),
    *(site(f"GPN{n:02d}", f"道路{n - 20}号", "road", "西山镇", 2.5, zone="4a", road_m=800 + 150 * (n % 5))
      for n in range(21, 27)),
    *(site(f"GPN{n:02d}", name, "sensitive", "西山镇", 2.0, zone=zone, sensitive=kind)
      for n, (kind, name, zone) in enumerate(_SENSITIVE, start=31)),
)  # fmt: skip
BY_MINUTE = tuple(m for m in METERS if m.code in ("GPN05", "GPN09", "GPN31"))
GRID: tuple[Site, ...] = tuple(
    site(f"GPNG{n:03d}", f"区域噪声网格{n}号", "grid", "西山镇", 4.0, zone="1223"[n % 4])
    for n in range(1, 101)
)
