"""EURDEP messages: records joined to their localities, and damage that is named."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecowarehouse import formats
from ecowarehouse.formats import FormatProblem
from tests.unit.formats.form_house import contract, problem, rows

HEADER = ["locality_code", "end", "locality_name", "longitude", "latitude", "nuclide", "unit", "value"]
MADE = contract("eurdep", HEADER, optional=["locality_name", "longitude", "latitude"])

LOCALITIES = r"""\BEGIN_LOCALITY;
\FIELD_LIST LOCALITY_CODE,LOCALITY_NAME,LONGITUDE,LATITUDE;
\CN0001,"桂平; 西山, 北",110.05,23.40;
\CN0002,Mengxu,109.99,23.35;
\END_LOCALITY;
"""
RECORDS = r"""\BEGIN_RADIOLOGICAL;
\BEGIN_DEFAULT;
\NUCLIDE T-GAMMA;
\UNIT NSV/H;
\END_DEFAULT;
\FIELD_LIST LOCALITY_CODE, VALUE, BEGIN, END;
\CN0001,8.1E+01,2025-03-01T00:00Z,2025-03-01T01:00Z;
\CN0002,79.5,2025-03-01T00:00Z,2025-03-01T01:00Z;
\END_RADIOLOGICAL;
"""


def message(*sections: str, version: str = "2.1") -> str:
    head = rf"""\BEGIN_EURDEP;
\BEGIN_HEADER;
\ORIGINATOR synthetic;
\FORMAT_VERSION {version};
\END_HEADER;
"""
    return head + "".join(sections) + "\\END_EURDEP;\n"


WHOLE = message(LOCALITIES, RECORDS)


def test_records_are_joined_to_their_localities_and_hold_the_defaults() -> None:
    found = formats.read_table(MADE, "eurdep", WHOLE.encode())
    assert rows(found)[0] == [
        "CN0001", "2025-03-01T01:00Z", "桂平; 西山, 北", "110.05", "23.40", "T-GAMMA", "NSV/H", "8.1E+01",
    ]  # fmt: skip
    assert found.table["row_number"].to_pylist() == [1, 2]


def test_several_messages_in_a_file_have_localities_of_their_own() -> None:
    payload = (WHOLE + message(RECORDS)).replace("\n", "\r\n").encode("utf-8-sig")
    found = formats.read_table(MADE, "eurdep", payload)
    assert found.table["locality_name"].to_pylist() == ["桂平; 西山, 北", "Mengxu", None, None]
    assert len(found.rejects) == 0


def test_a_record_says_its_own_place_and_other_sections_are_none_of_ours() -> None:
    own = RECORDS.replace("VALUE, BEGIN", "VALUE, LATITUDE").replace("2025-03-01T00:00Z", "1.5")
    weather = "\\BEGIN_METEO;\n\\FIELD_LIST LOCALITY_CODE,VALUE;\n\\CN0001,3;\n\\END_METEO;\n"
    comment = "\\BEGIN_COMMENT;\nanything, at all;\n\\END_COMMENT;\n"
    found = formats.read_table(MADE, "eurdep", message(comment, LOCALITIES, weather, own).encode())
    assert found.table["latitude"].to_pylist() == ["1.5", "1.5"]


def test_a_record_of_another_width_is_rejected_alone() -> None:
    payload = message(LOCALITIES, RECORDS.replace("\\CN0002,79.5,", "\\CN0002,79.5,A5,")).encode()
    found = formats.read_table(MADE, "eurdep", payload)
    assert len(found.table) == 1
    assert [(one.row_number, one.reason, one.detail) for one in found.rejects] == [
        (2, "ragged_row", "5 values for 4 fields in RADIOLOGICAL")
    ]


@pytest.mark.parametrize(("kind", "text"), [("<", "<8.1E+01"), ("mda", "<8.1E+01"), ("AVG", "8.1E+01")])
def test_a_limit_of_detection_keeps_its_sign(kind: str, text: str) -> None:
    typed = RECORDS.replace("VALUE, BEGIN", "VALUE, VALUE_TYPE, BEGIN")
    typed = typed.replace("8.1E+01,", f"8.1E+01,{kind},").replace("79.5,", "<79.5,<,")
    found = formats.read_table(MADE, "eurdep", message(LOCALITIES, typed).encode())
    assert found.table["value"].to_pylist() == [text, "<79.5"]
    default = RECORDS.replace("\\UNIT NSV/H;", f"\\UNIT NSV/H;\n\\VALUE_TYPE {kind};")
    found = formats.read_table(MADE, "eurdep", message(LOCALITIES, default).encode())
    assert found.table["value"][0].as_py() == text


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (WHOLE[:-5], "truncated: ends within a statement"),
        (WHOLE.replace("\\END_EURDEP;", ""), "truncated: the last message has no \\END_EURDEP;"),
        (
            WHOLE.replace("\\END_RADIOLOGICAL;\n", ""),
            "truncated: no \\END_RADIOLOGICAL; before the message ends",
        ),
        (WHOLE.replace("\\END_LOCALITY;", "\\END_HEADER;"), "not_the_format: \\END_HEADER; without its"),
        (WHOLE + WHOLE.replace("\\END_EURDEP;", "\\BEGIN_EURDEP;"), "at a place where no message begins"),
        (message(RECORDS, version="1.0"), "FORMAT_VERSION 1.0, and this reads 2.x"),
        (message(LOCALITIES), "no_rows"),
        (
            message(LOCALITIES, RECORDS.replace("VALUE, BEGIN", "VALUE, value")),
            "not_the_format: a FIELD_LIST names twice: VALUE",
        ),
        (
            message(LOCALITIES, RECORDS.replace("VALUE,", "DOSE,")),
            "header_changed: missing in every row: value",
        ),
        (WHOLE.replace("79.5", '"79.5'), "truncated: ends within a statement"),
        ("site,time\n1,2\n", "not_the_format: no EURDEP message: it begins with 'site,time"),
        ("<a/>;", "not_the_format: no EURDEP message"),
        (WHOLE + "\\CN0001,3;", "stands outside of a message"),
    ],
)
def test_a_broken_message_is_named(payload: str, told: str) -> None:
    assert told in problem(MADE, "eurdep", payload.encode())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WHOLE)), st.text(max_size=4) | st.sampled_from([";", '"', "\\END_X;", ","]))
def test_whatever_is_broken_is_named_or_rejected(place: int, filling: str) -> None:
    with suppress(FormatProblem):
        formats.read_table(MADE, "eurdep", (WHOLE[:place] + filling + WHOLE[place:]).encode())
