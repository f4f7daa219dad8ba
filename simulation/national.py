"""The national feed as it is served (real element names, HTML names for dashes), and its pulls in order."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from simulation import air, aqi
from simulation.air import CHINA, Ints, Station

HEADER = [
    "timepoint",
    "stationcode",
    "area",
    "positionname",
    "longitude",
    "latitude",
    "aqi",
    "primarypollutant",
    "quality",
    "so2",
    "so2_24h",
    "no2",
    "no2_24h",
    "co",
    "co_24h",
    "o3",
    "o3_24h",
    "o3_8h",
    "o3_8h_24h",
    "pm10",
    "pm10_24h",
    "pm2_5",
    "pm2_5_24h",
    "citycode",
    "provinceid",
    "orderid",
    "ispublish",
]
_ELEMENTS = [
    "AQI",
    "Area",
    "CO",
    "CO_24h",
    "CityCode",
    "IsPublish",
    "Latitude",
    "Longitude",
    "Measure",
    "NO2",
    "NO2_24h",
    "O3",
    "O3_24h",
    "O3_8h",
    "O3_8h_24h",
    "OpenAccessGenerated",
    "OrderId",
    "PM10",
    "PM10_24h",
    "PM2_5",
    "PM2_5_24h",
    "PositionName",
    "PrimaryPollutant",
    "ProvinceId",
    "Quality",
    "SO2",
    "SO2_24h",
    "StationCode",
    "TimePoint",
    "Unheathful",
]
_STAMPS = timezone(timedelta(hours=6))  # measured: the public archive's stamps run two hours behind
_DAY = datetime(2019, 7, 18, tzinfo=_STAMPS)
_HOURS = "cnemc_live_20190718_h12_13_14_16.csv"
_RAW = "cnemc_live_20190718T1250_raw_feed.xml"
_ADVICE = {
    "优": ("各类人群可正常活动", "空气质量令人满意，基本无空气污染"),
    aqi.MISSING: (aqi.MISSING, aqi.MISSING),
}
_OTHER_ADVICE = ("敏感人群应减少户外活动", "部分污染物可能对敏感人群有影响")


@dataclass(frozen=True, slots=True)
class Pull:
    """What the feed serves from a moment on; `partial` when it was caught mid-update."""

    stamp: datetime
    description: str
    body: bytes
    rows: tuple[Mapping[str, str], ...]
    synthetic: bool
    partial: bool = False


def feed_xml(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Rows in the form of the national feed."""
    found = list(rows)
    return (
        '<GetAQIDataPublishLivesResponse xmlns="http://tempuri.org/">\n'
        ' <GetAQIDataPublishLivesResult xmlns:a="DomainServices" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">\n'
        f"  <a:TotalCount>{len(found)}</a:TotalCount>\n"
        '  <a:RootResults xmlns:b="http://schemas.datacontract.org/2004/07/Env.CnemcPublish.DAL">\n'
        + "".join(map(_row_xml, found))
        + "  </a:RootResults>\n </GetAQIDataPublishLivesResult>\n</GetAQIDataPublishLivesResponse>"
    ).encode()


def feed_csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Rows in the form of the public archive."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _row_xml(row: Mapping[str, str]) -> str:
    measure, unhealthful = _ADVICE.get(row["quality"], _OTHER_ADVICE)
    extra = {"Measure": measure, "Unheathful": unhealthful}
    lines = []
    for name in _ELEMENTS:
        if name == "OpenAccessGenerated":
            lines.append(_access_key(row["stationcode"]))
            continue
        text = escape(extra.get(name) or row.get(name.lower(), "")).replace("—", "&mdash;")
        lines.append(f"    <b:{name}>{text}</b:{name}>\n")
    return "   <b:AQIDataPublishLive>\n" + "".join(lines) + "   </b:AQIDataPublishLive>\n"


def _access_key(code: str) -> str:
    inner = (
        '<?xml version="1.0" encoding="utf-16"?>\n'
        f'<ObjectKey T="Env.CnemcPublish.DAL.AQIDataPublishLive" S="StationCode::{code}" />'
    )
    return (
        "    <b:OpenAccessGenerated"
        ' xmlns:c="http://schemas.microsoft.com/2003/10/Serialization/Arrays">\n     <c:string>'
        + escape(inner, {'"': "&quot;"})
        + "</c:string>\n     <c:string>+</c:string>\n    </b:OpenAccessGenerated>\n"
    )


