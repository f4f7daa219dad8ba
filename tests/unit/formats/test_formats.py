"""Readers: rows come out as they went in, and damage is named."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecowarehouse import formats
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.formats import FormatProblem, growth
from tests.unit.formats.form_house import contract as house_contract

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = load_contracts(ROOT / "city")
AIR = CONTRACTS["cnemc_air_hourly"]
WEATHER = CONTRACTS["weather_hourly"]
ROW = ["2019-07-18T12:00:00", "1001A", "北京市", "万寿\u3000西宫", "116.366", "39.8673", *["12"] * 21]


def as_csv(rows: list[list[str]], header: list[str] | None = None, end: str = "\n") -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([header or AIR.header, *rows])
    return text.getvalue().encode()


LONG = as_csv([ROW] * 50_000)  # longer than a block


def as_xml(*rows: str, total: int | None = None, head: str = "") -> bytes:
    count = len(rows) if total is None else total
    items = "".join(f"<b:AQIDataPublishLive>{row}</b:AQIDataPublishLive>" for row in rows)
    return (
        f'{head}<R xmlns:b="urn:b" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><GetAQIDataPublishLivesResult>'
        f"<TotalCount>{count}</TotalCount><RootResults>{items}</RootResults></GetAQIDataPublishLivesResult></R>"
    ).encode()


def xml_row(**changes: str) -> str:
    return "".join(f"<b:{name}>{changes.get(name, '1')}</b:{name}>" for name in AIR.header)


def as_json(*items: dict[str, object], **envelope: object) -> bytes:
    return json.dumps({"items": items, **envelope}).encode()


def weather_item(**changes: object) -> dict[str, object]:
    return {**dict.fromkeys(WEATHER.header, "1"), **changes}


def with_csv(**fields: object) -> Contract:
    """The air contract with other fields of its CSV form."""
    assert AIR.forms.csv is not None
    forms = AIR.forms.model_copy(update={"csv": AIR.forms.csv.model_copy(update=fields)})
    forms.__dict__.pop("by_name", None)
    return AIR.model_copy(update={"forms": forms})


def problem(contract: Contract, form: str, payload: formats.Payload) -> str:
    with pytest.raises(FormatProblem) as told:
        formats.read_table(contract, form, payload)
    return str(told.value)


def reason(contract: Contract, form: str, payload: bytes) -> str:
    with pytest.raises(FormatProblem) as problem:
        formats.read_table(contract, form, payload)
    return problem.value.reason


def test_csv_keeps_cells_as_received() -> None:
    found = formats.read_table(AIR, "csv", as_csv([ROW]))
    assert [found.table[name][0].as_py() for name in AIR.header] == ROW
    assert found.table["row_number"].to_pylist() == [1]


@pytest.mark.parametrize("form", ["bom", "gzip", "crlf", "file", "stream", "order"])
def test_csv_in_every_dress(form: str, tmp_path: Path) -> None:
    plain = as_csv([ROW, ROW])
    path = tmp_path / "x.csv"
    path.write_bytes(plain)
    reversed_columns = as_csv([ROW[::-1], ROW[::-1]], AIR.header[::-1])
    payload: formats.Payload = {
        "bom": b"\xef\xbb\xbf" + plain,
        "gzip": gzip.compress(plain),
        "crlf": as_csv([ROW, ROW], end="\r\n"),
        "file": path,
        "stream": io.BytesIO(plain),
        "order": reversed_columns,
    }[form]
    assert formats.read_table(AIR, "csv", payload).table.equals(formats.read_table(AIR, "csv", plain).table)


def test_a_packed_text_that_grows_as_no_data_do_is_refused_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    block = as_csv([ROW]) + b"\n" * (4 << 20)
    with gzip.open(path, "wb") as file:
        for _ in range(20):
            file.write(block)
    told = problem(AIR, "csv", path)
    assert told.startswith("not_the_format: the gzip stream grows ")


def test_a_packed_text_of_some_repeated_rows_is_read() -> None:
    payload = gzip.compress(as_csv([ROW] * 50_000))
    assert len(formats.read_table(AIR, "csv", payload).table) == 50_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_text_is_refused_beyond_the_largest_size(
    pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = pack(as_csv([ROW] * 50_000))
    monkeypatch.setattr(growth, "LARGEST", 1 << 20)
    assert "unpacked it is larger than 1 MiB, which no feed needs" in problem(AIR, "csv", payload)


def test_csv_in_another_encoding() -> None:
    contract = with_csv(encoding="gb18030")
    payload = as_csv([[c.replace("\u3000", "") for c in ROW]] * 3).decode().encode("gb18030")
    found = formats.read_table(contract, "csv", payload)
    assert found.table["area"].to_pylist() == ["北京市"] * 3


def test_ragged_rows_are_rejected_with_their_number() -> None:
    payload = as_csv([ROW, ROW[:3], ROW, [*ROW, "more"], ROW])
    found = formats.read_table(AIR, "csv", payload)
    assert found.table["row_number"].to_pylist() == [1, 3, 5]
    assert [(r.row_number, r.reason) for r in found.rejects] == [(2, "ragged_row"), (4, "ragged_row")]
    assert found.rejects[0].received == ",".join(ROW[:3])


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "empty_body"),
        (b"  \n\n", "empty_body"),
        (b"<!DOCTYPE html><html>login</html>", "not_the_format"),
        (b"\xef\xbb\xbf\n <HTML>login</HTML>", "not_the_format"),
        (b'{"error": "no"}', "not_the_format"),
        (b"%PDF-1.7\nstationcode,so2\n", "not_the_format"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, "not_the_format"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 40, "not_the_format"),
        (b"Rar!\x1a\x07\x01\x00" + b"\x00" * 40, "not_the_format"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04" + b"\x00" * 40, "not_the_format"),
        (as_csv([]), "no_rows"),
        (as_csv([]).rstrip(), "no_rows"),
        (as_csv([ROW], ["x", *AIR.header[1:]]), "header_changed"),
        (as_csv([ROW[1:]], AIR.header[1:]), "header_changed"),
        (as_csv([[*ROW, "1"]], [*AIR.header, "more"]), "header_changed"),
        (as_csv([[*ROW, "1"]], [*AIR.header, "aqi"]), "header_changed"),
        (as_csv([ROW, ROW])[:-40], "truncated"),
        (gzip.compress(as_csv([ROW] * 500), mtime=0)[:-30], "truncated"),
        (gzip.compress(as_csv([ROW]), mtime=0)[:12] + b"\x00" * 40, "not_the_format"),
        (as_csv([ROW]) + b"\xff\xfe\n", "encoding"),
    ],
)
def test_damaged_csv(payload: bytes, expected: str) -> None:
    assert reason(AIR, "csv", payload) == expected


def test_a_last_line_cut_inside_its_last_cell_is_told_by_its_missing_end() -> None:
    whole = as_csv([ROW, [*ROW[:-1], "12.5"]])
    always, perhaps = with_csv(last_line_ends=True), with_csv(last_line_ends=False)
    for cut in (whole[:-1], whole[:-2], gzip.compress(whole[:-3])):
        assert problem(always, "csv", cut).startswith("truncated: the last line has no end")
        assert formats.read_table(perhaps, "csv", cut).table.num_rows == 2, (
            "a missing end alone proves nothing"
        )
    for end in ("\n", "\r\n"):
        assert formats.read_table(always, "csv", as_csv([ROW], end=end)).table.num_rows == 1


def test_the_national_feeds_promise_to_end_their_last_line() -> None:
    for feed in ("cnemc_air_hourly", "cnemc_water_station"):
        form = CONTRACTS[feed].forms.csv
        assert form is not None
        assert form.last_line_ends


def test_xml_as_served() -> None:
    payload = as_xml(xml_row(co="&mdash;", area="a&amp;b", so2=""), xml_row(co="&#8212;"))
    found = formats.read_table(AIR, "xml", payload).table
    assert found["co"].to_pylist() == ["—", "—"]
    assert found["area"].to_pylist() == ["a&b", "1"]
    assert found["so2"].to_pylist() == ["", "1"]


def test_xml_names_cut_by_blocks() -> None:
    padding = "<measure>" + "x" * 5000 + "</measure>"
    rows = [xml_row(co="&mdash;&hellip;") + padding[: 9 + n] + "</measure>" for n in range(40)]
    found = formats.read_table(AIR, "xml", as_xml(*rows)).table
    assert set(found["co"].to_pylist()) == {"—…"}


def test_xml_nil_is_empty_and_absent_is_ragged() -> None:
    nil = xml_row().replace("<b:co>1</b:co>", '<b:co i:nil="true"/>')
    absent = xml_row().replace("<b:co>1</b:co>", "")
    found = formats.read_table(AIR, "xml", as_xml(nil, absent))
    assert found.table["co"].to_pylist() == [""]
    assert [(r.row_number, r.reason, r.detail) for r in found.rejects] == [(2, "ragged_row", "missing: co")]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (as_xml(xml_row(), total=2), "truncated"),
        (as_xml(xml_row())[:-30], "truncated"),
        (as_xml(xml_row() + "<b:new>1</b:new>"), "header_changed"),
        (as_xml(xml_row().replace("<b:co>1</b:co>", "")), "header_changed"),
        (as_xml(xml_row(co="<x>1</x>")), "header_changed"),
        (as_xml(), "no_rows"),
        (as_xml(xml_row()).replace(b"<TotalCount>1", b"<TotalCount>many"), "not_the_format"),
        (as_xml(xml_row(), head='<!DOCTYPE R [<!ENTITY a "b">]>'), "not_the_format"),
        (as_xml(xml_row(co="&unheard;")), "not_the_format"),
        (as_xml(xml_row(co="\xff")).replace("\xff".encode(), b"\xff"), "encoding"),
        (b"<html><body>x</body></html>", "not_the_format"),
        (b"a,b\n1,2\n", "not_the_format"),
    ],
)
def test_damaged_xml(payload: bytes, expected: str) -> None:
    assert reason(AIR, "xml", payload) == expected


def test_xml_reads_no_file_of_this_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    head = f'<!DOCTYPE R [<!ENTITY x SYSTEM "file://{secret}">]>'
    with pytest.raises(FormatProblem) as problem:
        formats.read_table(AIR, "xml", as_xml(xml_row(co="&x;"), head=head))
    assert "s3cret" not in str(problem.value)


def test_xml_does_not_grow() -> None:
    head = (
        '<!DOCTYPE R [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
        + "]>"
    )
    started = time.monotonic()
    assert reason(AIR, "xml", as_xml(xml_row(co="&j;"), head=head)) in ("not_the_format", "truncated")
    assert time.monotonic() - started < 2


def test_fields_of_json_may_have_names_of_the_source_and_some_are_no_columns() -> None:
    form = WEATHER.forms.by_name["json"].model_copy(
        update={"headings": {"stationId": "station_id"}, "ignore": ["id"]}
    )
    contract = WEATHER.model_copy(update={"forms": type(WEATHER.forms)(json_=form)})
    item = {"id": 7, "stationId": "X", **weather_item()}
    twice = formats.read_table(contract, "json", as_json(weather_item() | {"id": 1}, item))
    assert [(reject.row_number, reject.detail) for reject in twice.rejects] == [(2, "a column stands twice")]
    del item["station_id"]
    assert formats.read_table(contract, "json", as_json(item)).table["station_id"].to_pylist() == ["X"]
    assert reason(WEATHER, "json", as_json(item)) == "header_changed"


def test_json_keeps_numbers_as_received() -> None:
    payload = as_json(weather_item(temperature="T")).replace(b'"T"', b"25.50")
    found = formats.read_table(WEATHER, "json", payload)
    assert found.table["temperature"].to_pylist() == ["25.50"]
    nothing = formats.read_table(
        WEATHER, "json", as_json(weather_item(temperature=None, humidity=float("nan")))
    )
    assert (nothing.table["temperature"][0].as_py(), nothing.table["humidity"][0].as_py()) == ("", "NaN")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (as_json(weather_item())[:-8], "truncated"),
        (as_json(weather_item()).rstrip(b"}] \n") + b"}", "truncated"),  # after an item
        (as_json(weather_item())[:20] + "站".encode()[:2], "truncated"),  # inside a character
        (b'{"items": [{"at": tru', "truncated"),
        (b'{"items": ["\\u12', "truncated"),
        (b"[ERROR] the database is down", "not_the_format"),
        (b"{error: 1", "not_the_format"),
        (as_json(weather_item()) + b" trailing", "not_the_format"),
        (as_json(weather_item(), total=2), "truncated"),
        (as_json(), "no_rows"),
        (as_json(weather_item(new="1")), "header_changed"),
        (b'{"items": 3}', "not_the_format"),
        (b'{"items": [3]}', "not_the_format"),
        (b'{"items": [{"a": 1, "a": 2}]}', "not_the_format"),
        (b"[" * 100_000 + b"]", "not_the_format"),
        (b"\xff\xfe{}", "encoding"),
        (b"<html></html>", "not_the_format"),
    ],
)
def test_damaged_json(payload: bytes, expected: str) -> None:
    assert reason(WEATHER, "json", payload) == expected


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["csv", "xml"]))
def test_whatever_comes_is_named(payload: bytes, form: str) -> None:
    with suppress(FormatProblem):
        formats.read_table(AIR, form, payload)


LINE_ENDS_IN_CELLS = with_csv(line_ends_in_cells=True)
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)
one_line = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=12)
rows_of = lambda cell: st.lists(st.lists(cell, min_size=27, max_size=27), min_size=1, max_size=6)  # noqa: E731


@settings(max_examples=60, deadline=None)
@given(rows_of(cells) | rows_of(one_line))
def test_any_text_survives_csv(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([AIR.header, *rows])
    lines_in_cells = any("\n" in cell for row in rows for cell in row)
    contract = LINE_ENDS_IN_CELLS if lines_in_cells else AIR
    found = formats.read_table(contract, "csv", text.getvalue().encode())
    assert not found.rejects
    assert [[row[name] for name in AIR.header] for row in found.table.to_pylist()] == rows


def quoted(number: int, name: str) -> str:
    """A row with its number as station and a name as it stands in the file."""
    return ",".join([ROW[0], f"S{number}", "x", name, *ROW[4:]])


NAMES = st.sampled_from(
    ['"', '"a', 'a"', '""', '"a"', 'a"b', '"a""', '"a"b', '"a"b"', "a", '"a\rb"', '"a""b"', '"""']
)


