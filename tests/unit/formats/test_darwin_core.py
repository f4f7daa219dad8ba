"""Darwin Core archives: read as their meta.xml says, and nothing that leads out of them."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecowarehouse import formats
from ecowarehouse.formats import FormatProblem, archive
from tests.unit.formats.form_house import contract, problem, rows

DWC = "http://rs.tdwg.org/dwc/terms/"
HEADER = ["id", "event_date", "scientific_name", "basis_of_record", "individual_count"]
MADE = contract("darwin_core", HEADER)


def meta(
    attributes: str = 'fieldsTerminatedBy="\\t" ignoreHeaderLines="1"', files: str = "occurrence.txt"
) -> str:
    locations = "".join(f"<location>{file}</location>" for file in files.split())
    return (
        f'<archive xmlns="http://rs.tdwg.org/dwc/text/"><core {attributes} rowType="{DWC}Occurrence">'
        f'<files>{locations}</files><id index="0"/><field index="3" term="{DWC}scientificName"/>'
        f'<field index="1" term="{DWC}eventDate"/><field default="HumanObservation" term="{DWC}basisOfRecord"/>'
        f'<field index="2" term="{DWC}individualCount" default="1"/></core>'
        f'<extension fieldsTerminatedBy="," rowType="http://rs.gbif.org/terms/1.0/VernacularName"><files>'
        '<location>names.csv</location></files><coreid index="0"/>'
        f'<field index="1" term="{DWC}vernacularName"/></extension></archive>'
    )


CORE = "id\tdate\tcount\tname\tmore\no1\t2025-03-01\t3\tEgretta garzetta\tx\no2\t2025-03-02\t\tArdea cinerea\ty\n"
NAMES = '0,白鹭\no1,"Little, egret"\n'


def packed(folder: str = "", compression: int = zipfile.ZIP_DEFLATED, **files: str) -> bytes:
    target = io.BytesIO()
    content = {"meta.xml": meta(), "occurrence.txt": CORE, "names.csv": NAMES} | {
        name.replace("__", "/").replace("_txt", ".txt").replace("_xml", ".xml"): text
        for name, text in files.items()
    }
    with zipfile.ZipFile(target, "w", compression) as opened:
        for name, text in content.items():
            opened.writestr(folder + name, text)
    return target.getvalue()


RECORDS = [
    ["o1", "2025-03-01", "Egretta garzetta", "HumanObservation", "3"],
    ["o2", "2025-03-02", "Ardea cinerea", "HumanObservation", "1"],
]


@pytest.mark.parametrize("folder", ["", "dwca/"])
def test_terms_are_columns_and_defaults_fill_what_is_empty(folder: str) -> None:
    assert rows(formats.read_table(MADE, "darwin_core", packed(folder))) == RECORDS


def test_an_extension_and_headings_of_our_own() -> None:
    options = {"row_type": "VernacularName", "headings": {"vernacularName": "name"}}
    made = contract("darwin_core", ["id", "name", "language"], options, optional=["language"])
    found = rows(formats.read_table(made, "darwin_core", packed()))
    assert found == [["0", "白鹭", None], ["o1", "Little, egret", None]]


def test_enclosed_cells_and_another_encoding() -> None:
    layout = 'fieldsTerminatedBy=";" linesTerminatedBy="\\r\\n" encoding="gb18030"'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as opened:
        opened.writestr("meta.xml", meta(layout))
        opened.writestr("occurrence.txt", 'o1;2025-03-01;3;"白鹭; 小"\r\n'.encode("gb18030"))
    assert rows(formats.read_table(MADE, "darwin_core", target.getvalue()))[0][2] == "白鹭; 小"


def test_rows_of_several_files_are_counted_on() -> None:
    second = CORE.replace("o2\t2025-03-02\t", "short\n").replace("o1", "o3")
    payload = packed(meta_xml=meta(files="occurrence.txt more.txt"), more_txt=second)
    found = formats.read_table(MADE, "darwin_core", payload)
    assert found.table["row_number"].to_pylist() == [1, 2, 3]
    assert [one.row_number for one in found.rejects] == [4, 5]


def cut(payload: bytes) -> bytes:
    return payload[:-30]


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (cut(packed()), "truncated: no whole Darwin Core archive"),
        (packed(occurrence_txt=CORE[:-18]), "truncated: the last line has 2 of 5 columns and no end"),
        (
            packed(occurrence_txt="id\tdate\to\n"),
            "occurrence.txt has 3 columns, and meta.xml names one at index 3",
        ),
        (packed(occurrence_txt="id\tdate\tn\tm\n"), "no_rows"),
        (packed(meta_xml="<archive/>"), "meta.xml has 0 of core; there are: none"),
        (packed(meta_xml="<archive"), "meta.xml is no XML"),
        (packed(meta_xml="<!DOCTYPE a><archive/>"), "declares a document type"),
        (packed(meta_xml=meta(files="other.txt")), "no other.txt in the archive"),
        (packed(meta_xml=meta(files="../../etc/passwd")), "no ../../etc/passwd in the archive"),
        (packed(meta_xml=meta('linesTerminatedBy="\\r"')), "lines that end with '\\r'"),
        (
            packed(meta_xml=meta('fieldsTerminatedBy="||"')),
            "meta.xml: String should have at most 1 character",
        ),
        (packed(meta_xml=meta('encoding="utf-99"')), "no encoding that Python knows"),
        (packed(meta_xml=meta('ignoreHeaderLines="x"')), "ignoreHeaderLines is 'x'"),
        (
            packed(a__b_txt="").replace(b"a/b.txt", b"../.txt"),
            "a name that leads out of the archive: '../.txt'",
        ),
        (packed(big_txt="0" * (16 << 20)), "big.txt grows"),
        (b"id,name\n", "no Darwin Core archive: it begins with b'id,name\\n'"),
    ],
)
def test_what_is_no_sound_archive_is_named(payload: bytes, told: str) -> None:
    assert told in problem(MADE, "darwin_core", payload)


def test_an_encrypted_file_and_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = bytearray(packed())
    directory = payload.index(b"PK\x01\x02")
    payload[directory + 8] |= 1
    assert "is encrypted: send it without a password" in problem(MADE, "darwin_core", bytes(payload))
    monkeypatch.setattr(archive, "MOST_FILES", 2)
    assert "3 files in a Darwin Core archive" in problem(MADE, "darwin_core", packed())


def test_a_damaged_file_of_an_archive_is_named() -> None:
    payload = packed(compression=zipfile.ZIP_STORED).replace(b"Egretta", b"egretta")
    assert "occurrence.txt of the archive can't be unpacked: Bad CRC-32" in problem(
        MADE, "darwin_core", payload
    )


WHOLE = packed()


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(WHOLE)), st.binary(max_size=8))
def test_whatever_bytes_come_is_named(place: int, filling: bytes) -> None:
    with suppress(FormatProblem):
        formats.read_table(MADE, "darwin_core", WHOLE[:place] + filling + WHOLE[place + len(filling) :])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 900), st.text("<>/\"' =abc01", max_size=6))
def test_whatever_meta_says_is_named(place: int, filling: str) -> None:
    text = meta()
    with suppress(FormatProblem):
        formats.read_table(
            MADE, "darwin_core", packed(meta_xml=text[:place] + filling + text[place + len(filling) :])
        )
