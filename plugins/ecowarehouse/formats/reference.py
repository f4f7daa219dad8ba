"""Reference systems: what a file says of its coordinates, held against what the contract says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ecowarehouse.contracts import Contract, EntityContract, ObservationContract
from ecowarehouse.formats.model import FormatProblem

_NAMED = re.compile(r"(?:.*[:/])?(EPSG|OGC)(?:[:/][0-9.]*)?[:/]+([A-Z0-9]+)", re.IGNORECASE)
# Less than a metre apart: a file that keeps to RFC 7946 may say none but the first, whichever its department uses.
_WORLD: Final = frozenset({"OGC:CRS84", "EPSG:4326", "EPSG:4490"})
# With Beijing 54, Xi'an 80, ETRS89 and NAD83: what is written in degrees. Others are in metres, or nobody asked yet.
_DEGREES: Final = _WORLD | {"EPSG:4214", "EPSG:4610", "EPSG:4258", "EPSG:4269"}
_FURTHEST: Final = (180.0, 90.0)


class NoGeometryError(ValueError):
    """What is said of a geometry can't be one."""


@dataclass(frozen=True, slots=True)
class System:
    """The reference system of a file, as the file says it."""

    said: str

    def refuse_beyond(self, geometry: Any) -> None:
        """Refuse coordinates that lie outside of the world.

        Raises:
            NoGeometryError: a longitude beyond 180 or a latitude beyond 90 degrees, or none at all.
        """
        import shapely

        if _normal(self.said) not in _DEGREES:
            return
        pairs = shapely.get_coordinates(geometry)
        # Asked so, a coordinate that is no number lies outside too.
        outside = pairs[~(abs(pairs) <= _FURTHEST).all(axis=1)]
        if len(outside):
            longitude, latitude = outside[0]
            raise NoGeometryError(f"{longitude:.15g} {latitude:.15g} is no longitude and latitude in degrees")


def system_of(contract: Contract, said: str) -> System:
    """The system that a file names, when the contract promises the same one or none.

    Raises:
        FormatProblem: not_the_format, naming both.
    """
    found = _normal(said)
    for promised in _promised(contract):
        if found != promised and not {found, promised} <= _WORLD:
            shown = said or "no reference system that can be read"
            raise FormatProblem(
                "not_the_format",
                f"the coordinates are in {shown}, and the contract says {promised}:"
                " ask for a file in that system, or correct the contract's crs",
            )
    return System(said)


def _normal(said: str) -> str:
    """`EPSG:4490` of every way to write it: with an edition, as a URN, as a URL."""
    match = _NAMED.fullmatch(said.strip())
    return f"{match[1]}:{match[2]}".upper() if match else said.strip()


def _promised(contract: Contract) -> Iterator[str]:
    """What the contract says of the geometries that the file gives."""
    if isinstance(contract, EntityContract):
        yield from (
            value.crs for value in contract.values.values() if value.crs and value.column == "geometry"
        )
    elif isinstance(contract, ObservationContract) and contract.site.longitude == "geometry_x":
        yield from [contract.site.crs] if contract.site.crs else []