@settings(max_examples=200, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_every_line_is_a_row_with_its_own_values_or_a_named_reject(names: list[str], end: str) -> None:
    lines = [quoted(number, name) for number, name in enumerate(names, 1)]
    payload = end.join([",".join(AIR.header), *lines, ""]).encode()
    found = formats.read_table(AIR, "csv", payload)
    numbers = found.table["row_number"].to_pylist()
    assert sorted([*numbers, *(r.row_number for r in found.rejects)]) == list(range(1, len(names) + 1))
    assert found.table["stationcode"].to_pylist() == [f"S{number}" for number in numbers]
    for reject in found.rejects:
        assert (reject.reason, reject.received) == ("quote_not_closed", lines[(reject.row_number or 0) - 1])
    assert {n for n, name in enumerate(names, 1) if '"' not in name or name == '"a"'} <= set(numbers) | {
        r.row_number for r in found.rejects if "stray" in r.detail
    }


def test_an_open_quote_rejects_its_line_and_the_line_that_may_end_it() -> None:
    lines = [quoted(1, "a"), quoted(2, '"a'), quoted(3, "a"), quoted(4, 'a"'), quoted(5, '"a, b"')]
    payload = "\n".join([",".join(AIR.header), *lines, ""]).encode()
    found = formats.read_table(AIR, "csv", payload)
    assert found.table["stationcode"].to_pylist() == ["S1", "S3", "S5"]
    assert [(r.row_number, r.reason, r.detail) for r in found.rejects] == [
        (2, "quote_not_closed", "the quote opened in row 2 is not closed in its line"),
        (4, "quote_not_closed", "a stray quote, perhaps the end of the one opened in row 2"),
    ]
    assert [r.received for r in found.rejects] == [lines[1], lines[3]]
    cut = payload[: payload.index(b'a, b"')]
    assert problem(AIR, "csv", cut) == "truncated: the last line ends inside a quoted cell, in row 5"


def test_a_line_end_in_a_cell_is_taken_only_where_the_contract_says_so() -> None:
    payload = "\n".join([",".join(AIR.header), quoted(1, '"a\nb"'), quoted(2, "c"), ""]).encode()
    found = formats.read_table(LINE_ENDS_IN_CELLS, "csv", payload)
    assert found.table["positionname"].to_pylist() == ["a\nb", "c"]
    found = formats.read_table(AIR, "csv", payload)
    assert found.table["stationcode"].to_pylist() == ["S2"]
    assert [(r.row_number, r.reason) for r in found.rejects] == [
        (1, "quote_not_closed"),
        (2, "quote_not_closed"),
    ]


def test_with_line_ends_in_cells_swallowed_rows_refuse_the_content() -> None:
    lines = [quoted(1, "a"), quoted(2, '"a'), quoted(3, "a"), quoted(4, 'a"'), quoted(5, "b")]
    payload = "\n".join([",".join(AIR.header), *lines, ""]).encode()
    assert (
        problem(LINE_ENDS_IN_CELLS, "csv", payload)
        == "not_the_format: a quote opened near row 2 swallows the rows after it"
    )
    lines[3] = quoted(4, "a")
    payload = "\n".join([",".join(AIR.header), *lines, ""]).encode()
    assert problem(LINE_ENDS_IN_CELLS, "csv", payload) == "truncated: the quote opened in row 2 is not closed"


REMARKS = house_contract(
    "csv", ["site", "time", "remark", "value"], {"line_ends_in_cells": True, "ignore": ["own"]}
)


@pytest.mark.parametrize(
    "remark", ["a, b, c\nd, e", "a, b\nc, d, e", "a\nb, c, d", "a, b, c, d\n", '"a",\n,"b",", c']
)
@pytest.mark.parametrize("own", [[], ["own"]])
def test_a_remark_may_hold_line_ends_and_as_many_delimiters_as_a_row(remark: str, own: list[str]) -> None:
    header = ["site", "time", "remark", *own, "value"]
    lines = [["A", "2026-03-01T01:00", remark, *own, "1"], ["B", "2026-03-01T01:00", "x", *own, "2"]]
    found = formats.read_table(REMARKS, "csv", as_csv(lines, header))
    assert found.table["remark"].to_pylist() == [remark, "x"]
    assert found.rejects == []


@pytest.mark.parametrize("remarks", [('"x', 'x"'), ('"x', 'y"z'), ('"x', '"y"'), ('"x', "x", 'x"')])
@pytest.mark.parametrize("own", ["", "own,"])
def test_rows_that_a_quote_swallowed_are_told_by_what_stands_in_their_columns(
    remarks: tuple[str, ...], own: str
) -> None:
    lines = [f"S{n},2026-03-01T0{n}:00,{remark},{own}{n}.5" for n, remark in enumerate(remarks)]
    payload = "\n".join([f"site,time,remark,{own}value", *lines, ""]).encode()
    told = problem(REMARKS, "csv", payload)
    assert told == "not_the_format: a quote opened near row 1 swallows the rows after it"


def test_a_quote_in_the_last_column_that_nothing_closes_is_told() -> None:
    made = house_contract("csv", ["site", "time", "remark", "value"], {"line_ends_in_cells": True})
    payload = (
        b'site,time,value,remark\nA,2026-03-01T01:00,1,"x\nB,2026-03-01T01:00,2,x\nC,2026-03-01T01:00,3,x\n'
    )
    with pytest.raises(FormatProblem):
        formats.read_table(made, "csv", payload)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(25, 29), min_size=1, max_size=40))
