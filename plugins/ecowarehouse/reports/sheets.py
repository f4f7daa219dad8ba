"""The sheet as HTML and as a workbook; the same bytes for the same releases."""

from __future__ import annotations

import io
import re
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from jinja2 import Environment
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from ecowarehouse.reports import words
from ecowarehouse.reports.daily import DailyReport, Section

_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ title }} {{ report.day }}</title><style>
body { font: 14px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; margin: 1.5rem auto; padding: 0 1rem; max-width: 75rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 1.4rem 0 .3rem; }
.table { overflow-x: auto; } table { border-collapse: collapse; } p.mark { color: #8a4b00; }
td, th { border-bottom: 1px solid #ccc; padding: .2rem .6rem; text-align: left; white-space: nowrap; }
td.number { text-align: right; } tr.bad td { background: #fdeceb; }
</style></head><body>
<h1>{{ report.city.zh }} · {{ report.city.en }} · {{ title }} · {{ report.day }}</h1>
{% for mark in marks %}<p class="mark">{{ mark }}</p>{% endfor %}
<p>{{ text }}</p>
{% for section in report.sections %}
<h2>{{ names[section.name] }}</h2>
{% if section.rows %}<div class="table"><table><tr>{% for column in section.columns %}<th>{{ columns[column] }}</th>{% endfor %}</tr>
{% for row in section.rows %}<tr{% if is_bad(section, row) %} class="bad"{% endif %}>
{%- for cell in row %}<td{% if is_number(cell) %} class="number"{% endif %}>{{ shown(cell) }}</td>{% endfor %}</tr>
{% endfor %}</table></div>{% else %}<p>{{ section.note or empty }}</p>{% endif %}
{% endfor %}
<p>{% for element, release, known in report.releases %}{{ element }}: release {{ release }}, known until {{ shown(known) }}{{ "; " if not loop.last }}{% endfor %}</p>
</body></html>
"""  # noqa: E501
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


def html(report: DailyReport, timezone: str) -> str:
    """A page that stands alone."""
    zone = ZoneInfo(timezone)
    return (
        Environment(autoescape=True)
        .from_string(_PAGE)
        .render(
            report=report, title=words.TITLE, marks=_marks(report), text=summary(report), names=words.SECTIONS,
            columns=words.COLUMNS, empty=words.EMPTY, shown=lambda cell: shown(cell, zone), is_number=_is_number,
            is_bad=_is_bad,
        )
    )  # fmt: skip


def xlsx(report: DailyReport, timezone: str) -> bytes:
    """A workbook with one sheet a table, and the releases on the first."""
    zone = ZoneInfo(timezone)
    book = Workbook()
    book.properties.created = book.properties.modified = datetime.combine(report.day, time())
    first = book.active
    assert first is not None
    first.title = "日报"
    for line in (f"{report.city['zh']} {words.TITLE} {report.day}", *_marks(report), summary(report)):
        first.append([line])
    for element, release, known in report.releases:
        first.append([element, release, shown(known, zone)])
    for section in report.sections:
        sheet = book.create_sheet(words.SECTIONS[section.name].partition(" · ")[0][:31].replace("/", "-"))
        sheet.append([words.COLUMNS[column] for column in section.columns] or [section.note or words.EMPTY])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for row in section.rows:
            sheet.append([_cell(value, zone) for value in row])
        for number in range(1, len(section.columns) + 1):
            sheet.column_dimensions[get_column_letter(number)].width = 18
        sheet.freeze_panes = "A2"
    made = io.BytesIO()
    book.save(made)
    return _without_clock(made.getvalue())


def summary(report: DailyReport) -> str:
    """Some lines to paste into a message."""
    lines = []
    for row in _rows(report.section("air_yesterday")):
        if row["aqi"] is None:
            lines.append(f"{row['area_name']}昨日空气：{row['reason'] or '无数据'}。")
        else:
            primary = f"，首要污染物{row['primary_pollutant']}" if row["primary_pollutant"] else ""
            lines.append(f"{row['area_name']}昨日AQI {row['aqi']}，{row['category']}{primary}。")
    for row in _rows(report.section("air_to_date")):
        if row["span"] == "year":
            left = row["polluted_days_left"]
            lines.append(
                f"{row['area_name']}本年优良率{row['good_share']}%（上年同期{_or_none(row['good_share_last_year'])}），"
                f"PM2.5均值{_or_none(row['pm2_5'])} µg/m³"
                + (f"，剩余可超标{left}天。" if left is not None else "，目标未登记。")
            )
    below = [row for row in _rows(report.section("water_sections")) if row["below_target"]]
    named = "、".join(
        f"{row['section_name']}（{row['water_class_cn']}，{row['deciding_items']}）" for row in below
    )
    lines.append(f"未达标断面{len(below)}个" + (f"：{named}。" if below else "。"))
    lines.append(
        f"无数据站点{len(report.section('silent').rows)}个；未发布时段{len(report.section('held_back').rows)}个。"
    )
    return "".join(lines)


def shown(cell: Any, zone: ZoneInfo) -> str:
    """A cell as people read it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是 · yes" if cell else "否 · no"
    if isinstance(cell, datetime):
        return f"{cell.astimezone(zone):%Y-%m-%d %H:%M}"
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def _rows(section: Section) -> list[dict[str, Any]]:
    return [dict(zip(section.columns, row, strict=True)) for row in section.rows]


def _marks(report: DailyReport) -> list[str]:
    return [words.UNREVIEWED, words.INTERNAL, *([words.SYNTHETIC] if report.synthetic else [])]


def _or_none(value: Any) -> str:
    return "无" if value is None else f"{value}"


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | Decimal) and not isinstance(cell, bool)


def _is_bad(section: Section, row: tuple[Any, ...]) -> bool:
    return "below_target" in section.columns and bool(row[section.columns.index("below_target")])


def _cell(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None)  # a workbook knows no zones
    return float(value) if isinstance(value, Decimal) else value


def _without_clock(content: bytes) -> bytes:
    """The same archive with fixed times of its members, so that the same releases give the same bytes."""
    made = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as source, ZipFile(made, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            # openpyxl writes the moment of saving into the properties, whatever was set before.
            member = re.sub(
                rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>1980-01-01T00:00:00Z", source.read(name)
            )
            target.writestr(ZipInfo(name, _NO_TIME), member, ZIP_DEFLATED)
    return made.getvalue()


__all__ = ["html", "shown", "summary", "xlsx"]
