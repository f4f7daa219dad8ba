"""The ecology and environment bureau: its own automatic water stations, a reading every four hours (an instant)."""

from __future__ import annotations

import numpy as np

from simulation.city.delivery.block import Property, rarely
from simulation.city.delivery.feed import Draft, constant, local, number, place
from simulation.city.delivery.series import detail, months, published
from simulation.city.delivery.truth import Plant
from simulation.city.nature.world import World
from simulation.city.places.water import STATIONS
from simulation.city.streams import Floats, Ints, stream
from simulation.city.window import CHINA_OFFSET, HOUR

STEP = 4 * HOUR
_SLOW = rarely("gap", "correction", "sentinel", "unit_error", "flat_line", "drift", "spike")
PROPERTIES = (
    Property("water_temperature", "Cel", 1, missing=0.02, faults=_SLOW - {"unit_error", "flat_line"}),
    Property("ph", "1", 2, missing=0.02, faults=_SLOW - {"unit_error", "drift"}),
    Property("dissolved_oxygen", "mg/L", 2, missing=0.025, other_unit=("ug/L", 1000.0)),
    Property("conductivity", "uS/cm", 1, missing=0.02, other_unit=("mS/cm", 0.001)),
    Property("turbidity", "[NTU]", 1, missing=0.03, faults=_SLOW - {"unit_error"}),
    Property("codmn", "mg/L", 2, limit=0.5, missing=0.035),
    Property("ammonia_nitrogen", "mg/L", 3, limit=0.05, missing=0.035, other_unit=("ug/L", 1000.0), cap=1.0),
    Property("total_phosphorus", "mg/L", 3, limit=0.01, missing=0.035, other_unit=("ug/L", 1000.0), cap=0.2),
    Property("total_nitrogen", "mg/L", 2, limit=0.05, missing=0.04, other_unit=("ug/L", 1000.0)),
    Property("chlorophyll_a", "mg/L", 4, limit=0.0001, missing=0.05, other_unit=("mg/m3", 1000.0)),
)  # fmt: skip
_COLUMNS = (
    "waterTemp", "pH", "dissolvedOxygen", "conductivity", "turbidity", "codMn", "nh3n", "totalP", "totalN", "chlA"
)  # fmt: skip


def water_station_4h(world: World) -> Draft:
    """Readings at 00, 04, … 20; ammonia below its detection limit is shown as half of it, as the nation's feed does."""
    found = world.water
    here = (found.rivers.times + CHINA_OFFSET) % STEP == 0
    times: Ints = found.rivers.times[here]
    values = {p.name: _readings(world, p, here) for p in PROPERTIES}
    ready = published(times, 0, len(STATIONS), stream(world.seed, "water_station_4h"), (30, 100))
    clean = detail(world.window, times, STATIONS, values, PROPERTIES, ready)
    return Draft(
        name="water_station_4h",
        department="ecology_environment",
        title="市控水质自动站（合成）",
        step=STEP,
        day_boundary=0,
        properties=PROPERTIES,
        columns=(
            place("stationCode"), place("stationName", "name"), place("sectionCode", "section"),
            local("monitorTime", form="%Y-%m-%d %H:%M:%S"),
            *(number(column, p.name) for column, p in zip(_COLUMNS, PROPERTIES, strict=True)),
            local("updateTime", "changed", "%Y-%m-%d %H:%M:%S"), constant("dataLabel", "synthetic"),
        ),
        clean=clean,
        phenomena=[*_spills(world), *_decoys(times[world.window.detail(times)], clean.values["ammonia_nitrogen"])],
        months=lambda: months(times, STATIONS, values, PROPERTIES),
    )  # fmt: skip


def _readings(world: World, of: Property, here: np.ndarray) -> Floats:  # type: ignore[type-arg]
    own = stream(world.seed, "water_station_4h", of.name)
    series = [world.water.at(*_spot(number))[of.name][here] for number in range(len(STATIONS))]
    values = np.stack(series, axis=1)
    if of.name == "chlorophyll_a":
        values = values / 1000  # the model's mg/m³
    values = values * own.normal(1, 0.004 if of.name in ("ph", "water_temperature") else 0.02, values.shape)
    if of.limit is None:
        return values
    return np.where(values < of.limit, of.limit / 2, values)


def _spot(number: int) -> tuple[str, float]:
    known = STATIONS[number].attributes
    return str(known["river"]), float(known["share"])


def _spills(world: World) -> list[Plant]:
    return [
        Plant(
            "pollution_event", "phenomenon", "water_station_4h", station.code, name, begin, end,
            {"event": f"water-{spill.number}", "medium": "water", "river": spill.river, "began": spill.begin,
             "strength": spill.strength},
        )
        for number, station in enumerate(STATIONS)
        for spill, begin, end in world.water.passages(*_spot(number))
        for name in ("ammonia_nitrogen", "codmn", "total_phosphorus")
        if end > world.window.begin and begin < world.window.end
    ]  # fmt: skip


def _decoys(times: Ints, ammonia: Floats) -> list[Plant]:
    """Runs of three and more readings at half of the detection limit: flat, and no fault."""
    shown = ammonia.reshape(len(times), len(STATIONS)) == 0.025
    found = []
    for column, station in enumerate(STATIONS):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], shown[:, column], [0])).astype(np.int8)))
        for first, last in edges.reshape(-1, 2):
            if last - first >= 3:
                found.append(
                    Plant(
                        "half_limit_decoy", "phenomenon", "water_station_4h", station.code, "ammonia_nitrogen",
                        int(times[first]), int(times[last - 1]) + STEP, {"value": 0.025, "limit": 0.05},
                    )
                )  # fmt: skip
    return found
