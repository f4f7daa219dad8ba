"""What features of any format have: attributes, and a geometry as text."""

from __future__ import annotations

from typing import Any

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import FeaturesForm
from ecowarehouse.formats.model import compare_header
from ecowarehouse.formats.numbers import plain
from ecowarehouse.formats.reference import System

ADDED = ("feature_id", "geometry", "geometry_x", "geometry_y", "crs")


class Attributes:
    """Which attributes of a feature are which columns of a contract."""

    def __init__(self, contract: Contract, form: FeaturesForm) -> None:
        self._contract = contract
        self._form = form
        self._asked = set(contract.header)

    def column(self, name: str) -> str | None:
        """The column of an attribute, None for one that the contract ignores."""
        return None if name in self._form.ignore else self._form.headings.get(name, name)

    def compare(self, names: list[str]) -> None:
        """Compare all attributes of a layer with the contract.

        Raises:
            FormatProblem: header_changed.
        """
        columns = [column for column in map(self.column, names) if column is not None]
        compare_header(self._contract, [*columns, *self._added(columns)])

    def cells(self, attributes: dict[str, str], added: dict[str, str]) -> list[tuple[str, str | None]]:
        """The cells of one feature: its attributes, and what was asked for of what is worked out."""
        named = [(self.column(name), text) for name, text in attributes.items()]
        cells: list[tuple[str, str | None]] = [(name, text) for name, text in named if name is not None]
        own = [name for name, _ in cells]
        return cells + [(name, added[name]) for name in self._added(own)]

    def _added(self, own: list[str]) -> list[str]:
        return [name for name in ADDED if name in self._asked and name not in own]


def geometry_cells(geometry: Any, form: FeaturesForm, system: System) -> dict[str, str]:
    """A geometry of shapely, or None, as text; x and y of a point alone.

    Raises:
        NoGeometryError: it lies where nothing lies in its reference system.
    """
    import shapely

    if geometry is None or geometry.is_empty:
        return {"geometry": "", "geometry_x": "", "geometry_y": ""}
    system.refuse_beyond(geometry)
    text = shapely.to_wkb(geometry, hex=True) if form.geometry == "wkb" else _wkt(geometry)
    point = geometry.geom_type == "Point"
    return {
        "geometry": text,
        "geometry_x": plain(geometry.x) if point else "",
        "geometry_y": plain(geometry.y) if point else "",
    }


def _wkt(geometry: Any) -> str:
    import shapely

    return str(shapely.to_wkt(geometry, rounding_precision=-1, trim=True))
