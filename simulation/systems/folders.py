"""Files that departments lay down: meters and radiation stations for SFTP, workbooks and layers for the drop folders.

A file is written under another name and renamed, so that nobody takes half of one; it is written again when the city's
table changed, with a stamp in its name where the department would put one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from simulation.systems.documents import delimited, eurdep, geography, workbook
from simulation.systems.state import Now

DAYS: Final = 3  # how many days back the daily files go

Document = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Folder:
    """A department's folder: where files appear, of which feeds of the city, and what is in it at a moment."""

    name: str
    feeds: tuple[str, ...]
    documents: Callable[[Now], Iterator[Document]]


class Folders:
    """Folders under one root, brought to the city's moment by `move`."""

    def __init__(self, now: Now, root: Path, folders: tuple[Folder, ...]) -> None:
        self._now = now
        self._root = root
        self._folders = folders
        self._written: dict[Path, int] = {}
        self._moved: datetime | None = None

    def path(self, name: str) -> Path:
        """Where a folder lies."""
        return self._root / name

    def move(self) -> None:
        """Write what is new or changed; what a reader took away stays away until it changes."""
        for folder in self._folders:
            self.path(folder.name).mkdir(parents=True, exist_ok=True)
            if self._moved is None or self._now.changed(folder.feeds, self._moved):
                self._write(folder)
        self._moved = self._now.at

    def _write(self, folder: Folder) -> None:
        place = self.path(folder.name)
        for name, content in folder.documents(self._now):
            path = place / name
            if self._written.get(path) != hash(content):
                temporary = place / f".{name}.part"
                temporary.write_bytes(content)
                temporary.replace(path)
                self._written[path] = hash(content)


def noise_meters(now: Now) -> Iterator[Document]:
    """A file a day with the hours of all meters."""
    table = now.rows("noise_hour", since=now.days(DAYS)[0])
    for day in now.days(DAYS):
        found = table.filter(pc.starts_with(table["start_time"], f"{day:%Y/%m/%d}"))
        if found.num_rows:
            yield f"noise_{day:%Y%m%d}.csv", delimited.csv_of(found)


def radiation_messages(now: Now) -> Iterator[Document]:
    """A message every six hours."""
    sites = {
        s.code: (s.name, s.latitude, s.longitude)
        for s in now.city.feed("radiation_dose_hour").draft.clean.sites
    }
    begin = now.days(DAYS)[0]
    while begin < now.at:
        end = begin + timedelta(hours=6)
        found = now.rows("radiation_dose_hour", since=begin)
        found = found.filter(pc.less(found["begin"], f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"))
        if found.num_rows:
            name = f"SYN{begin:%Y%m%d%H}"
            yield f"{name}.EUR", eurdep.message(found, sites, name, min(end, now.at).astimezone(UTC))
        begin = end


def soil_and_produce(now: Now) -> Iterator[Document]:
    """The farm bureau's workbook: a sheet a kind of sample, points in merged cells, units as laboratories have them."""
    yield (
        f"农产品产地土壤监测_{_stamp(now)}.xlsx",
        workbook.workbook_of(
            {"土壤": now.rows("soil_sample"), "农产品": now.rows("produce_sample")},
            "桂平市农产品产地土壤与农产品监测结果", "桂平市农业农村局", merged=("点位编号",),
        ),
    )  # fmt: skip


def ecological_status(now: Now) -> Iterator[Document]:
    """The yearly index of ecological status."""
    sheets = {"生态环境状况": now.rows("ecology_index_year")}
    yield (
        f"生态环境状况指数_{_stamp(now)}.xlsx",
        workbook.workbook_of(sheets, "桂平市生态环境状况指数", "贵港市桂平生态环境局"),
    )


def forests_and_wetlands(now: Now) -> Iterator[Document]:
    """The forestry bureau's yearly indicators."""
    table = now.rows("forest_wetland_year")
    yield f"林地湿地年度指标_{_stamp(now)}.csv", delimited.csv_of(table, "utf-8-sig")


def groundwater(now: Now) -> Iterator[Document]:
    """Quality of groundwater, in the encoding of an old program."""
    yield f"地下水水质_{_stamp(now)}.csv", delimited.csv_of(now.rows("groundwater_quality"), "gb18030")


def land_use(now: Now) -> Iterator[Document]:
    """Polygons of the land survey."""
    yield f"土地利用_{_stamp(now)}.gpkg", geography.geopackage(now.rows("land_use"), "DLTB")


def red_lines(now: Now) -> Iterator[Document]:
    """Polygons of the ecological red line."""
    yield f"生态保护红线_{_stamp(now)}.geojson", geography.geojson(now.rows("red_line"))


def tap_water(now: Now) -> Iterator[Document]:
    """The health bureau's results of tap water."""
    sheets = {"生活饮用水": now.rows("tap_water")}
    yield (
        f"生活饮用水监测_{_stamp(now)}.xlsx",
        workbook.workbook_of(sheets, "桂平市生活饮用水水质监测结果", "桂平市疾病预防控制中心"),
    )


def sewage_works(now: Now) -> Iterator[Document]:
    """Daily figures of the sewage works."""
    table = now.rows("sewage_day", since=now.days(31)[0])
    yield f"污水处理厂日报_{_stamp(now)}.csv", delimited.csv_of(table, "utf-8-sig")


def verifications(now: Now) -> Iterator[Document]:
    """Certificates of devices."""
    sheets = {"检定校准": now.rows("device_verification")}
    yield (
        f"计量检定证书_{_stamp(now)}.xlsx",
        workbook.workbook_of(sheets, "桂平市环境监测设备检定与校准登记", "桂平市市场监督管理局"),
    )


def accreditations(now: Now) -> Iterator[Document]:
    """Institutions and what they are accredited for."""
    yield f"机构资质_{_stamp(now)}.csv", delimited.csv_of(now.rows("institution_accreditation"), "utf-8-sig")


def registers(name: str) -> Callable[[Now], Iterator[Document]]:
    """A register of the ecology bureau as a file."""

    def documents(now: Now) -> Iterator[Document]:
        table: pa.Table = now.rows(name)
        yield f"{name}_{_stamp(now)}.csv", delimited.csv_of(table)

    return documents


def _stamp(now: Now) -> str:
    """The day of the city, as departments put it into names of files; what changes in a day is the same file."""
    at: datetime = now.at
    return f"{at:%Y%m%d}"


SFTP: Final = (
    Folder("noise", ("noise_hour",), noise_meters),
    Folder("radiation", ("radiation_dose_hour",), radiation_messages),
)
DROPS: Final = (
    Folder("agriculture", ("soil_sample", "produce_sample"), soil_and_produce),
    Folder("ecological_status", ("ecology_index_year",), ecological_status),
    Folder("forestry", ("forest_wetland_year",), forests_and_wetlands),
    Folder("groundwater", ("groundwater_quality",), groundwater),
    Folder("land_use", ("land_use",), land_use),
    Folder("red_line", ("red_line",), red_lines),
    Folder("tap_water", ("tap_water",), tap_water),
    Folder("sewage_works", ("sewage_day",), sewage_works),
    Folder("verifications", ("device_verification",), verifications),
    Folder("accreditations", ("institution_accreditation",), accreditations),
    *(
        Folder(name, (name,), registers(name))
        for name in (
            "site_register",
            "device_register",
            "operator_register",
            "operator_visit",
            "site_plan",
            "park",
        )
    ),
)
