"""The dictionary that lies beside the files: one page in Chinese, one in English."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ecowarehouse.exports.facts import Facts
from ecowarehouse.exports.fields import Field

LANGUAGES: Final = ("zh", "en")

_WORDS: Final = {
    "zh": {
        "authority": "发布机关", "basis": "依据", "valid": "有效期", "licence": "许可", "source": "来源",
        "note": "说明", "city": "城市", "period": "时段", "zone": "时区", "key": "主键", "column": "字段",
        "type": "类型", "unit": "单位（UCUM）", "meaning": "含义", "synthetic": "合成数据：没有真实来源",
        "columns": "字段",
    },
    "en": {
        "authority": "Publishing authority", "basis": "Legal basis", "valid": "Valid", "licence": "Licence",
        "source": "Source", "note": "Note", "city": "City", "period": "Period", "zone": "Time zone",
        "key": "Key", "column": "Column", "type": "Type", "unit": "Unit (UCUM)", "meaning": "Meaning",
        "synthetic": "synthetic: no real source stands behind it", "columns": "Columns",
    },
}  # fmt: skip
_GRAINS: Final = {
    "zh": {"hour": "小时", "day": "日", "month": "月", "year": "年"},
    "en": {"hour": "hour", "day": "day", "month": "month", "year": "year"},
}


def dictionary_page(facts: Facts, fields: Sequence[Field], language: str) -> bytes:
    """The page in `zh` or `en` as Markdown."""
    words, zh = _WORDS[language], language == "zh"
    dataset, known = facts.dataset, facts.dataset.publishing
    title = dataset.title.zh if zh else dataset.title.en
    rows = [
        (words["city"], f"{facts.city.name if zh else facts.city.name_en} ({facts.city.code})"),
        (words["note"], known.note.zh if zh else known.note.en),
        (words["authority"], known.authority),
        (words["basis"], known.legal_basis),
        (words["valid"], f"{known.valid_from or '—'} / {known.valid_to or '—'}"),
        *((words["source"], _source(facts, place, words, zh)) for place in range(len(facts.sources))),
        *((words["licence"], one.licence) for one in facts.sources),
        (words["period"], f"`{dataset.period_column}`, {_GRAINS[language][dataset.grain]}"),
        (words["zone"], facts.city.timezone),
        (words["key"], ", ".join(f"`{name}`" for name in dataset.key)),
    ]
    lines = [f"# {title}", "", f"`{dataset.dataset}`", "", "| | |", "| --- | --- |"]
    lines += [f"| {_cell(name)} | {_cell(text)} |" for name, text in rows]
    head = (words["column"], words["type"], words["unit"], words["meaning"])
    lines += ["", f"## {words['columns']}", "", _row(head), _row(("---",) * len(head))]
    lines += [_row((f"`{f.name}`", f.kind, f.unit, f.title if zh else f.description)) for f in fields]
    return ("\n".join(lines) + "\n").encode()


def _source(facts: Facts, place: int, words: dict[str, str], zh: bool) -> str:
    one = facts.sources[place]
    text = f"{one.authority}: {one.title.zh if zh else one.title.en} (`{one.feed}`); {one.legal_basis}"
    return f"{text}; **{words['synthetic']}**" if one.synthetic else text


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
