"""A recorded answer shows most of its contract; what it can't show stays an open question, and no guess runs."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import openpyxl
import pytest

from ecowarehouse.contracts import load_contracts
from ecowarehouse.contracts.load import read_unfinished
from ecowarehouse.contracts.scaffold import CONNECTORS, ScaffoldError, new_files
from ecowarehouse.landing.rehearsal import rehearse

ROOT = Path(__file__).resolve().parents[3]
CSV = """\
站点编码,站点名称,经度,纬度,监测时间,水温(℃),pH,氨氮(mg/L),总磷_mgL,总氮(ug/L),溶氧饱和度
A1,甲（虚构）,110.1,23.4,2026/03/01 08:00,18.2,7.61,<0.02,0.05,1200,91
A2,乙（虚构）,110.2,23.3,2026/03/01 08:00,18.4,--,0.31,奇怪,-9999,90
A1,甲（虚构）,110.1,23.4,2026/03/01 12:00,18.9,7.64,0.21,0.05,1300,92
"""
PLAIN = """\
站点编码,站点名称,经度,纬度,监测时间,水温(℃),pH,氨氮(mg/L)
A1,甲（虚构）,110.1,23.4,2026/03/01 08:00,18.2,7.61,0.12
A2,乙（虚构）,110.2,23.3,2026/03/01 08:00,18.4,7.5,0.31
A1,甲（虚构）,110.1,23.4,2026/03/01 12:00,18.9,7.64,0.21
"""
JSON = {
    "code": 0,
    "generatedAt": "2026-03-01T08:20:00+08:00",
    "result": {
        "total": 2,
        "rows": [
            {
                "stationId": "01",
                "time": "2026-03-01T08:00:00+08:00",
                "temperature": 12.50,
                "rain1h": 0,
                "humidity": None,
            },
            {
                "stationId": "02",
                "time": "2026-03-01T09:00:00+08:00",
                "temperature": 13,
                "rain1h": 0.2,
                "humidity": 81,
            },
        ],
    },
}
XML = """\
<?xml version="1.0"?><a:Answer xmlns:a="urn:x"><a:Body><a:Count>2</a:Count>
<a:Row><a:StationCode>X1</a:StationCode><a:Time>2026-03-01 08</a:Time><a:PM2_5>35</a:PM2_5><a:SO2>—</a:SO2></a:Row>
<a:Row><a:StationCode>X1</a:StationCode><a:Time>2026-03-01 09</a:Time><a:PM2_5>36</a:PM2_5><a:SO2>7</a:SO2></a:Row>
</a:Body></a:Answer>"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project as far as a proposal reads it."""
    shutil.copytree(ROOT / "city", tmp_path / "city")
    shutil.copytree(
        ROOT / "dbt_project" / "seeds" / "vocabulary", tmp_path / "dbt_project" / "seeds" / "vocabulary"
    )
    return tmp_path


def begin(
    root: Path, name: str, content: str | bytes, department: str, element: str, transport: str = "http"
) -> Path:
    """The contract that is proposed, written with all else; its path."""
    answer = root / name
    answer.write_bytes(content if isinstance(content, bytes) else content.encode())
    made = new_files(root, root / "city", "tried_feed", department, element, [answer], transport)
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return root / "city" / "sources" / department / "tried_feed.yml"


def questions(path: Path) -> list[str]:
    return re.findall(r"# TODO (\w+):", path.read_text(encoding="utf-8"))


def test_headings_of_csv_become_columns_channels_units_and_marks(root: Path) -> None:
    path = begin(root, "a.csv", CSV, "cnemc", "water")
    text = path.read_text(encoding="utf-8")
    assert questions(path) == ["title", "label", "sentinels", "units", "factor", "column_11"]
    assert "cells such as 奇怪" in text
    assert "factor: how many mg/L is one ug/L?" in text
    answered = text.replace("factor: 1}", "factor: 0.001}").replace(
        "['', --, '-9999']", "['', --, '-9999', 奇怪]"
    )
    path.write_text(answered, encoding="utf-8")
    found = read_unfinished(path)
    assert found.key == ["site_code", "time"]
    assert (found.site.code, found.site.name, found.site.longitude) == (
        "site_code",
        "site_name",
        "site_longitude",
    )
    assert [rule.type for rule in found.site.types] == ["water_section"]
    assert (found.period.format, str(found.period.averaging)) == ("%Y/%m/%d %H:%M", "4:00:00")
    assert found.censored.prefixes == ["<"]
    assert {name: (c.property, c.unit, c.original_unit) for name, c in found.channels.items()} == {
        "water_temperature": ("water_temperature", "Cel", "Cel"),
        "ph": ("ph", "1", "1"),
        "ammonia_nitrogen": ("ammonia_nitrogen", "mg/L", "mg/L"),
        "total_phosphorus": ("total_phosphorus", "mg/L", "mg/L"),
        "total_nitrogen": ("total_nitrogen", "mg/L", "ug/L"),
    }
    assert (rehearse(found, root / "a.csv").rows, rehearse(found, root / "a.csv").rejects) == (3, {})


