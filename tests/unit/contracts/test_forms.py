"""How a delivery is told to be of a form, and what a contract says of its forms."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ecowarehouse.contracts.forms import Forms
from ecowarehouse.contracts.forms.recognise import kinds
from tests.unit.formats.form_house import contract

ALL = Forms.model_validate(
    {
        "csv": {"suffixes": [".csv"]},
        "xml": {"rows": "{*}row"},
        "json": {"items": "/items"},
        "fixed_width": {"columns": {"a": [1, 2]}, "suffixes": [".isd", ".isd.gz"]},
        "workbook": {"media": ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"]},
        "eurdep": {},
        "waterml": {},
        "darwin_core": {},
        "geojson": {"suffixes": [".geojson"]},
        "geopackage": {},
    }
)


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"PK\x03\x04..........................[Content_Types].xml", "workbook"),
        (b"PK\x03\x04..........................meta.xml", "darwin_core"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", "workbook"),
        (b"SQLite format 3\0...", "geopackage"),
        (b"\xef\xbb\xbf\r\n\\BEGIN_EURDEP;", "eurdep"),
        (b'<wml2:Collection xmlns:wml2="http://www.opengis.net/waterml/2.0">', "waterml"),
        (b"<?xml version='1.0'?><ns1:timeSeriesResponse>", "waterml"),
        (b"<rows>", "xml"),
        (b'{ "type": "FeatureCollection"', "geojson"),
        (b'{"items": []}', "json"),
        (b"[1]", "json"),
        (b"a,b\n", "csv"),
    ],
)
def test_a_form_is_told_by_its_first_bytes(head: bytes, form: str) -> None:
    assert kinds(head)[0] == form
    assert ALL.of("file:///a/b", head=head) == form


def test_media_type_and_name_stand_above_bytes() -> None:
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet; x=y"
    assert ALL.of("http://x/feed", media, b"a,b") == "workbook"
    assert ALL.of("http://x/a.ISD.gz?y=z", "text/plain", b"\x1f\x8b") == "fixed_width"
    assert ALL.of("http://x/a") == "xml"  # the first, where nothing is known


def test_a_workbook_of_a_contract_without_workbooks_is_for_the_first_form_to_refuse() -> None:
    assert contract("csv", ["a", "b", "c"]).form_of("file:///x", head=b"PK\x03\x04") == "csv"


def test_columns_that_forms_name_are_in_the_header() -> None:
    for form, options in {
        "csv": {"headings": {"x": "d"}},
        "workbook": {"carry_down": ["d"]},
        "fixed_width": {"columns": {"d": [1, 2]}},
    }.items():
        with pytest.raises(ValidationError, match=rf"forms\.{form}\.\w+: not in the header: d"):
            contract(form, ["a", "b", "c"], options)


def test_rows_of_elements_lack_no_column() -> None:
    with pytest.raises(ValidationError, match="optional: xml can't lack a column"):
        contract("xml", ["a", "b", "c", "d"], {"rows": "row"}, optional=["c"])
