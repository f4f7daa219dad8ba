"""The laboratory data base of the ecology and environment bureau: samples and, apart from them, results."""

from __future__ import annotations

from typing import Any

from simulation.city.delivery.block import Property, ordered, rarely
from simulation.city.delivery.feed import Draft, censored, constant, local, place, text
from simulation.city.delivery.records import listed
from simulation.city.nature.samples import results, samples
from simulation.city.nature.world import World
from simulation.city.places.geography import Site
from simulation.city.places.laboratory import DRINKING, LIVING, SUPERVISED, Item
from simulation.city.places.pollution import WATER_OUTLETS
from simulation.city.places.water import ECOLOGY_POINTS, INTAKES, SECTIONS
from simulation.city.streams import stream
from simulation.city.window import CHINA_OFFSET, DAY

BY_PROJECT: dict[str, tuple[Site, ...]] = {
    "SW": SECTIONS,
    "DW": INTAKES,
    "AE": ECOLOGY_POINTS,
    "SV": WATER_OUTLETS,
}
_SITES = tuple(site for sites in BY_PROJECT.values() for site in sites)
_ITEMS: dict[str, Item] = {item.name: item for item in (*SUPERVISED, *LIVING, *DRINKING)}
PROPERTIES = tuple(
    Property(
        item.name, item.unit, item.decimals, limit=item.limit, missing=0.006, other_unit=item.other_unit,
        faults=rarely("gap", "correction", "sentinel", "spike", "unit_error"),
    )
    for item in _ITEMS.values()
)  # fmt: skip


def lab_sample(world: World) -> Draft:
    """Bottles: point, vertical, layer and depth (m), when taken and received, laboratory, report, blank or parallel."""
    records = [
        {
            "time": s.taken, "site": s.site, "ready": s.arrived, "SAMPLE_NO": s.number, "PROJECT": s.project_name,
            "POINT_CODE": _SITES[s.site].code,
            "POINT_NAME": _SITES[s.site].name, "VERTICAL": s.vertical, "LAYER": s.layer, "DEPTH_M": s.depth,
            "SAMPLED_AT": _local(s.taken), "RECEIVED_AT": _local(s.arrived), "LAB_CODE": s.laboratory,
            "REPORT_NO": s.report, "QC_KIND": s.quality, "PARALLEL_OF": s.parallel_of,
        }
        for s in samples(world.window, dict(BY_PROJECT), world.seed)
    ]  # fmt: skip
    return listed(
        "lab_sample",
        "ecology_environment",
        "实验室样品（合成）",
        records,
        "DATA_LABEL",
        _SITES,
        modified="MODIFIED_AT",
    )


def lab_result(world: World) -> Draft:
    """Results of the bottles as the laboratory writes them (`0.025L` below the limit), one row a sample and item."""
    records: list[dict[str, Any]] = []
    for s in samples(world.window, dict(BY_PROJECT), world.seed):
        rng = stream(world.seed, "lab", s.parallel_of or s.number)
        again = stream(world.seed, "lab", s.number)
        for item, value in results(s, _SITES[s.site], world.water, rng):
            same = 1 + 0.02 * float(again.normal()) if s.parallel_of else 1.0
            records.append({
                "time": s.taken, "site": s.site, "ready": s.issued, "item": item.name, "value": value * same,
                "SAMPLE_NO": s.number, "ITEM_CODE": item.code, "ITEM_NAME": item.chinese, "UNIT": item.unit,
                "METHOD": item.method,
                "detection_limit": None if item.limit is None else f"{item.limit:.6f}".rstrip("0").rstrip("."),
                "decimals": item.decimals, "ANALYSED_AT": _local(s.taken + 2 * DAY),
                "ANALYST": f"分析员{s.site % 7 + 1}",
                "CHECKED_BY": "校核员甲", "SIGNED_BY": "授权签字人乙", "REPORT_NO": s.report,
            })  # fmt: skip
    return Draft(
        name="lab_result", department="ecology_environment", title="实验室结果（合成）", step=None, day_boundary=0,
        properties=PROPERTIES,
        columns=(
            text("SAMPLE_NO"), place("POINT_CODE"), text("ITEM_CODE"), text("ITEM_NAME"), censored("RESULT"),
            text("UNIT"), text("DETECTION_LIMIT", "detection_limit"), text("METHOD"), text("ANALYSED_AT"),
            text("ANALYST"), text("CHECKED_BY"), text("SIGNED_BY"), text("REPORT_NO"),
            local("MODIFIED_AT", "changed"), constant("DATA_LABEL", "synthetic"),
        ),
        clean=ordered(_SITES, records, PROPERTIES, item="item"),
    )  # fmt: skip


def _local(seconds: int) -> Any:
    import numpy as np

    return np.datetime64(seconds + CHINA_OFFSET, "s").item()
