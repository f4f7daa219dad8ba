"""The ecology and environment bureau: hourly means of outlets of key sources, by permit and outlet number."""

from __future__ import annotations

from collections.abc import Sequence

from simulation.city.delivery.block import Property, rarely
from simulation.city.delivery.feed import Draft, constant, local, number, place
from simulation.city.delivery.series import detail, months, published
from simulation.city.delivery.truth import Plant
from simulation.city.nature.pollution import TO_AIR, TO_WATER, Discharge
from simulation.city.nature.world import World
from simulation.city.places.geography import Site
from simulation.city.places.pollution import AIR_OUTLETS, WATER_OUTLETS
from simulation.city.streams import stream
from simulation.city.window import HOUR

_SIDE = rarely("gap", "sentinel", "flat_line", "correction")
_UNITS_WATER = {"flow": ("m3/h", 1, None), "ph": ("1", 2, None), "cod": ("mg/L", 1, ("g/L", 0.001)),
                "ammonia_nitrogen": ("mg/L", 2, ("ug/L", 1000.0)), "total_phosphorus": ("mg/L", 3, ("ug/L", 1000.0)),
                "total_nitrogen": ("mg/L", 2, ("ug/L", 1000.0))}  # fmt: skip
_UNITS_AIR = {"gas_flow": ("m3/h", 0, None), "so2": ("mg/m3", 1, ("ug/m3", 1000.0)), "nox": ("mg/m3", 1,
  ("ug/m3", 1000.0)),
              "dust": ("mg/m3", 2, ("ug/m3", 1000.0)), "oxygen": ("%", 2, None), "gas_temperature": ("Cel", 1, None),
              "gas_humidity": ("%", 2, None)}  # fmt: skip


def _properties(
    units: dict[str, tuple[str, int, tuple[str, float] | None]], limits: dict[str, float | None]
) -> tuple[Property, ...]:
    return tuple(
        Property(
            name, unit, decimals, missing=0.02, other_unit=other, cap=limits[name],
            **({} if limits[name] is not None else {"faults": _SIDE}),
        )
        for name, (unit, decimals, other) in units.items()
    )  # fmt: skip


WATER = _properties(_UNITS_WATER, {name: habit[2] for name, habit in TO_WATER.items()})
AIR = _properties(_UNITS_AIR, {name: habit[2] for name, habit in TO_AIR.items()})
_CODES = {
    "flow": "w00000", "ph": "w01001", "cod": "w01018", "ammonia_nitrogen": "w21003", "total_phosphorus": "w21011",
    "total_nitrogen": "w21001", "gas_flow": "a00000", "so2": "a21026", "nox": "a21002", "dust": "a34013",
    "oxygen": "a19001", "gas_temperature": "a01012", "gas_humidity": "a01014",
}  # fmt: skip


def outlet_water_hour(world: World) -> Draft:
    """Outlets to water (DW); columns are codes of HJ 212, `DataTime` is the start of the hour."""
    return _outlets(
        world, "outlet_water_hour", "废水排放口小时值（合成）", WATER_OUTLETS, WATER, world.to_water
    )


def outlet_gas_hour(world: World) -> Draft:
    """Outlets to air (DA); concentrations at reference oxygen (折算), mg/m³."""
    return _outlets(world, "outlet_gas_hour", "废气排放口小时值（合成）", AIR_OUTLETS, AIR, world.to_air)


def _outlets(
    world: World,
    name: str,
    title: str,
    sites: Sequence[Site],
    properties: tuple[Property, ...],
    found: Discharge,
) -> Draft:
    return Draft(
        name=name, department="ecology_environment", title=title, step=HOUR, day_boundary=0, properties=properties,
        columns=(
            place("PermitNo", "permit"), place("OutletNo", "outlet"), place("MN", "mn"),
            local("DataTime", form="%Y%m%d%H%M%S"), *(number(f"{_CODES[p.name]}-Avg", p.name) for p in properties),
            local("ReceivedAt", "changed", "%Y-%m-%d %H:%M:%S"), constant("Label", "synthetic"),
        ),
        clean=detail(
            world.window, found.times, sites, found.values, properties,
            published(found.times, HOUR, len(sites), stream(world.seed, name), (1, 10)),
        ),
        phenomena=[
            Plant(
                "exceedance", "phenomenon", name, sites[e.outlet].code, e.property, e.begin, e.end,
                {"limit": e.limit, "factor": e.factor, "basis": "hour_mean"},
            )
            for e in found.excesses
        ],
        months=lambda: months(found.times, sites, found.values, properties),
    )  # fmt: skip
