"""The ecology and environment bureau's registers: sites with their history, devices, operators and visits, the plan.

History is the same for every seed but for its dates, which lie in the window: some sites move, are renamed,
reclassified or closed, devices are replaced, an operator hands over to another.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from simulation.city.delivery.feed import Draft
from simulation.city.delivery.records import listed, until
from simulation.city.nature.world import World
from simulation.city.places.geography import SYNTHETIC, Site
from simulation.city.places.pollution import SOURCES
from simulation.city.places.register import AUTOMATIC, all_sites
from simulation.city.streams import stream
from simulation.city.window import CHINA, DAY, HOUR, midnight

OPERATORS = (
    ("OP01", f"合成环境运维甲公司{SYNTHETIC}"), ("OP02", f"合成环境运维乙公司{SYNTHETIC}"), ("OP03",
     f"合成监测技术丙公司{SYNTHETIC}"),
)  # fmt: skip
# What happens to a site, by its code: day of the window, and what is different afterwards.
HISTORY: dict[str, tuple[int, str, dict[str, Any]]] = {
    "GPA1009": (40, "moved", {"longitude": 110.0835, "latitude": 23.4082}),
    "GPA1003": (62, "reclassified", {"kind": "source_oriented"}),
    "GPA2015": (25, "renamed", {"name": f"石龙镇中心站{SYNTHETIC}"}),
    "GPW010": (70, "moved", {"longitude": 110.0702, "latitude": 23.4101}),
    "GPNG100": (90, "closed", {}),
    "GPN03": (33, "renamed", {"name": f"城西文教区1类功能区{SYNTHETIC}"}),
    "GPS12": (80, "reclassified", {"kind": "urban_river"}),
}


def site_register(world: World) -> Draft:
    """Sites with validity: a site that changed has two rows; `valid_to` is open in the last."""
    built = midnight(world.window.month_starts()[0].replace(year=world.window.month_starts()[0].year - 3))
    records: list[dict[str, Any]] = []
    for element, department, site in all_sites():
        day, change, after = HISTORY.get(site.code, (None, "", {}))
        turned = None if day is None else world.window.first_day + timedelta(days=day)
        first = _site(element, department, site, built, None, None, "built")
        records += until(first, midnight(turned) if turned else None, valid_to=turned)
        if turned is not None and change != "closed":
            records.append(
                _site(element, department, _changed(site, after), midnight(turned), turned, None, change)
            )
    return listed(
        "site_register", "ecology_environment", "点位登记（合成）", records, "label", modified="modified_at"
    )


def device_register(world: World) -> Draft:
    """Analysers, meters and loggers of automatic stations; every ninth was replaced in the window (two rows)."""
    records: list[dict[str, Any]] = []
    for number, (element, site) in enumerate(_automatic()):
        installed = date(world.window.first_day.year - 3, 1 + number % 12, 1 + number % 27)
        replaced = world.window.first_day + timedelta(days=15 + number % 90) if number % 9 == 4 else None
        first = _device(element, site, f"SN{number:05d}A", installed)
        removed = midnight(replaced) if replaced else None
        records += until(first, removed, removed_on=replaced, state="removed")
        if replaced:
            records.append(_device(element, site, f"SN{number:05d}B", replaced))
    return listed("device_register", "ecology_environment", "监测设备登记（合成）", records, "label")


def operator_register(world: World) -> Draft:
    """Who runs which station from when to when; every fifth changed hands in the middle of the window."""
    records: list[dict[str, Any]] = []
    middle = world.window.first_day + timedelta(days=world.window.days // 2)
    for number, (element, site) in enumerate(_automatic()):
        begun = date(world.window.first_day.year - 1, 1, 1)
        handed = middle if number % 5 == 2 else None
        for first, last, turn in ((begun, handed, 0), *(((handed, None, 1),) if handed else ())):
            code, name = OPERATORS[(number + turn) % len(OPERATORS)]
            contract = {
                "time": midnight(first), "ready": midnight(first), "operator_code": code, "operator_name": name,
                "element": element, "site_code": site.code, "valid_from": first, "valid_to": None,
                "contract_no": f"SYN-YW-{first:%Y}-{number:03d}", "response_hours": 4 if element == "air" else 8,
            }  # fmt: skip
            records += until(contract, midnight(last) if last else None, valid_to=last)
    return listed("operator_register", "ecology_environment", "运维合同（合成）", records, "label")


def operator_visit(world: World) -> Draft:
    """Visits of operators: weekly rounds with zero and span checks, and calls with how long they took to come."""
    records: list[dict[str, Any]] = []
    handed = world.window.first_day + timedelta(days=world.window.days // 2)
    for number, (element, site) in enumerate(_automatic()):
        rng = stream(world.seed, "visits", site.code)
        for week in range(world.window.days // 7):
            time = world.window.begin + (week * 7 + number % 5) * DAY + int(rng.integers(8, 17)) * HOUR
            called = rng.random() < 0.08
            arrived = datetime.fromtimestamp(time, CHINA)
            waited = timedelta(minutes=round(60 * float(rng.gamma(3, 1.3)))) if called else timedelta()
            turn = 1 if number % 5 == 2 and arrived.date() >= handed else 0
            records.append({
                "time": time, "ready": time + 2 * HOUR, "visit_no": f"V{number:03d}{week:02d}", "site_code": site.code,
                "element": element, "kind": "fault_call" if called else "routine",
                "operator_code": OPERATORS[(number + turn) % len(OPERATORS)][0],
                "raised_at": (arrived - waited).isoformat(), "arrived_at": arrived.isoformat(),
                "zero_drift_percent": round(float(rng.normal(0, 0.8)), 2),
                "span_drift_percent": round(float(rng.normal(0, 2.0)), 2),
                "action": "更换采样管路" if called else "巡检、零跨检查",
            })  # fmt: skip
    return listed("operator_visit", "ecology_environment", "运维巡检记录（合成）", records, "label")


def site_plan(world: World) -> Draft:
    """The network plan: when each point was planned, approved, built, accepted, put into service; some are not yet."""
    year = world.window.first_day.year
    records: list[dict[str, Any]] = []
    for number, (element, department, site) in enumerate(all_sites()):
        reached = 5 if number % 17 else 1 + number % 4
        dates = [
            date(year - 3, 1, 10),
            date(year - 3, 3, 1),
            date(year - 3, 8, 15),
            date(year - 3, 10, 20),
            date(year - 3, 11, 1),
        ]
        steps = ("planned", "approved", "built", "accepted", "running")
        records.append({
            "time": midnight(dates[0]), "ready": midnight(dates[0]), "plan_no": f"WL{number + 1:04d}",
            "element": element,
            "department": department, "site_code": site.code, "site_type": site.kind, "township_code": site.township,
            "reason": "查遗补缺", "approval_no": f"SYN环测〔{year - 3}〕{number % 40 + 1}号" if reached > 1 else None,
            **{step: dates[turn] if turn < reached else None for turn, step in enumerate(steps)},
        })  # fmt: skip
    for number in range(1, 9):
        records.append({
            **records[number * 3], "plan_no": f"WL9{number:03d}", "site_code": f"SYNPLAN{number:02d}", "built": None,
            "accepted": None, "running": None,
        })  # fmt: skip
    return listed("site_plan", "ecology_environment", "监测网络点位规划（合成）", records, "label")


def source_register(world: World) -> Draft:
    """Key pollution sources of each year: permit, trade, kind of the list, limits of the permit."""
    limits = {
        "DW": "w01018<=100mg/L;w21003<=15mg/L;w21011<=0.5mg/L;w21001<=30mg/L",
        "DA": "a21026<=200mg/m3;a21002<=300mg/m3;a34013<=30mg/m3",
    }
    records = [
        {
            "time": midnight(date(year, 3, 31)), "ready": midnight(date(year, 3, 31)), "年度": year,
            "排污许可证编号": of.permit,
            "统一社会信用代码": f"SYN450881{of.number:09d}", "单位名称": of.name + SYNTHETIC, "行业": of.trade,
            "所在乡镇": of.town,
            "名录类别": ";".join(kind for kind, has in (("水环境重点", of.to_water), ("大气环境重点",
               of.to_air)) if has),
            "废水排放口数": of.to_water, "废气排放口数": of.to_air,
            "许可限值": ";".join(limits[k] for k, has in (("DW", of.to_water), ("DA", of.to_air)) if has),
        }
        for year in (*world.window.years(2), world.window.last_day.year)
        for of in SOURCES
    ]  # fmt: skip
    return listed(
        "source_register", "ecology_environment", "环境监管重点单位名录（合成）", records, "数据性质"
    )


def _automatic() -> list[tuple[str, Site]]:
    return [(element, site) for element, _, site in all_sites() if element in AUTOMATIC]


def _changed(site: Site, after: dict[str, Any]) -> Site:
    fields = {
        name: after.get(name, getattr(site, name))
        for name in ("code", "name", "kind", "township", "longitude", "latitude")
    }
    return Site(**fields, attributes=site.attributes)


def _site(
    element: str, department: str, site: Site, ready: int, since: date | None, until: date | None, change: str
) -> dict[str, Any]:
    return {
        "time": ready, "ready": ready, "element": element, "department": department, "site_code": site.code,
        "site_name": site.name, "site_type": site.kind, "township_code": site.township, "longitude": site.longitude,
        "latitude": site.latitude, "crs": "EPSG:4490", "valid_from": since or date.fromordinal(_ordinal(ready)),
        "valid_to": until, "change": change, "owners": department + (";meteorology" if site.code == "GPA1005" else ""),
    }  # fmt: skip


def _device(element: str, site: Site, serial: str, installed: date) -> dict[str, Any]:
    return {
        "time": midnight(installed), "ready": midnight(installed), "device_no": serial, "site_code": site.code,
        "element": element, "model": f"合成-{element}-{len(site.code) % 3 + 1}型", "mn": site.attributes.get("mn"),
        "installed_on": installed, "removed_on": None, "state": "running",
    }  # fmt: skip


def _ordinal(seconds: int) -> int:
    return date(1970, 1, 1).toordinal() + (seconds + 8 * HOUR) // DAY
