"""Pages for people: one a build, with every period that is not plainly published, and an index; kept 30 days.

Plain files, opened as such. Beside the page of a build stand Great Expectations' Data Docs of its validations; a site
of theirs would need a store beside the ledger, which is the record.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from ecowarehouse.gate.store import Build
from ecowarehouse.gate.verdicts import Verdict

KEEP_SECONDS = 30 * 86_400
_SHOWN = 500
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem; }} table {{ border-collapse: collapse; }}
td, th {{ border: 1px solid #bbb; padding: .3rem .6rem; text-align: left; vertical-align: top; }}
.blocked {{ background: #fbe3e1; }} .publish_with_warnings {{ background: #fdf3d7; }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""


def write(
    folder: Path, build: Build, zone: str, verdicts: Sequence[Verdict], data_docs: Mapping[str, str] = {}
) -> Path:
    """Write the page of this build, its Data Docs and the index; remove pages older than 30 days. Returns the page.

    `data_docs` is HTML by the title of a validation, such as `air.station_hour closed`.

    Raises:
        OSError: the folder cannot be written.
    """
    pages = folder / "builds"
    pages.mkdir(parents=True, exist_ok=True)
    page = pages / f"{build.element}-{build.build_id}.html"
    title = f"Gate · {build.element} · build {build.build_id}"
    links = _data_docs(pages, page.stem, data_docs)
    body = _counts(verdicts) + links + _periods(verdicts, zone)
    _replace(page, _PAGE.format(title=escape(title), body=body))
    _tidy(pages)
    _replace(folder / "index.html", _PAGE.format(title="Gate", body=_index(pages)))
    return page


def _data_docs(pages: Path, build: str, data_docs: Mapping[str, str]) -> str:
    if not data_docs:
        return ""
    (pages / build).mkdir(exist_ok=True)
    links = []
    for title, text in sorted(data_docs.items()):
        name = f"{title.replace(' ', '-')}.html"
        _replace(pages / build / name, text)
        links.append(f'<li><a href="{build}/{escape(name)}">{escape(title)}</a>')
    return f"<h2>Data Docs</h2><ul>{''.join(links)}</ul>"


def _counts(verdicts: Sequence[Verdict]) -> str:
    counts: dict[tuple[str, str], int] = {}
    for verdict in verdicts:
        key = (verdict.dataset, verdict.verdict)
        counts[key] = counts.get(key, 0) + 1
    rows = [
        f"<tr class={word}><td>{escape(dataset)}<td>{word}<td>{n}"
        for (dataset, word), n in sorted(counts.items())
    ]
    return f"<table><tr><th>dataset<th>verdict<th>periods{''.join(rows)}</table>"


def _periods(verdicts: Sequence[Verdict], zone: str) -> str:
    told = sorted(
        (v for v in verdicts if v.verdict != "publish"), key=lambda v: (v.verdict, v.dataset, v.period_start)
    )
    if not told:
        return "<p>Every period is published without a remark.</p>"
    rows = [
        f"<tr class={v.verdict}><td>{escape(v.dataset)}<td>"
        f"{v.period_start.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}<td>{v.period_state}<td>{v.verdict}"
        f"<td>{escape(v.reason or '')}"
        for v in told[:_SHOWN]
    ]
    more = f"<p>{len(told) - _SHOWN} more in governance.verdict.</p>" if len(told) > _SHOWN else ""
    head = "<tr><th>dataset<th>period<th>state<th>verdict<th>reason"
    return f"<h2>Not plainly published</h2><table>{head}{''.join(rows)}</table>{more}"


def _index(pages: Path) -> str:
    newest = sorted(pages.glob("*.html"), key=lambda path: path.stat().st_mtime, reverse=True)
    return "<ul>" + "".join(f'<li><a href="builds/{p.name}">{escape(p.stem)}</a>' for p in newest) + "</ul>"


def _tidy(pages: Path) -> None:
    limit = time.time() - KEEP_SECONDS
    for path in pages.glob("*.html"):
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)


def _replace(path: Path, text: str) -> None:
    """In one step: somebody may have it open."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
