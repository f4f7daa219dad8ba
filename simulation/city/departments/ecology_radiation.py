"""The region's radiation station: hourly gamma dose rate (for EURDEP), and nuclides in eight media by quarter."""

from __future__ import annotations

from datetime import date

import numpy as np

from simulation.city.delivery.block import Property, ordered, rarely
from simulation.city.delivery.feed import Draft, censored, constant, local, number, place, text
from simulation.city.delivery.series import detail, months, published
from simulation.city.delivery.truth import Plant
from simulation.city.nature.weather import places_of
from simulation.city.nature.world import World
from simulation.city.places.radiation import MEDIA, POINTS, STATIONS
from simulation.city.streams import stream
from simulation.city.window import DAY, HOUR, midnight

PROPERTIES = (
    Property("dose_rate", "nSv/h", 1, missing=0.012, other_unit=("uSv/h", 0.001), sentinel=-1.0),
    Property("rain", "mm", 1, missing=0.01, faults=rarely("gap")),
)
NUCLIDES = tuple(
    Property(f"{medium}:{nuclide}", unit, 5, missing=0.02, faults=rarely("gap", "correction", "unit_error", "spike"),
             other_unit=("k" + unit, 0.001))
    for medium, (unit, usual) in MEDIA.items()
    for nuclide in usual
)  # fmt: skip


def radiation_dose_hour(world: World) -> Draft:
    """Mean dose rate of each hour, nSv/h, cosmic rays included; `begin` and `end` are UTC, as EURDEP wants."""
    dose, brought = world.dose
    times = world.hours
    values = {"dose_rate": dose, "rain": world.weather.rain[:, places_of(STATIONS)]}
    utc = -8 * HOUR
    return Draft(
        name="radiation_dose_hour", department="radiation_station", title="γ辐射剂量率小时值（合成）", step=HOUR,
        day_boundary=0, properties=PROPERTIES,
        columns=(
            place("locality_code"), place("locality_name", "name"), local("begin", "start", "%Y-%m-%dT%H:%M:%SZ", utc),
            local("end", "end", "%Y-%m-%dT%H:%M:%SZ", utc), number("value", "dose_rate"), number("rain", "rain"),
            constant("unit", "nSv/h"), constant("label", "synthetic"),
        ),
        clean=detail(
            world.window, times, STATIONS, values, PROPERTIES,
            published(times, HOUR, len(STATIONS), stream(world.seed, "radiation_dose_hour"), (8, 20)),
        ),
        phenomena=_rises(world, brought),
        months=lambda: months(times, STATIONS, values, PROPERTIES),
    )  # fmt: skip


def _rises(world: World, brought: np.ndarray) -> list[Plant]:  # type: ignore[type-arg]
    """Hours in which rain alone raised the dose rate by ten nSv/h or more: high, and no accident."""
    part = world.window.detail(world.hours)
    times, high = world.hours[part], brought[part] >= 10
    found = []
    for number_, station in enumerate(STATIONS):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], high[:, number_], [0])).astype(np.int8)))
        for first, last in edges.reshape(-1, 2):
            most = round(float(brought[part][first:last, number_].max()), 1)
            found.append(
                Plant(
                    "rain_dose", "phenomenon", "radiation_dose_hour", station.code, "dose_rate", int(times[first]),
                    int(times[last - 1]) + HOUR, {"raised_nSv_h": most},
                )
            )  # fmt: skip
    return found


def radiation_sample(world: World) -> Draft:
    """Activities by quarter, point, medium and nuclide; `result` as a laboratory writes it."""
    rng = stream(world.seed, "radiation_sample")
    records = []
    for month in world.window.month_starts():
        if month.month not in (2, 5, 8, 11) or month.replace(day=20) > world.window.last_day:
            continue
        for spot, point in enumerate(POINTS):
            unit, usual = MEDIA[point.kind]
            sampled = midnight(date(month.year, month.month, 5 + spot)) + 9 * HOUR
            for nuclide, level in usual.items():
                records.append({
                    "time": sampled, "site": spot, "ready": sampled + 25 * DAY, "item": f"{point.kind}:{nuclide}",
                    "value": level * float(np.exp(rng.normal(0, 0.25))), "nuclide": nuclide, "unit": unit,
                    "detection_limit": f"{level * 0.6:.5f}" if nuclide == "Cs-137" else None, "decimals": 5,
                    "sample_no": f"FS{month:%Y%m}{spot:02d}",
                })  # fmt: skip
    return Draft(
        name="radiation_sample", department="radiation_station", title="辐射环境介质样品（合成）", step=None,
        day_boundary=0, properties=NUCLIDES,
        columns=(
            text("sample_no"), place("point_code"), place("point_name", "name"), place("medium", "kind"),
            local("sampled_at"), text("nuclide"), censored("result", form="<{limit}"), text("unit"),
            text("detection_limit"), local("modified_at", "changed"), constant("label", "synthetic"),
        ),
        clean=ordered(POINTS, records, NUCLIDES, item="item"),
    )  # fmt: skip
