"""Real files of public sources, read by a form of a contract and no code of their own."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from ecowarehouse import formats
from ecowarehouse.formats import ReceivedTable
from tests.unit.formats.form_house import contract


def read(
    shared: Path, path: str, form: str, header: str, options: dict[str, Any] | None = None, **fields: Any
) -> ReceivedTable:
    made = contract(form, header.split(), options, **fields)
    return formats.read_table(made, form, shared / "data" / path)


def cell(found: ReceivedTable, row: int, column: str) -> str:
    return str(found.table[column][row].as_py())


def test_meuse(shared: Path) -> None:
    header = "x y cadmium copper lead zinc elev dist om ffreq soil lime landuse dist_m"
    found = read(shared, "soil/meuse_topsoil_metals.csv", "csv", header, {"headings": {"dist.m": "dist_m"}})
    assert (len(found.table), found.rejects) == (155, [])
    assert (cell(found, 0, "cadmium"), cell(found, 0, "dist_m")) == ("11.7", "50.0")


JURA = ["Xloc", "Yloc", "Landuse", "Rock", "Cd", "Co", "Cr", "Cu", "Ni", "Pb", "Zn"]


def test_jura(shared: Path) -> None:
    names = {
        name: name.lower()
        for name in ["Xloc", "Yloc", "Landuse", "Rock", "Cd", "Co", "Cr", "Cu", "Ni", "Pb", "Zn"]
    }
    header = "xloc yloc long lat landuse rock cd co cr cu ni pb zn"
    found = read(shared, "soil/jura_soil_metals_prediction_set.csv", "csv", header, {"headings": names})
    assert (len(found.table), found.rejects) == (259, [])
    assert (cell(found, 2, "rock"), cell(found, 2, "cd")) == ("Sequanian", "1.61")


def test_dose_rates_of_a_network(shared: Path) -> None:
    days = " ".join(f"day{n:02}" for n in range(1, 11))
    path = "radiation/sic2004_gamma_dose_200stations_10days.csv"
    found = read(shared, path, "csv", f"record x y {days}")
    assert (len(found.table), cell(found, 0, "day10")) == (200, "79.9")
    assert len(read(shared, "radiation/sic2004_808_stations_xy.csv", "csv", "record x y").table) == 808


def test_noise_of_malaga(shared: Path) -> None:
    header = "poi time id ln ln_n le le_n ld ld_n lden lden_n created_at"
    names = {
        "Ln": "ln", "Ln_num_values": "ln_n", "Le": "le", "Le_num_values": "le_n", "Ld": "ld", "Ld_num_values": "ld_n",
        "Lden": "lden", "Lden_num_values": "lden_n",
    }  # fmt: skip
    path = "noise/malaga_noise_daily_lden_first_half.csv"
    found = read(shared, path, "csv", header, {"headings": names})
    assert (len(found.table), found.rejects) == (1358, [])
    assert (cell(found, 0, "time"), cell(found, 0, "lden")) == ("30/06/2015", "68.6")


def test_noise_of_madrid_has_blanks_after_its_delimiters(shared: Path) -> None:
    header = "nmt anio mes dia tipo laeq las01 las10 las50 las90 las99"
    names = {
        heading: heading.lower() for heading in ("NMT", "LAEQ", "LAS01", "LAS10", "LAS50", "LAS90", "LAS99")
    }
    options = {"delimiter": ";", "trim_headings": True, "headings": names}
    found = read(shared, "noise/madrid_noise_daily_2021_jan.csv", "csv", header, options)
    assert (len(found.table), found.rejects) == (3587, [])
    assert (cell(found, 0, "tipo"), cell(found, 0, "laeq")) == (" T", " 063.3")


def test_stations_of_madrid_in_latin_1(shared: Path) -> None:
    path = "noise/madrid_noise_stations.csv"
    first = (shared / "data" / path).read_text("latin-1").splitlines()[0].split(";")
    wanted = {
        "Nº": "number", "Nombre": "name", "LONGITUD_WGS84": "longitude", "LATITUD_WGS84": "latitude",
        "Longitud_gms": "gms",
    }  # fmt: skip
    options = {
        "delimiter": ";",
        "encoding": "latin-1",
        "headings": wanted,
        "ignore": [h for h in first if h not in wanted],
    }
    found = read(shared, path, "csv", "number name longitude latitude gms", options)
    assert (len(found.table), found.rejects) == (31, [])
    assert (cell(found, 2, "gms"), cell(found, 0, "latitude")) == ("3º42'17\" Oº", "40.42262")


@pytest.mark.parametrize(
    ("path", "count", "last"),
    [
        ("noise/noisemonitor_test_data_laeq1s.csv", 86_401, "48.885907"),
        ("noise/noisemonitor_test_data_laeq1m.csv", 16_470, "50.550923055555465"),
    ],
)
def test_a_sound_level_meter_with_blanks_in_its_header(
    shared: Path, path: str, count: int, last: str
) -> None:
    options = {"trim_headings": True, "headings": {"LEQ dB -A": "leq"}}
    period = {
        "column": "datetime", "format": "%Y-%m-%d %H:%M:%S", "timezone": "Europe/Paris", "label": "start",
        "averaging": "PT1S", "plausible": {"from": "2020-01-01", "ahead": "PT2H"},
    }  # fmt: skip
    fields = {"site": {"code": "datetime"}, "key": ["datetime"], "period": period}
    found = read(shared, path, "csv", "datetime leq", options, **fields)
    assert (len(found.table), found.rejects) == (count, [])
    assert cell(found, count - 1, "leq") == last


def test_river_flow_in_rdb(shared: Path) -> None:
    names = {"01_00060_00003": "flow", "01_00060_00003_cd": "flow_code"}
    options = {"delimiter": "\t", "comment": "#", "types_line": True, "headings": names}
    header = "site_no datetime agency_cd flow_code flow"
    found = read(shared, "water/usgs_RDB1Example.txt", "csv", header, options)
    assert (len(found.table), found.rejects) == (31, [])
    assert (cell(found, 30, "datetime"), cell(found, 30, "flow"), cell(found, 30, "flow_code")) == (
        "2012-10-01", "365", "P",
    )  # fmt: skip


WATERML = "site_code time site_name longitude latitude property property_name unit qualifier value"


def test_river_flow_in_waterml_2(shared: Path) -> None:
    found = read(shared, "water/usgs_WaterML2Example.xml", "waterml", WATERML)
    assert (len(found.table), found.rejects) == (8, [])  # the first point of the file says nothing
    last = found.table.to_pylist()[-1]
    assert (last["site_code"], last["longitude"], last["latitude"]) == (
        "USGS.MP.USGS.01646500.00060.1.00003", "-77.12763889", "38.94977778",
    )  # fmt: skip
    assert (last["time"], last["value"], last["unit"], last["qualifier"]) == (
        "2014-09-08", "2300.0", "ft3/s", "P",
    )  # fmt: skip


def test_river_flow_in_waterml_1_1(shared: Path) -> None:
    found = read(shared, "water/usgs_WaterML1Example.xml", "waterml", WATERML)
    assert (len(found.table), found.rejects) == (192, [])  # two days of quarters of an hour
    first = found.table.to_pylist()[0]
    assert (first["site_code"], first["property"], first["unit"]) == ("01491000", "00060", "ft3/s")
    assert (first["time"], first["value"], first["qualifier"]) == ("2012-05-12T00:00:00.000-05:00", "83", "A")
    assert (first["longitude"], first["latitude"]) == ("-75.7858056", "38.99719444")


def test_occurrences_in_a_darwin_core_archive(shared: Path) -> None:
    archive = shared / "data" / "ecology" / "dwca_occurrence_archive.zip"
    with zipfile.ZipFile(archive) as opened:
        meta = opened.read("archive-occ/meta.xml").decode()
        lines = opened.read("archive-occ/DarwinCore.txt").decode().splitlines()
    terms = [part.partition('"')[0].rpartition("/")[2] for part in meta.split('term="')[1:]]
    wanted = {
        "EarliestDateCollected": "collected", "ScientificName": "name", "DecimalLatitude": "latitude",
        "DecimalLongitude": "longitude",
    }  # fmt: skip
    options = {"headings": wanted, "ignore": [term for term in terms if term not in wanted]}
    made = contract("darwin_core", ["id", "collected", "name", "longitude", "latitude"], options)
    found = formats.read_table(made, "darwin_core", archive)
    assert (len(found.table), found.rejects) == (len(lines) - 1, [])
    assert (cell(found, 0, "name"), cell(found, 0, "latitude")) == (
        "Ballota acetabulosa (L.) Benth.", "38.10695",
    )  # fmt: skip


def test_taxa_of_whales_whose_quotes_and_widths_their_meta_denies(shared: Path, tmp_path: Path) -> None:
    ecology = shared / "data" / "ecology"
    path = tmp_path / "whales.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(ecology / "dwca_whales_meta.xml", "meta.xml")
        archive.write(ecology / "dwca_whales_taxon.txt", "DarwinCore.txt")
        archive.write(ecology / "dwca_whales_vernacular.txt", "VernacularName.txt")
    header = [
        "id", "scientific_name", "references", "parent_name_usage_id", "taxon_rank", "nomenclatural_code",
        "original_name_id", "taxonomic_status", "nomenclatural_status", "accepted_name_usage_id", "name_published_in",
        "taxon_according_to",
    ]  # fmt: skip
    made = contract("darwin_core", header, {"undeclared_quotes": True, "short_rows": True})
    found = formats.read_table(made, "darwin_core", path)
    assert (len(found.table) + len(found.rejects), len(found.rejects)) == (3248, 0)
    assert cell(found, 1, "scientific_name") == "Cetacea"
    made = contract("darwin_core", ["id", "language", "vernacular_name"], {"row_type": "VernacularName"})
    assert len(formats.read_table(made, "darwin_core", path).table) == 1057


def test_raw_lines_of_weather_by_their_places(shared: Path) -> None:
    places = {
        "usaf": [5, 10], "wban": [11, 15], "date": [16, 23], "time": [24, 27], "latitude": [29, 34],
        "longitude": [35, 41], "temperature": [88, 92], "temperature_quality": [93, 93],
    }  # fmt: skip
    header = "usaf time wban date latitude longitude temperature_quality temperature"
    path = "meteorology/noaa_isd_raw_104270-99999-1928.gz"
    found = read(shared, path, "fixed_width", header, {"columns": places})
    assert (len(found.table), found.rejects) == (376, [])
    last = found.table.to_pylist()[-1]
    assert (last["usaf"], last["date"], last["time"]) == ("104270", "19281231", "1200")
    assert (last["latitude"], last["temperature"], last["temperature_quality"]) == ("+51183", "-0022", "1")


def test_weather_in_csv_with_cells_of_many_parts(shared: Path) -> None:
    path = "meteorology/noaa_isd_00702699999_2017.csv"
    first = (shared / "data" / path).read_text().splitlines()[0].replace('"', "").split(",")
    names = {"STATION": "station", "DATE": "date", "LATITUDE": "latitude", "NAME": "name", "TMP": "tmp"}
    options = {"headings": names, "ignore": [h for h in first if h not in names]}
    found = read(shared, path, "csv", "station date latitude name tmp", options)
    assert (len(found.table), found.rejects) == (6843, [])
    assert (cell(found, 0, "name"), cell(found, 0, "tmp")) == ("WXPOD 7026, AF", "+0020,1")


def test_temperatures_since_1884_with_titles_and_footers(shared: Path) -> None:
    names = {
        "年/Year": "year",
        "月/Month": "month",
        "日/Day": "day",
        "數值/Value": "value",
        "數據完整性/data Completeness": "completeness",
    }
    options = {
        "skip_lines": 2,
        "headings": names,
        "leave_out": ['"(\\*\\*\\*|#) .*"'],
        "ends_with": '"C .*"',
    }
    path = "meteorology/hko_daily_mean_temp.csv"
    found = read(shared, path, "csv", "year month day completeness value", options)
    assert (len(found.table), found.rejects) == (47_301, [])
    assert (cell(found, 0, "year"), cell(found, 0, "value")) == ("1884", "***")
    assert found.left_out == 3


def test_a_gas_turbine_without_header(shared: Path) -> None:
    header = "at ap ah afdp gtep tit tat tey cdp co nox"
    options = {"header_line": False}
    found = read(shared, "pollution/uci_gas_turbine_CO_NOx_2011.csv", "csv", header, options)
    assert (len(found.table), found.rejects) == (7411, [])
    assert (cell(found, 0, "co"), cell(found, 7410, "nox")) == ("0.32663", "92.498")


def test_an_empty_message_of_radiation_has_no_rows(shared: Path) -> None:
    made = contract("eurdep", ["locality_code", "end", "value"])
    with pytest.raises(formats.FormatProblem, match="no_rows"):
        formats.read_table(made, "eurdep", shared / "data" / "radiation" / "eurdep_sample.EUR")


def test_code_lists_of_radiation_in_a_workbook(shared: Path) -> None:
    path = shared / "data" / "radiation" / "eurdep_CodeLists.xlsx"
    made = contract("workbook", ["a", "b", "c"], {"sheet": "none"})
    with pytest.raises(formats.FormatProblem, match="no sheet is named as 'none'; there are: "):
        formats.read_table(made, "workbook", path)