def real_pulls(data: Path) -> list[Pull]:
    """The six real pulls of 2019-07-18, in order; one byte for byte, the others put into its form.

    Raises:
        FileNotFoundError: a file of the folder `data/air` is missing.
    """
    folder = data / "air"
    hours = _read(folder / _HOURS)
    by_label: dict[str, list[Mapping[str, str]]] = {}
    for row in hours:
        by_label.setdefault(row["timepoint"][11:13], []).append(row)
    early = _read(folder / "cnemc_live_20190718_pull1226_partial_mixed_hour.csv")
    late = _read(folder / "cnemc_live_20190718_pull1426_partial_mixed_hour.csv")
    raw = (folder / _RAW).read_bytes()
    return [
        _real(11, 4, "label 12:00", by_label["12"]),
        _real(11, 39, "label 13:00", by_label["13"]),
        _real(12, 26, "caught mid-update: 13:00 and 14:00", early, partial=True),
        _real(12, 50, "label 14:00, byte for byte", by_label["14"], body=raw),
        _real(14, 26, "caught mid-update: 15:00 and 16:00", late, partial=True),
        _real(14, 29, "label 16:00", by_label["16"]),
    ]


def _real(
    hour: int,
    minute: int,
    text: str,
    rows: list[Mapping[str, str]],
    body: bytes | None = None,
    partial: bool = False,
) -> Pull:
    stamp = _DAY.replace(hour=hour, minute=minute).astimezone(CHINA)
    return Pull(stamp, text, body or feed_xml(rows), tuple(rows), synthetic=False, partial=partial)


def _read(path: Path) -> list[Mapping[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def synthetic_pulls(
    seed: int, *, start: datetime = datetime(2026, 2, 28, 20, tzinfo=CHINA), hours: int = 12, count: int = 60
) -> list[Pull]:
    """Pulls of an invented network; by default they cross 2026-03-01, when the index changes its edition.

    Every hour is pulled once; the fourth is caught mid-update first, the sixth is served again with about
    1 % of its values revised, the eighth has a spike out of range.
    """
    network = air.stations(count, seed)
    before = 24  # so that the running means have something to run over
    first = start - timedelta(hours=before)
    values = air.concentrations(count, before + hours, first.hour, seed)
    values["pm10"][before + 7, count // 2] = 9850
    served = [_rows(network, values, first, before + hour) for hour in range(hours)]
    pulls = []
    for hour, rows in enumerate(served):
        named = air.label(start, hour)
        if hour == 3:
            mixed = [rows[i] if i % 20 == 0 else served[hour - 1][i] for i in range(count) if i % 30 != 7]
            pulls.append(_synthetic(named, 26, "caught mid-update", mixed, partial=True))
        pulls.append(_synthetic(named, 29, f"label {named:%H:%M}", rows))
        if hour == 5:
            revised = _rows(network, _revised(values, before + hour, seed), first, before + hour)
            pulls.append(_synthetic(named, 49, f"label {named:%H:%M} again, about 1 % revised", revised))
    return pulls


def _synthetic(
    named: datetime, minute: int, text: str, rows: list[dict[str, str]], partial: bool = False
) -> Pull:
    stamp = named + timedelta(minutes=minute)
    return Pull(stamp, f"synthetic: {text}", feed_xml(rows), tuple(rows), synthetic=True, partial=partial)


def _revised(values: dict[str, Ints], hour: int, seed: int) -> dict[str, Ints]:
    rng = np.random.default_rng([seed, 3])
    revised = {pollutant: array.copy() for pollutant, array in values.items()}
    for array in revised.values():
        chosen = (rng.random(array.shape[1]) < 0.01) & (array[hour] >= 0)
        array[hour][chosen] += 1
    revised["no2"][hour][0] = max(revised["no2"][hour][0], 0) + 2  # at least one
    return revised


def _rows(
    network: list[Station], values: dict[str, Ints], first: datetime, hour: int
) -> list[dict[str, str]]:
    shown = air.columns({p: array[: hour + 1] for p, array in values.items()}, first.hour)
    named = air.label(first, hour)
    day = (named - timedelta(hours=1)).date()
    rows = []
    for place, station in enumerate(network):
        measured = {p: _present(values[p][hour][place]) for p in air.POLLUTANTS}
        index, primary, quality = aqi.hourly(measured, day)
        rows.append(
            {
                "timepoint": named.strftime("%Y-%m-%dT%H:%M:%S"),
                "stationcode": station.code,
                "area": station.area,
                "positionname": station.name,
                "longitude": station.longitude,
                "latitude": station.latitude,
                "aqi": index,
                "primarypollutant": primary,
                "quality": quality,
                **{name: _text(name, int(array[hour][place])) for name, array in shown.items()},
                "citycode": "0",
                "provinceid": "0",
                "orderid": "1",
                "ispublish": "true",
            }
        )
    return rows


def _present(value: object) -> int | None:
    number = int(value)  # type: ignore[call-overload]
    return None if number < 0 else number


def _text(name: str, value: int) -> str:
    if value < 0:
        return aqi.MISSING
    return f"{value // 10}.{value % 10}" if name.startswith("co") else str(value)