def test_row_numbers_count_every_row(widths: list[int]) -> None:
    payload = as_csv([["1"] * width for width in widths])
    found = formats.read_table(AIR, "csv", payload)
    assert found.table["row_number"].to_pylist() == [n for n, w in enumerate(widths, 1) if w == 27]
    assert [r.row_number for r in found.rejects] == [n for n, w in enumerate(widths, 1) if w != 27]


def test_long_csv_is_read_fast_and_numbered_over_blocks(tmp_path: Path) -> None:
    line = (",".join(ROW) + "\n").encode()
    head = as_csv([])
    payload = head + line * 150_000 + b"short\n" + line * 150_000
    path = tmp_path / "long.csv"
    path.write_bytes(payload)
    started = time.monotonic()
    found = formats.read_table(AIR, "csv", path)
    assert time.monotonic() - started < 5  # 0.6 s on two idle cores
    assert [r.row_number for r in found.rejects] == [150_001]
    numbers = found.table["row_number"].to_numpy()
    assert (numbers[149_999], numbers[150_000], numbers[-1]) == (150_000, 150_002, 300_001)


def test_quotes_are_looked_at_over_blocks_and_fast(tmp_path: Path) -> None:
    line = (quoted(1, '"a, b"') + "\n").encode()
    wrong = (quoted(2, '"a') + "\n").encode()
    path = tmp_path / "quotes.csv"
    path.write_bytes(as_csv([]) + line * 100_000 + wrong + line * 100_000)
    started = time.monotonic()
    found = formats.read_table(AIR, "csv", path)
    assert time.monotonic() - started < 10  # 1.0 s on two idle cores
    assert [(r.row_number, r.reason) for r in found.rejects] == [(100_001, "quote_not_closed")]
    numbers = found.table["row_number"].to_numpy()
    assert (numbers[99_999], numbers[100_000], numbers[-1]) == (100_000, 100_002, 200_001)


