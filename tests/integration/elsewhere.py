"""The second city's files, and what stands in them as plain csv and text see it: no reader of the house is asked."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

CITY = Path(__file__).resolve().parents[1] / "cities" / "elsewhere"
ISD_USABLE = "01459"  # quality codes; 2, 3, 6 and 7 are suspect or erroneous


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows that land, rejects (rows and cells), cells that hold a value; of entities, things instead of values."""

    rows: int
    rejects: int
    values: int


@dataclass(frozen=True, slots=True)
class Feed:
    """When the source knew of the files of one feed below `shared/data`, the files, and how to count them."""

    known_at: str
    files: tuple[str, ...]
    count: Callable[[list[Path]], Counts]


def rows_of(
    path: Path, *, delimiter: str = ",", skip: int = 0, header: bool = True, encoding: str = "utf-8-sig"
) -> list[list[str]]:
    """Rows of a CSV that have a cell, without its first `skip` lines and its header."""
    lines = path.read_text(encoding).splitlines()[skip + header :]
    return [row for row in csv.reader(lines, delimiter=delimiter) if row]


def _cells(rows: list[list[str]], first: int, last: int, missing: tuple[str, ...] = ("",)) -> int:
    return sum(cell.strip() not in missing for row in rows for cell in row[first:last])


def _columns(
    first: int, last: int, *, missing: tuple[str, ...] = ("",), header: bool = True
) -> Callable[[list[Path]], Counts]:
    """One row lands for each row; its values stand in some columns."""

    def count(paths: list[Path]) -> Counts:
        rows = [row for path in paths for row in rows_of(path, header=header)]
        return Counts(len(rows), 0, _cells(rows, first, last, missing))

    return count


def _turned(first: int, last: int, delimiter: str = ",") -> Callable[[list[Path]], Counts]:
    """Each cell of some columns lands as a row."""

    def count(paths: list[Path]) -> Counts:
        rows = rows_of(paths[0], delimiter=delimiter)
        return Counts(len(rows) * (last - first), 0, _cells(rows, first, last))

    return count


def _malaga(paths: list[Path]) -> Counts:
    with paths[0].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return Counts(len(rows), 0, sum(row[name] != "" for row in rows for name in ("Ln", "Le", "Ld", "Lden")))


def _hong_kong(paths: list[Path]) -> Counts:
    rows = [row for row in rows_of(paths[0], skip=2) if len(row) == 5]  # the footers have one cell
    days = [row for row in rows if _is_day(*map(int, row[:3]))]  # it has a 29 February 1900
    return Counts(len(days), len(rows) - len(days), _cells(days, 3, 4, ("", "***")))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def isd_rows(path: Path) -> list[dict[str, str]]:
    """Rows of ISD's CSV by heading."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _isd_csv(paths: list[Path]) -> Counts:
    rows = isd_rows(paths[0])
    found = [
        (value, code, missing)
        for row in rows
        for value, code, missing in (
            (*row["TMP"].split(","), "+9999"),
            (*row["DEW"].split(","), "+9999"),
            (*row["WND"].split(",")[:2], "999"),
            (*row["WND"].split(",")[3:], "9999"),
        )
    ]
    return Counts(len(rows), *_judged(found))


def isd_lines(path: Path) -> list[str]:
    """Lines of ISD's raw form."""
    with gzip.open(path, "rt", encoding="ascii") as file:
        return file.read().splitlines()


def _isd_raw(paths: list[Path]) -> Counts:
    lines = isd_lines(paths[0])
    found = [
        part
        for line in lines
        for part in (
            (line[87:92], line[92], "+9999"),
            (line[60:63], line[63], "999"),
            (line[65:69], line[69], "9999"),
        )
    ]
    return Counts(len(lines), *_judged(found))


def _judged(found: list[tuple[str, str, str]]) -> tuple[int, int]:
    """Of (value, quality code, mark of no value): cells that are suspect, cells that hold a value."""
    suspect = sum(code not in ISD_USABLE for _, code, _ in found)
    return suspect, sum(code in ISD_USABLE and value != missing for value, code, missing in found)


