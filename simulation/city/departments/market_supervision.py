"""The market supervision bureau: verification, calibration and acceptance of devices, accreditation of institutions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from simulation.city.delivery.feed import Draft
from simulation.city.delivery.records import NEVER, listed, until
from simulation.city.delivery.truth import Plant
from simulation.city.departments.ecology_registers import device_register
from simulation.city.nature.world import World
from simulation.city.places.geography import SYNTHETIC
from simulation.city.places.laboratory import LABORATORIES
from simulation.city.window import midnight

_SUSPENDED = 2  # the number of the laboratory that lost its accreditation for a while


def device_verification(world: World) -> Draft:
    """Records of three kinds (检定, 校准, 验收) by device, each with its end; every eleventh ran out lately."""
    register = device_register(world).clean
    assert register.gone is not None
    standing = register.gone == NEVER  # each device once, as it stands at last
    devices = {key: cells[standing] for key, cells in register.texts.items()}
    records: list[dict[str, Any]] = []
    expired: list[Plant] = []
    for number, (serial, site, installed) in enumerate(
        zip(devices["device_no"], devices["site_code"], devices["installed_on"], strict=True)
    ):
        lapse = number % 11 == 6
        last = (
            world.window.first_day + timedelta(days=30 + number % 60)
            if lapse
            else world.window.last_day + timedelta(days=90 + number % 200)
        )
        for kind, on, ends in (
            ("验收", installed, None), ("校准", world.window.first_day - timedelta(days=number % 80),
             last + timedelta(days=200)),
            ("检定", last - timedelta(days=365), last),
        ):  # fmt: skip
            records.append({
                "time": midnight(on), "ready": midnight(on), "证书编号": f"SYN{kind[0]}{on:%Y%m%d}{number:04d}",
                "设备编号": serial,
                "点位编号": site, "类别": kind, "检定日期": on, "有效期至": ends, "结论": "合格", "机构": "合成计量所",
            })  # fmt: skip
        if lapse:
            expired.append(Plant(
                "expired_verification", "phenomenon", "device_verification", str(site), "", midnight(last),
                world.window.end,
                {"device": str(serial)},
            ))  # fmt: skip
    return listed(
        "device_verification",
        "market_supervision",
        "监测设备检定校准验收（合成）",
        records,
        "数据性质",
        phenomena=expired,
    )


def institution_accreditation(world: World) -> Draft:
    """Accreditation (CMA) of laboratories and operators; that of the third laboratory was suspended for thirty days."""
    year = world.window.first_day.year
    records: list[dict[str, Any]] = []
    for number, code in enumerate((*LABORATORIES, "OP01", "OP02", "OP03")):
        granted, ends = date(year - 4, 2 + number, 5), date(year + 2, 2 + number, 4)
        record = {
            "time": midnight(granted), "ready": midnight(granted), "机构代码": code,
            "机构名称": f"合成机构{number + 1}{SYNTHETIC}",
            "资质": "CMA" if code.startswith("SYN") else "运维能力", "证书编号": f"SYN26{number:04d}",
            "自": granted, "至": ends,
            "状态": "有效", "等级": "ABC"[number % 3],
        }  # fmt: skip
        if number != _SUSPENDED:
            records.append(record)
            continue
        stopped = world.window.first_day + timedelta(days=50)
        again = stopped + timedelta(days=30)
        records += until(record, midnight(stopped), 至=stopped)
        for first, last, state in ((stopped, again, "暂停"), (again, ends, "有效")):
            span = {"time": midnight(first), "ready": midnight(first), "自": first, "至": last, "状态": state}
            records.append({**record, **span})
    return listed(
        "institution_accreditation", "market_supervision", "检测机构资质认定（合成）", records, "数据性质"
    )