@pytest.mark.parametrize("payload", [b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04\x14\0\0\0"])
@pytest.mark.parametrize("form", ["csv", "xml"])
def test_a_zip_archive_is_named(payload: bytes, form: str) -> None:
    assert "a zip archive: unpack it" in problem(AIR, form, payload)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a\0b\x1b", "unknown: 'a\\x00b\\x1b'"),
        ("", "unknown: ''"),
        ("\ufeff\ufefftimepoint", "unknown: '\\ufefftimepoint'"),
        ("timepoint ", "unknown: 'timepoint '"),
    ],
)
def test_a_header_that_cannot_be_seen_is_shown(name: str, told: str) -> None:
    payload = as_csv([ROW], [name, *AIR.header[1:]])
    assert problem(AIR, "csv", payload) == f"header_changed: missing: timepoint; {told}"


def test_a_problem_holds_nothing_that_cannot_be_stored() -> None:
    assert FormatProblem("not_the_format", "a\0\ud800\n站").detail == "a\\x00\\ud800\\n站"


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (
            as_csv([ROW]).decode().encode("utf-16"),
            "byte 1 is 0xff (invalid start byte); it seems to be UTF-16: ",
        ),
        (
            "区站号,名称\n1,站\n".encode("gb18030"),
            "byte 1 is 0xc7 (invalid continuation byte); it seems to be gb18030: ",
        ),
        (LONG + b"\xff\n", f"byte {len(LONG) + 1} is 0xff (invalid start byte); "),
    ],
)
def test_another_encoding_is_named_with_its_byte_and_its_mend(payload: bytes, told: str) -> None:
    assert problem(AIR, "csv", payload) == (
        f"encoding: not utf-8-sig: {told}save it as UTF-8, or name its encoding in the contract (forms.csv.encoding)"
    )


def test_form_of_a_delivery() -> None:
    assert AIR.form_of("http://x/feed", "text/xml; charset=utf-8") == "xml"
    assert AIR.form_of("file:///a/b.CSV.gz") == "csv"
    assert AIR.form_of("http://x/feed?f=a.csv", head=b" <a>") == "xml"
    assert AIR.form_of("http://x/feed", head=b"a,b") == "csv"
    assert AIR.form_of("http://x/feed") == "xml"