def _rdb(paths: list[Path]) -> Counts:
    lines = [line for line in paths[0].read_text().splitlines() if not line.startswith("#")][2:]
    return Counts(len(lines), 0, sum(line.split("\t")[3] != "" for line in lines))


def waterml_values(path: Path) -> list[tuple[str, str]]:
    """Time and value of every point of a document of either edition that has both."""
    text = path.read_text(encoding="utf-8")
    one = re.findall(r'<ns1:value [^>]*dateTime="([^"]+)">([^<]+)<', text)
    return one or re.findall(r"<wml2:time>([^<]+)</wml2:time>\s*<wml2:value>([^<]+)<", text)


def _waterml(paths: list[Path]) -> Counts:
    found = len(waterml_values(paths[0]))
    return Counts(found, 0, found)


def occurrences(path: Path) -> list[dict[str, str]]:
    """Records of the archive by the headings of their file."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("archive-occ/DarwinCore.txt").decode("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def _occurrences(paths: list[Path]) -> Counts:
    found = occurrences(paths[0])
    return Counts(len(found), 0, len({row["GUID"] for row in found}))


def whales(path: Path, member: str) -> list[list[str]]:
    """Records of a file of the whales' archive, short ones as they are."""
    with zipfile.ZipFile(path) as archive:
        lines = archive.read(member).decode("utf-8").split("\n")[1:]
    return [next(csv.reader([line], delimiter="\t")) for line in lines if line]


def _whales(member: str, known_by: int) -> Callable[[list[Path]], Counts]:
    def count(paths: list[Path]) -> Counts:
        rows = whales(paths[0], member)
        return Counts(len(rows), 0, len({tuple(row[:known_by]) for row in rows}))

    return count


def _eurdep(paths: list[Path]) -> Counts:
    records = [
        line
        for path in paths
        for line in path.read_text().splitlines()
        if line.startswith("\\DE") and "T-GAMMA" in line
    ]
    return Counts(len(records), 0, len(records))


def _meuse(paths: list[Path]) -> Counts:
    rows = rows_of(paths[0])
    om = [[row[8]] for row in rows]
    return Counts(len(rows), 0, _cells(rows, 2, 6, ("", "NA")) + _cells(om, 0, 1, ("", "NA")))


def _turbine(paths: list[Path]) -> Counts:
    rows = [row for path in paths for row in rows_of(path, header=False)]
    return Counts(len(rows), 0, sum(row[place] != "" for row in rows for place in (7, 9, 10)))


