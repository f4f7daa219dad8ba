"""WaterML 2.0 (OGC 10-126r4) and WaterML 1.1 (CUAHSI): one value of a time series is one row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.forms import WatermlForm
from ecowarehouse.formats.markup import NIL, elements, forget, local
from ecowarehouse.formats.model import FormatProblem, ReceivedTable, RowBuilder, compare_header
from ecowarehouse.formats.sniff import Source

_XLINK = "{http://www.w3.org/1999/xlink}"
COLUMNS = (
    "series", "site_code", "site_name", "longitude", "latitude", "property", "property_name", "unit", "time", "value",
    "qualifier",
)  # fmt: skip
_TWO = {"OM_Observation", "observedProperty", "featureOfInterest", "defaultPointMetadata", "point"}
_ONE = {"timeSeries", "sourceInfo", "variable", "value"}
_BELOW = re.compile(r"lt|.*below.*detection.*", re.IGNORECASE)
_NOT_CENSORED = {"", "nc"}
_ROOTS = {"Collection", "timeSeriesResponse"}
# Axis order of EPSG:4326 where it is named by a URN or a URL: latitude first. CRS84 has longitude first.
_LATITUDE_FIRST = re.compile(r"EPSG(:[^:]*)?:+(4326|4490|4269)$|EPSG/[^/]*/(4326|4490|4269)$")


def read(contract: Contract, _form: WatermlForm, source: Source) -> Iterator[ReceivedTable]:
    """Tables of a WaterML document.

    A point with a value and no time is a reject, or with something else than one value. What is censored keeps its sign
    in the text, as in <0.02, so that nothing takes the limit for a value unless the contract knows the sign.

    Raises:
        FormatProblem: not_the_format, header_changed, encoding, truncated or no_rows.
    """
    source.expect_text()
    compare_header(contract, [name for name in COLUMNS if name in contract.header])
    builder = RowBuilder(contract.header, contract.optional)
    header = set(contract.header)
    for row in _rows(source):
        if not row["time"]:
            builder.reject("ragged_row", f"no time in the series {row['series']}", row["value"])
        elif strange := row.get("strange"):
            builder.reject(
                "ragged_row", f"{strange} instead of a value in the series {row['series']}", row["time"]
            )
        else:
            builder.add([(name, text) for name, text in row.items() if name in header and text is not None])
        if builder.full:
            yield builder.take()
    yield builder.finish(None)


def _rows(source: Source) -> Iterator[dict[str, str | None]]:
    series: dict[str, str | None] = {}
    root = ""
    for event, element in elements(source, source, _ROOTS | _TWO | _ONE, ("start", "end")):
        name = local(element)
        if not root:
            root = name if element.getparent() is None else ""
            if root not in _ROOTS:
                raise FormatProblem("not_the_format", f"neither WaterML 2.0 nor 1.1: it begins with {name}")
        if event == "start":
            if name in ("OM_Observation", "timeSeries"):
                series = dict.fromkeys(COLUMNS) | {"series": _identity(element), "qualifier": ""}
            continue
        if root == "Collection":
            yield from _of_observation(name, element, series)
        else:
            yield from _of_time_series(name, element, series)
    if not root:
        raise FormatProblem("not_the_format", "neither WaterML 2.0 nor 1.1")


def _identity(element: Any) -> str:
    return next((text for key, text in element.items() if key.rpartition("}")[2] in ("id", "name")), "")


def _of_observation(
    name: str, element: Any, series: dict[str, str | None]
) -> Iterator[dict[str, str | None]]:
    match name:
        case "observedProperty":
            series["property"] = element.get(f"{_XLINK}href", "")
            series["property_name"] = element.get(f"{_XLINK}title", "")
        case "featureOfInterest":
            series.update(_monitoring_point(element))
        case "defaultPointMetadata":
            series["unit"] = _unit(element)
            series["qualifier"] = _qualifier(element)
            series["censored"] = _censored(element)
        case "point":
            yield from _point(element, series)
            forget(element)
        case "OM_Observation":
            # The member around it holds nothing else, and a long collection many of them.
            member = element.getparent()
            element.clear()
            if member is not None and member.getparent() is not None:
                forget(member)


def _monitoring_point(feature: Any) -> dict[str, str | None]:
    point = _first(feature, "MonitoringPoint")
    code = "" if point is None else _text(point, "identifier") or _identity(point)
    title = "" if point is None else _text(point, "name")
    found: dict[str, str | None] = {
        "site_code": code or feature.get(f"{_XLINK}href", ""),
        "site_name": title or feature.get(f"{_XLINK}title", ""),
    }
    position = _first(feature, "pos")
    if position is not None:
        found |= _longitude_latitude(position)
    return found


def _longitude_latitude(position: Any) -> dict[str, str | None]:
    named = [e.get("srsName") for e in (position, *position.iterancestors()) if e.get("srsName")]
    system = named[0] if named else ""
    numbers = (position.text or "").split()
    if len(numbers) < 2:
        return {"longitude": "", "latitude": ""}
    if system.endswith("CRS84"):
        return {"longitude": numbers[0], "latitude": numbers[1]}
    if not _LATITUDE_FIRST.search(system):
        raise FormatProblem(
            "not_the_format",
            f"nobody can say which number of {position.text!r} is the longitude in {system!r}",
        )
    return {"longitude": numbers[1], "latitude": numbers[0]}


def _point(point: Any, series: dict[str, str | None]) -> Iterator[dict[str, str | None]]:
    # What is called a value deeper within, such as that of a qualifier, is none of the point's.
    values = [one for pair in point for one in pair if local(one) == "value"]
    value = values[0] if values else None
    time = _text(point, "time")
    nil = value is not None and value.get(NIL) in ("true", "1")
    text = "" if value is None or nil else value.text or ""
    if not time and not text:
        return  # a place holder without any statement
    own = {"time": time, "value": text}
    if len(values) != 1:
        own["strange"] = _strange(point)
    own["value"] = _signed(text, _censored(point) or series.get("censored") or "")
    if qualifier := _qualifier(point):
        own["qualifier"] = qualifier
    if unit := _unit(point):
        own["unit"] = unit
    yield series | own


def _strange(point: Any) -> str:
    """What a pair of time and value holds besides its time and its metadata."""
    names = (local(one) for pair in point for one in pair)
    return ", ".join(name for name in names if name not in ("", "time", "metadata"))


def _qualifier(element: Any) -> str:
    found = [e for e in element.iter() if local(e) == "qualifier"]
    return " ".join(_text(e, "value") or e.get(f"{_XLINK}href") or e.get(f"{_XLINK}title", "") for e in found)


def _censored(element: Any) -> str:
    """Why a value of edition 2.0 is a limit of what can be measured; empty when it is a value."""
    reason = _first(element, "censoredReason")
    if reason is None:
        return ""
    return str(reason.get(f"{_XLINK}href") or reason.get(f"{_XLINK}title") or "censored").rpartition("/")[2]


def _signed(text: str, reason: str) -> str:
    """A limit with its sign; with the reason itself where that is no sign that every contract could mean."""
    if not text.strip() or reason in _NOT_CENSORED:
        return text
    return f"<{text.strip()}" if _BELOW.fullmatch(reason) else f"{reason} {text.strip()}"


def _unit(element: Any) -> str:
    unit = _first(element, "uom")
    if unit is None:
        return ""
    found = unit.get("code") or unit.get("uom") or unit.get(f"{_XLINK}title") or unit.get(f"{_XLINK}href", "")
    return str(found)


def _of_time_series(
    name: str, element: Any, series: dict[str, str | None]
) -> Iterator[dict[str, str | None]]:
    match name:
        case "sourceInfo":
            series["site_code"] = _text(element, "siteCode")
            series["site_name"] = _text(element, "siteName")
            series["longitude"] = _text(element, "longitude")
            series["latitude"] = _text(element, "latitude")
        case "variable":
            series["property"] = _text(element, "variableCode")
            series["property_name"] = _text(element, "variableName")
            series["unit"] = _text(element, "unitCode")
            series["no data"] = _text(element, "noDataValue")
        case "value":
            time = element.get("dateTime", "")
            offset = element.get("timeOffset", "")
            text = element.text or ""
            yield {name: series.get(name) for name in COLUMNS} | {
                "time": time + offset,
                "value": ""
                if _same_number(text, series.get("no data"))
                else _signed(text, element.get("censorCode", "")),
                "qualifier": element.get("qualifiers", ""),
            }
            forget(element)
        case "timeSeries":
            element.clear()


def _same_number(text: str, other: str | None) -> bool:
    if not other:
        return False
    try:
        return float(text) == float(other)
    except ValueError:
        return text == other


def _first(element: Any, name: str) -> Any:
    return next((one for one in element.iter() if local(one) == name), None)


def _text(element: Any, name: str) -> str:
    found = _first(element, name)
    return "" if found is None else (found.text or "").strip()
