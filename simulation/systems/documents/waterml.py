"""WaterML 2.0 (OGC 10-126r4): a collection of time series, one observation for each property of a site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa

_NAMESPACES = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "wml2": "http://www.opengis.net/waterml/2.0", "gml": "http://www.opengis.net/gml/3.2",
        "om": "http://www.opengis.net/om/2.0", "xlink": "http://www.w3.org/1999/xlink",
        "sams": "http://www.opengis.net/samplingSpatial/2.0",
    }.items()
)  # fmt: skip
_OFFSET = "+08:00"


def collection(
    table: pa.Table, properties: Mapping[str, tuple[str, str]], names: Mapping[str, tuple[str, float, float]]
) -> bytes:
    """Series of a table with `STCD`, `TM` (local) and a column for each property.

    `properties` are (title, UCUM unit) by column, `names` (name, latitude, longitude) by site code.
    """
    parts = [f'<?xml version="1.0" encoding="UTF-8"?>\n<wml2:Collection gml:id="synthetic" {_NAMESPACES}>\n']
    codes = table["STCD"].to_pylist()
    times = table["TM"].to_pylist()
    for code in dict.fromkeys(codes):
        here = [place for place, found in enumerate(codes) if found == code]
        for column, (title, unit) in properties.items():
            values = table[column].to_pylist()
            points = [(times[place], values[place]) for place in here]
            parts.append(_observation(code, names[code], column, title, unit, points))
    parts.append("</wml2:Collection>\n")
    return "".join(parts).encode()


def _observation(
    code: str,
    name: tuple[str, float, float],
    column: str,
    title: str,
    unit: str,
    points: list[tuple[datetime, float | None]],
) -> str:
    shown = "".join(
        f"<wml2:point><wml2:MeasurementTVP><wml2:time>{time.isoformat()}{_OFFSET}</wml2:time>"
        + ('<wml2:value xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>'
           if value is None else f"<wml2:value>{value}</wml2:value>")
        + "</wml2:MeasurementTVP></wml2:point>\n"
        for time, value in points
    )  # fmt: skip
    return f"""<wml2:observationMember><om:OM_Observation gml:id="obs.{code}.{column}">
<om:observedProperty xlink:href="{column}" xlink:title={quoteattr(title)}/>
<om:featureOfInterest><wml2:MonitoringPoint gml:id="site.{code}">
<gml:identifier codeSpace="synthetic">{code}</gml:identifier><gml:name>{escape(name[0])}</gml:name>
<sams:shape><gml:Point gml:id="point.{code}.{column}">
<gml:pos srsName="urn:ogc:def:crs:EPSG::4490">{name[1]} {name[2]}</gml:pos></gml:Point></sams:shape>
</wml2:MonitoringPoint></om:featureOfInterest>
<om:result><wml2:MeasurementTimeseries gml:id="series.{code}.{column}">
<wml2:defaultPointMetadata><wml2:DefaultTVPMeasurementMetadata><wml2:uom code={quoteattr(unit)}/>
</wml2:DefaultTVPMeasurementMetadata></wml2:defaultPointMetadata>
{shown}</wml2:MeasurementTimeseries></om:result></om:OM_Observation></wml2:observationMember>
"""