FEEDS: dict[str, Feed] = {
    "meuse_topsoil": Feed("1991-01-01", ("soil/meuse_topsoil_metals.csv",), _meuse),
    "jura_topsoil": Feed("1993-01-01", ("soil/jura_soil_metals_prediction_set.csv",), _turned(6, 13)),
    "german_dose_rate": Feed(
        "2004-02-01", ("radiation/sic2004_gamma_dose_200stations_10days.csv",), _turned(3, 13)
    ),
    "malaga_noise": Feed("2015-09-01", ("noise/malaga_noise_daily_lden_first_half.csv",), _malaga),
    "madrid_noise": Feed("2021-02-15", ("noise/madrid_noise_daily_2021_jan.csv",), _turned(5, 11, ";")),
    "meter_minutes": Feed("2025-04-05", ("noise/noisemonitor_test_data_laeq1m.csv",), _columns(1, 2)),
    "meter_seconds": Feed("2025-03-25", ("noise/noisemonitor_test_data_laeq1s.csv",), _columns(1, 2)),
    "chattooga_flow": Feed("2012-10-03", ("water/usgs_RDB1Example.txt",), _rdb),
    "choptank_flow": Feed("2012-05-16", ("water/usgs_WaterML1Example.xml",), _waterml),
    "potomac_flow": Feed("2014-09-11", ("water/usgs_WaterML2Example.xml",), _waterml),
    "river_level": Feed("2019-07-13", ("water/ioos_water_level_example.csv",), _columns(5, 6)),
    "pod_weather": Feed("2018-01-03", ("meteorology/noaa_isd_00702699999_2017.csv",), _isd_csv),
    "weather_1928": Feed("1929-01-03", ("meteorology/noaa_isd_raw_104270-99999-1928.gz",), _isd_raw),
    "hong_kong_temperature": Feed("2020-09-03", ("meteorology/hko_daily_mean_temp.csv",), _hong_kong),
    "gas_turbine": Feed(
        "2013-01-03",
        ("pollution/uci_gas_turbine_CO_NOx_2011.csv", "pollution/uci_gas_turbine_CO_NOx_2012.csv"),
        _turbine,
    ),
    "jiangsu_outfall": Feed(
        "2022-11-02", ("pollution/jiangsu_outfall_hourly_single_factor_2021.csv",), _columns(1, 2)
    ),
    "eurdep_dose_rate": Feed("2023-12-10", ("radiation/eurdep_sample.EUR", "made/network.eur"), _eurdep),
    "plant_occurrences": Feed("2009-06-04", ("ecology/dwca_occurrence_archive.zip",), _occurrences),
    "whale_taxa": Feed("2011-01-01", ("made/whales.zip",), _whales("DarwinCore.txt", 1)),
    "whale_names": Feed("2011-01-01", ("made/whales.zip",), _whales("VernacularName.txt", 3)),
}
ENTITIES = ("plant_occurrences", "whale_taxa", "whale_names")


def paths_of(feed: str, shared: Path, made: Path) -> list[Path]:
    """The feed's files; those that were made of others stand in `made`."""
    return [
        made / file.removeprefix("made/") if file.startswith("made/") else shared / "data" / file
        for file in FEEDS[feed].files
    ]


def make_files(shared: Path, made: Path) -> None:
    """The whales' files as the archive that their meta.xml speaks of; the empty message with two stations in it."""
    ecology = shared / "data" / "ecology"
    with zipfile.ZipFile(made / "whales.zip", "w") as archive:
        archive.write(ecology / "dwca_whales_meta.xml", "meta.xml")
        archive.write(ecology / "dwca_whales_taxon.txt", "DarwinCore.txt")
        archive.write(ecology / "dwca_whales_vernacular.txt", "VernacularName.txt")
    message = (shared / "data" / "radiation" / "eurdep_sample.EUR").read_text()
    (made / "network.eur").write_text(_with_stations(message))


def _with_stations(message: str) -> str:
    fields = {
        section: re.search(rf"\\BEGIN_{section};\s*\\FIELD_LIST ([^;]+);", message)[1].split(",")  # type: ignore[index]
        for section in ("LOCALITY", "RADIOLOGICAL")
    }
    places = [("DE0001", "Ort eins", "52.5", "13.4"), ("DE0002", "Ort zwei", "48.1", "11.6")]
    localities = [
        dict(zip(("LOCALITY_CODE", "LOCALITY_NAME", "LATITUDE", "LONGITUDE"), place, strict=True))
        for place in places
    ]
    values = [
        {"LOCALITY_CODE": code, "END": f"2023-12-08T0{hour}:00Z", "NUCLIDE": "T-GAMMA", "UNIT": "NSV/H", "VALUE": value,
         "VALIDATED": "V"}
        for code, hour, value in (("DE0001", 1, "72"), ("DE0001", 2, "7.5E1"), ("DE0002", 1, "61.5"))
    ]  # fmt: skip
    for section, records in (("LOCALITY", localities), ("RADIOLOGICAL", values)):
        lines = "".join(
            f"\\{','.join(one.get(n.strip(), '') for n in fields[section])};\n" for one in records
        )
        message = message.replace(f"\\END_{section};", f"{lines}\\END_{section};")
    return message
