"""Features with geometries."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ecowarehouse.contracts.forms.base import HeadedForm


class FeaturesForm(HeadedForm):
    """Features; a property or attribute is a column.

    Beside these there are `feature_id`, `geometry`, `geometry_x` and `geometry_y` (of points alone) and `crs`,
    where the header names them.
    """

    geometry: Literal["wkt", "wkb"] = Field(
        default="wkt", description="how geometries are written; wkb: in hex"
    )


class GeojsonForm(FeaturesForm):
    """A FeatureCollection of GeoJSON."""


class GeopackageForm(FeaturesForm):
    """A GeoPackage (SQLite)."""

    layer: str = Field(default="", description="name of the table of features; empty: the only one there is")
