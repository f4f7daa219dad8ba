"""WaterML: series become rows, whatever edition and whatever order of axes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecowarehouse import formats
from ecowarehouse.contracts import ObservationContract
from ecowarehouse.formats import FormatProblem
from ecowarehouse.landing.check import check
from tests.unit.formats.form_house import contract, problem, rows

HEADER = ["site_code", "time", "site_name", "longitude", "latitude", "property", "unit", "qualifier", "value"]
MADE = contract("waterml", HEADER)
SPACES = (
    'xmlns:wml2="http://www.opengis.net/waterml/2.0" xmlns:gml="http://www.opengis.net/gml/3.2"'
    ' xmlns:om="http://www.opengis.net/om/2.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:swe="http://www.opengis.net/swe/2.0"'
)
EPSG = "urn:ogc:def:crs:EPSG::4326"
POINTS = (
    "<wml2:point><wml2:MeasurementTVP><wml2:time>2025-03-01T00:00:00+08:00</wml2:time><wml2:value>2.51</wml2:value>"
    "</wml2:MeasurementTVP></wml2:point>"
    '<wml2:point><wml2:MeasurementTVP><wml2:time>2025-03-01T01:00:00+08:00</wml2:time><wml2:value xsi:nil="true"/>'
    '<wml2:metadata><wml2:TVPMeasurementMetadata><wml2:qualifier xlink:href="suspect"/></wml2:TVPMeasurementMetadata>'
    "</wml2:metadata></wml2:MeasurementTVP></wml2:point>"
)


def observation(
    code: str = "W1", system: str = EPSG, position: str = "23.4 110.1", points: str = POINTS
) -> str:
    return (
        f'<wml2:observationMember><om:OM_Observation gml:id="o.{code}">'
        '<om:observedProperty xlink:href="urn:level" xlink:title="Water level"/>'
        f'<om:featureOfInterest><wml2:MonitoringPoint gml:id="m.{code}"><gml:identifier>{code}</gml:identifier>'
        f"<gml:name>大藤峡</gml:name><wml2:shape><gml:Point><gml:pos srsName='{system}'>{position}</gml:pos>"
        "</gml:Point></wml2:shape></wml2:MonitoringPoint></om:featureOfInterest><om:result><wml2:MeasurementTimeseries>"
        "<wml2:defaultPointMetadata><wml2:DefaultTVPMeasurementMetadata><wml2:qualifier><swe:Category><swe:value>P"
        '</swe:value></swe:Category></wml2:qualifier><wml2:uom code="m"/></wml2:DefaultTVPMeasurementMetadata>'
        f"</wml2:defaultPointMetadata>{points}</wml2:MeasurementTimeseries></om:result></om:OM_Observation>"
        "</wml2:observationMember>"
    )


def document(*observations: str, head: str = "") -> bytes:
    return f"{head}<wml2:Collection {SPACES}>{''.join(observations)}</wml2:Collection>".encode()


def test_a_point_with_something_else_than_a_value_is_refused_by_name() -> None:
    strange = POINTS.replace("wml2:value>2.51</wml2:value", "wml2:amount>2.51</wml2:amount")
    found = formats.read_table(MADE, "waterml", document(observation(points=strange)))
    assert [row[-1] for row in rows(found)] == [""]
    [refused] = found.rejects
    assert (refused.reason, refused.received) == ("ragged_row", "2025-03-01T00:00:00+08:00")
    assert "amount instead of a value" in refused.detail


def test_a_point_with_two_values_is_refused() -> None:
    two = POINTS.replace("2.51</wml2:value>", "2.51</wml2:value><wml2:value>99</wml2:value>")
    found = formats.read_table(MADE, "waterml", document(observation(points=two)))
    assert [row[-1] for row in rows(found)] == [""]
    assert [(one.row_number, one.reason) for one in found.rejects] == [(1, "ragged_row")]
    assert "value, value instead of a value" in found.rejects[0].detail


def test_the_value_of_a_qualifier_is_none_of_its_point() -> None:
    none = POINTS.replace('<wml2:value xsi:nil="true"/>', "").replace(
        '<wml2:qualifier xlink:href="suspect"/>',
        "<wml2:qualifier><swe:Category><swe:value>9</swe:value></swe:Category></wml2:qualifier>",
    )
    found = formats.read_table(MADE, "waterml", document(observation(points=none)))
    assert [row[-2:] for row in rows(found)] == [["P", "2.51"], ["9", ""]]


REASON = '<wml2:censoredReason xlink:href="http://www.opengis.net/def/nil/OGC/0/{}"/>'


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("BelowDetectionRange", "<2.51"),
        ("AboveDetectionRange", "AboveDetectionRange 2.51"),
        ("withheld", "withheld 2.51"),
    ],
)
def test_a_censored_point_keeps_the_sign_of_its_limit(reason: str, text: str) -> None:
    said = REASON.format(reason)
    own = POINTS.replace(
        "2.51</wml2:value>",
        "2.51</wml2:value><wml2:metadata><wml2:TVPMeasurementMetadata>"
        f"{said}</wml2:TVPMeasurementMetadata></wml2:metadata>",
    )
    by_default = observation().replace('<wml2:uom code="m"/>', f'{said}<wml2:uom code="m"/>')
    for payload in (document(observation(points=own)), document(by_default)):
        assert [row[-1] for row in rows(formats.read_table(MADE, "waterml", payload))] == [text, ""]


@pytest.mark.parametrize(
    ("code", "text"), [("lt", "<2.5"), ("nc", "2.5"), ("", "2.5"), ("gt", "gt 2.5"), ("nd", "nd 2.5")]
)
def test_a_censored_value_of_edition_1_1_keeps_its_sign(code: str, text: str) -> None:
    payload = ONE.replace(b"<t:value qual", b'<t:value censorCode="%b" qual' % code.encode())
    assert [row[-1] for row in rows(formats.read_table(MADE, "waterml", payload))] == [text, ""]


@pytest.mark.parametrize(("censored", "refused"), [({}, ["not_a_number"]), ({"prefixes": ["<"]}, [])])
def test_a_limit_is_taken_only_where_the_contract_knows_its_sign(
    censored: dict[str, list[str]], refused: list[str]
) -> None:
    made = contract("waterml", HEADER, censored=censored)
    assert isinstance(made, ObservationContract)
    found = formats.read_table(
        made, "waterml", ONE.replace(b"<t:value qual", b'<t:value censorCode="lt" qual')
    )
    checked = check(made, found.table, known_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert [one.reason for one in checked.rejects] == refused


def test_points_carry_their_series_and_what_they_say_themselves() -> None:
    found = rows(formats.read_table(MADE, "waterml", document(observation(), observation("W2"))))
    place = ["大藤峡", "110.1", "23.4", "urn:level", "m"]
    assert found == [
        ["W1", "2025-03-01T00:00:00+08:00", *place, "P", "2.51"],
        ["W1", "2025-03-01T01:00:00+08:00", *place, "suspect", ""],
        ["W2", "2025-03-01T00:00:00+08:00", *place, "P", "2.51"],
        ["W2", "2025-03-01T01:00:00+08:00", *place, "suspect", ""],
    ]


def test_longitude_is_told_by_the_reference_system() -> None:
    other = document(
        observation(system="http://www.opengis.net/def/crs/OGC/1.3/CRS84", position="110.1 23.4")
    )
    assert formats.read_table(MADE, "waterml", other).table["longitude"][0].as_py() == "110.1"
    unknown = document(observation(system="EPSG:2436"))
    assert "nobody can say which number of '23.4 110.1' is the longitude in 'EPSG:2436'" in problem(
        MADE, "waterml", unknown
    )


def test_a_value_without_a_time_is_rejected_and_a_place_holder_is_nothing() -> None:
    points = (
        "<wml2:point><wml2:MeasurementTVP/></wml2:point><wml2:point><wml2:MeasurementTVP><wml2:value>3</wml2:value>"
        "</wml2:MeasurementTVP></wml2:point>"
    )
    found = formats.read_table(MADE, "waterml", document(observation(points=points + POINTS)))
    assert found.table["row_number"].to_pylist() == [2, 3]
    assert [(one.row_number, one.detail, one.received) for one in found.rejects] == [
        (1, "no time in the series o.W1", "3")
    ]


ONE = (
    b'<t:timeSeriesResponse xmlns:t="http://www.cuahsi.org/waterML/1.1/"><t:timeSeries name="s"><t:sourceInfo>'
    b'<t:siteName>a</t:siteName><t:siteCode network="x">W1</t:siteCode><t:geoLocation><t:geogLocation>'
    b"<t:latitude>23.4</t:latitude><t:longitude>110.1</t:longitude></t:geogLocation></t:geoLocation></t:sourceInfo>"
    b"<t:variable><t:variableCode>Z</t:variableCode><t:unit><t:unitCode>m</t:unitCode></t:unit>"
    b"<t:noDataValue>-999999.0</t:noDataValue></t:variable><t:values>"
    b'<t:value qualifiers="A" dateTime="2025-03-01T00:00:00">2.5</t:value>'
    b'<t:value qualifiers="A" dateTime="2025-03-01T01:00:00">-999999</t:value>'
    b"</t:values></t:timeSeries></t:timeSeriesResponse>"
)


def test_what_a_series_of_edition_1_1_calls_no_data_is_an_empty_cell() -> None:
    assert rows(formats.read_table(MADE, "waterml", ONE)) == [
        ["W1", "2025-03-01T00:00:00", "a", "110.1", "23.4", "Z", "m", "A", "2.5"],
        ["W1", "2025-03-01T01:00:00", "a", "110.1", "23.4", "Z", "m", "A", ""],
    ]


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (document(observation())[:-300], "truncated"),
        (ONE[:-60], "truncated"),
        (document(), "no_rows"),
        (document(observation(), head='<!DOCTYPE a [<!ENTITY x "y">]>'), "declares a document type"),
        (b"<feed><point/></feed>", "neither WaterML 2.0 nor 1.1"),
        (b"<html></html>", "an HTML page"),
        (b"a,b\n", "not_the_format"),
    ],
)
def test_what_is_no_whole_document_is_named(payload: bytes, told: str) -> None:
    assert told in problem(MADE, "waterml", payload)


def test_a_column_that_no_series_has_is_named() -> None:
    assert "missing: discharge" in problem(
        contract("waterml", ["site_code", "time", "discharge"]), "waterml", ONE
    )


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(ONE)), st.binary(max_size=5) | st.sampled_from([b"<", b"</t:value>", b"&x;"]))
def test_whatever_is_broken_is_named(place: int, filling: bytes) -> None:
    for whole in (ONE, document(observation())):
        with suppress(FormatProblem):
            formats.read_table(MADE, "waterml", whole[:place] + filling + whole[place + len(filling) :])
