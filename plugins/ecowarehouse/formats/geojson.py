"""GeoJSON (RFC 7946): one feature is one row. Numbers of properties stay the text that was received."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import GeojsonForm
from ecowarehouse.formats.features import Attributes, geometry_cells
from ecowarehouse.formats.json_items import parse, pointed, text_of
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, RowBuilder
from ecowarehouse.formats.reference import NoGeometryError, System, system_of
from ecowarehouse.formats.sniff import Source

_CRS84 = "OGC:CRS84"  # what RFC 7946 says of every file that names none
_DEEPEST = 6


def read(contract: Contract, form: GeojsonForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of a FeatureCollection. A feature whose geometry is none is a reject.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    source.expect_text()
    content = parse(source.whole())
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        raise FormatProblem("not_the_format", "no FeatureCollection with a list of features")
    system = system_of(contract, _named_system(content))
    attributes = Attributes(contract, form)
    builder = RowBuilder(contract.header, contract.optional)
    for feature in features:
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise FormatProblem("not_the_format", f"item {builder.count + 1} of features is no Feature")
        _add(builder, attributes, form, feature, system)
        if builder.full:
            yield builder.take()
    yield builder.finish(None)


def _add(
    builder: RowBuilder, attributes: Attributes, form: GeojsonForm, feature: dict[str, Any], system: System
) -> None:
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise FormatProblem("not_the_format", f"properties of feature {builder.count + 1} are no object")
    try:
        geometry = geometry_cells(_geometry(feature.get("geometry")), form, system)
    except NoGeometryError as error:
        builder.reject("geometry_unreadable", f"no geometry: {error}", text_of(feature)[:2000])
        return
    added = geometry | {"feature_id": text_of(feature.get("id")), "crs": system.said}
    builder.add(attributes.cells({name: text_of(value) for name, value in properties.items()}, added))


def _named_system(content: dict[str, Any]) -> str:
    """What the file names, or RFC 7946 in its place; empty when it is named in a way that nobody can read."""
    if content.get("crs") is None:
        return _CRS84
    return text_of(pointed(content, "/crs/properties/name"))


def _geometry(said: Any) -> Any:
    import shapely

    if said is None:
        return None
    if not isinstance(said, dict):
        raise NoGeometryError("it is no object")
    try:
        return shapely.from_geojson(json.dumps(_numbers(said, 0)))
    except (shapely.errors.ShapelyError, ValueError, TypeError, RecursionError) as error:
        raise NoGeometryError(str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def _numbers(said: Any, depth: int) -> Any:
    """A geometry with coordinates as numbers again: everything else of a payload stays text."""
    if depth > 2 * _DEEPEST:
        raise NoGeometryError("it is nested deeper than any geometry")
    if isinstance(said, dict):
        return {
            name: _numbers(value, depth + 1) if name in ("coordinates", "geometries") else value
            for name, value in said.items()
        }
    if isinstance(said, list):
        return [_numbers(value, depth + 1) for value in said]
    return float(said) if isinstance(said, str) else said