def test_an_open_question_keeps_the_feed_out_of_every_run_until_it_is_answered(root: Path) -> None:
    path = begin(root, "a.csv", CSV.replace("总氮(ug/L)", "总氮(mg/L)"), "cnemc", "water")
    found = load_contracts(root / "city")
    assert "tried_feed" not in found.contracts
    [broken] = found.broken.values()
    assert (broken.feed_guess, broken.element_guess) == ("tried_feed", "water")
    label = next(line for line in broken.message.splitlines() if "label" in line)
    number = int(re.findall(r"line (\d+): still open: label: ", label)[0])
    assert path.read_text(encoding="utf-8").splitlines()[number - 1].strip().startswith("label: end")
    path.write_text(re.sub(r" *# TODO .*", "", path.read_text(encoding="utf-8")), encoding="utf-8")
    assert "tried_feed" in load_contracts(root / "city").contracts


def test_what_is_wrong_is_told_beside_what_is_open(root: Path) -> None:
    path = begin(root, "a.csv", CSV, "cnemc", "water")
    [broken] = load_contracts(root / "city").broken.values()
    assert "factor and original_unit go together" in broken.message
    assert broken.message.count("still open") == len(questions(path))


def test_json_in_an_envelope_with_names_of_its_own(root: Path) -> None:
    path = begin(root, "a.json", json.dumps(JSON), "meteorology", "weather")
    assert questions(path) == ["title", "label", "averaging", "units", "rain1h"]
    found = read_unfinished(path)
    [form] = found.forms.by_name.values()
    assert (form.items, form.total, form.headings) == (
        "/result/rows",
        "/result/total",
        {"stationId": "station_id"},
    )  # type: ignore[attr-defined]
    assert [rule.source for rule in found.known_at] == ["option", "content", "header", "receipt"]
    assert {c.property for c in found.channels.values()} == {"air_temperature", "relative_humidity"}
    assert rehearse(found, root / "a.json").rows == 2


def test_elements_of_xml_are_rows_by_their_path(root: Path) -> None:
    path = begin(root, "a.xml", XML, "ecology_environment", "air")
    assert questions(path) == ["title", "types", "label", "units"]
    found = read_unfinished(path)
    assert found.header == ["stationcode", "time", "pm2_5", "so2"]
    assert found.site.code == "stationcode"
    assert "—" in found.sentinels
    assert (rehearse(found, root / "a.xml").rows, rehearse(found, root / "a.xml").rejects) == (2, {})


def test_another_encoding_and_delimiter_are_said_in_the_form(root: Path) -> None:
    text = CSV.replace(",", ";").encode("gb18030")
    path = begin(root, "a.csv", text, "cnemc", "water")
    said = path.read_text(encoding="utf-8")
    assert "delimiter: ;" in said
    assert "encoding: gb18030" in said


@pytest.mark.parametrize("transport", CONNECTORS)
def test_each_transport_has_its_connector_and_becomes_a_contract_when_its_questions_are_answered(
    root: Path, transport: str
) -> None:
    path = begin(root, "a.csv", PLAIN, "ecology_environment", "water", transport)
    text = path.read_text(encoding="utf-8")
    assert ("connector" in questions(path)) == (transport != "http")
    if transport == "sql":  # rows are known to be new by a column of the answer
        time = text.partition("period:")[2].partition("column: ")[2].split()[0]
        text = text.replace("column: updated_at", f"column: {time}")
    path.write_text(re.sub(r"  # TODO.*", "", text), encoding="utf-8")
    found = load_contracts(root / "city")["tried_feed"]
    assert found.connector.transport == transport
    assert ("Last-Modified" in text) == (transport == "http")
    if transport in ("http", "sql"):
        assert found.connector.secret_names


def test_a_workbook_is_read_below_its_titles(root: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["2026年土壤监测结果（虚构）"])
    sheet.append([])
    for line in PLAIN.splitlines():
        sheet.append(line.split(","))
    book.create_sheet("说明").append(["填报说明"])
    book.save(root / "answer.xlsx")
    path = begin(root, "a.xlsx", (root / "answer.xlsx").read_bytes(), "ecology_environment", "water", "drop")
    text = path.read_text(encoding="utf-8")
    assert "workbook:" in text
    assert "sheet: Sheet" in text
    assert "站点编码" in text
    path.write_text(re.sub(r"  # TODO.*", "", text).replace("*.csv", "*.xlsx"), encoding="utf-8")
    found = rehearse(load_contracts(root / "city")["tried_feed"], root / "a.xlsx")
    assert found.problem is None
    assert found.rows == 3


def test_the_recorded_answer_is_kept_byte_by_byte(root: Path) -> None:
    begin(root, "a.csv", CSV, "cnemc", "water")
    assert (root / "tests" / "recorded" / "tried_feed" / "a.csv").read_bytes() == CSV.encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<!DOCTYPE html><html><body>login</body></html>", "an HTML page instead of data"),
        ("", "empty_body"),
        ("a,b\n", "no row follows"),
        ("name,value\nx,1\n", "no column holds times"),
        ("time,time\n2026-03-01 08:00,1\n", "two columns are named time"),
        ('{"rows": []}', "no list of objects"),
        ('{"rows": [{"a": 1}, {', "truncated"),
        ("<a><b/></a>", "no element whose children are values"),
        ("<a><r><Zeit-1>2026-03-01 08</Zeit-1><mn>x</mn></r></a>", "can't be names of columns"),
    ],
)
def test_an_answer_without_rows_is_refused_before_anything_is_written(
    root: Path, content: str, told: str
) -> None:
    with pytest.raises(ScaffoldError, match=told):
        begin(root, "answer", content, "cnemc", "water")
    assert not (root / "tests").exists()
