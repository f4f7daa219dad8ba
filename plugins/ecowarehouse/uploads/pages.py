"""The pages of the upload form, in Chinese and English. Everything that was received is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined

from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.duties import departments
from ecowarehouse.reasons import LedgerReason, ledger_reasons
from ecowarehouse.settings import Settings
from ecowarehouse.uploads.answers import Answer
from ecowarehouse.uploads.receipts import Receipt

_OUTCOMES: Final = {
    "waiting": "已收到，等待入库 · received, waiting to be loaded",
    "running": "正在入库 · being loaded",
    "aborted": "入库中断，将重试 · interrupted, will be tried again",
    "loaded": "已入库 · loaded",
    "partial": "已入库，最新时段不完整 · loaded, the newest period is incomplete",
    "unchanged": "与先前内容相同 · the same content as before",
    "rejected": "内容不可用，请改正后重新上传 · cannot be used: mend it and send it again",
    "failed": "未能入库 · could not be loaded",
}
_HEAD: Final = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>数据上传 · Upload</title>
<meta name="viewport" content="width=device-width">{% if refresh %}<meta http-equiv="refresh" content="2">{% endif %}
<style>body{font:15px/1.6 system-ui,"Noto Sans CJK SC",sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top}
pre,code{background:#f4f4f2}pre{padding:.6rem;overflow-x:auto}.bad{color:#a00}</style></head><body>"""
_FORM: Final = (
    _HEAD
    + """<h1>数据上传 · Upload of data</h1><p>{{ names.department(department) }}</p>
{% for feed in feeds %}<h2>{{ feed.title.zh }} · {{ feed.title.en }}</h2>
{% if feed.synthetic %}<p class="bad">合成数据 · synthetic data</p>{% endif %}
<form method="post" action="/feeds/{{ feed.feed }}" enctype="multipart/form-data">
<label>文件 · file <input type="file" name="file" required></label> <button>上传 · send</button></form>
<pre>curl -u {{ department }} -F file=@FILE {{ base }}feeds/{{ feed.feed }}</pre>
{% else %}<p>没有可上传的数据源 · no feed of this department takes uploads</p>{% endfor %}
<p>每个文件不超过 {{ limit }} MB · at most {{ limit }} MB a file</p>
<h2>回执 · Receipts</h2><table>
<tr><th>时间 · time</th><th>文件 · file</th><th>数据源 · feed</th><th>回执 · receipt</th></tr>
{% for one in receipts %}<tr><td>{{ names.moment(one.received_at) }}</td><td>{{ one.name }}</td>
<td>{{ names.feed(one.feed) }}</td>
<td><a href="/receipts/{{ one.receipt }}">{{ one.receipt[:8] }}…</a></td></tr>{% endfor %}</table></body></html>"""
)
_ANSWER: Final = (
    _HEAD
    + """<h1>回执 · Receipt</h1><table>
<tr><th>回执号 · receipt</th><td><code>{{ r.receipt }}</code></td></tr>
<tr><th>文件 · file</th><td>{{ r.name }}</td></tr><tr><th>数据源 · feed</th><td>{{ names.feed(r.feed) }}</td></tr>
<tr><th>部门 · department</th><td>{{ names.department(r.department) }}</td></tr>
<tr><th>SHA-256</th><td><code>{{ r.sha256 }}</code></td></tr><tr><th>字节 · bytes</th><td>{{ r.bytes }}</td></tr>
<tr><th>收到时间 · received</th><td>{{ names.moment(r.received_at) }}</td></tr></table>
<h2>结果 · Outcome</h2><p>{{ outcome }}</p>
{% if a.reason %}{% set why = names.reason(a.reason) %}
<p{% if a.outcome in ("rejected", "failed") %} class="bad"{% endif %}>
<code>{{ a.reason }}</code>{% if why %} {{ why.zh }} · {{ why.en }}<br>
{{ why.mend_zh }} · {{ why.mend_en }}{% endif %}</p>{% endif %}
{% if a.error %}<pre>{{ a.error }}</pre>{% endif %}
{% if a.final %}<p>入库行数 · rows loaded: {{ a.rows }}；拒收 · refused: {{ a.refusals | length }}</p>
{% if a.refusals %}<table><tr><th>行（不含表头） · row, without header</th>
<th>列 · column</th><th>原因 · reason</th><th>说明 · detail</th>
<th>收到的内容 · received</th></tr>{% for one in a.refusals[:most] %}<tr><td>{{ one.row or "" }}</td>
<td>{{ one.column or "" }}</td><td>{{ names.said(one.reason) }}</td><td>{{ one.detail or "" }}</td>
<td><code>{{ one.received or "" }}</code></td></tr>{% endfor %}</table>
{% if a.refusals | length > most %}
<p>仅显示前 {{ most }} 条，共 {{ a.refusals | length }} 条，全部见 CSV · the first {{ most }}; all of them: CSV</p>
{% endif %}{% endif %}{% endif %}
<p><a href="/receipts/{{ r.receipt }}.json">JSON</a> · <a href="/receipts/{{ r.receipt }}.csv">CSV</a> ·
<a href="/">返回 · back</a></p></body></html>"""
)
_MOST_SHOWN: Final = 1000
_pages = Environment(autoescape=True, undefined=StrictUndefined)


@dataclass(frozen=True, slots=True)
class Names:
    """What people call what the ledger has in code words, in Chinese and English; times by the city's clock."""

    departments: Mapping[str, Mapping[str, Any]]
    feeds: Mapping[str, str]
    reasons: Mapping[str, LedgerReason]
    zone: ZoneInfo

    @classmethod
    def read(cls, settings: Settings) -> Names:
        """From the city's folder and the vocabulary."""
        contracts = load_contracts(settings.city).contracts
        return cls(
            departments=departments(settings.city),
            feeds={feed: f"{one.title.zh} · {one.title.en}" for feed, one in contracts.items()},
            reasons=ledger_reasons(settings),
            zone=ZoneInfo(settings.timezone),
        )

    def department(self, key: str) -> str:
        """Its name; the key where the city's folder has none."""
        found = self.departments.get(key)
        return f"{found['zh']} · {found['en']}" if found else key

    def feed(self, key: str) -> str:
        """Its title; the key of a feed that has no valid contract any more."""
        return self.feeds.get(key, key)

    def reason(self, word: str) -> LedgerReason | None:
        """What a reason means and what mends it."""
        return self.reasons.get(word)

    def said(self, word: str) -> str:
        """A refused row's reason with its mend."""
        found = self.reasons.get(word)
        return f"{found.zh}。{found.mend_zh} · {found.en}: {found.mend_en} ({word})" if found else word

    def moment(self, text: str) -> str:
        """A moment to the second, with its offset."""
        return f"{datetime.fromisoformat(text).astimezone(self.zone):%Y-%m-%d %H:%M:%S %z}"


def form(
    names: Names,
    department: str,
    feeds: Sequence[Contract],
    receipts: Sequence[Receipt],
    base: str,
    limit: int,
) -> str:
    """The form of a department, with its newest receipts; `limit` in bytes."""
    return _pages.from_string(_FORM).render(
        names=names, department=department, feeds=feeds, receipts=receipts, base=base, refresh=False,
        limit=f"{limit / 2**20:g}",
    )  # fmt: skip


def answer(names: Names, found: Answer) -> str:
    """One receipt with its answer; it loads itself again until the answer is final."""
    return _pages.from_string(_ANSWER).render(
        names=names, a=found, r=found.receipt, outcome=_OUTCOMES.get(found.outcome, found.outcome),
        refresh=not found.final, most=_MOST_SHOWN,
    )  # fmt: skip
