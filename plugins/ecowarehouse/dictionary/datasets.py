"""The page of an element: its datasets with columns, publishing and what the gate demands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ecowarehouse.datasets import Dataset
from ecowarehouse.dictionary.markdown import codes, page, table
from ecowarehouse.dictionary.reading import Column, DictionaryError, bilingual, column_of, read_yaml
from ecowarehouse.gate.suites import DatasetSuite, SuiteError, suite_of
from ecowarehouse.settings import Settings

_GRAINS: Final = {"hour": "小时 hour", "day": "日 day", "month": "月 month", "year": "年 year"}
_SEVERITIES: Final = {"critical": "阻断 critical", "warning": "警告 warning"}
_STATES: Final = {"closed": "已结束 closed", "open": "未结束 open", "always": "始终 always"}


def element_page(element: str, datasets: Sequence[Dataset], settings: Settings, units: dict[str, str]) -> str:
    """The datasets of one element.

    Raises:
        DictionaryError: a dataset has no model.
    """
    path = settings.dbt_project / "models" / "marts" / element / f"_{element}__models.yml"
    models = {model["name"]: model for model in read_yaml(path)["models"]}
    parts = [f"# 数据集 · Datasets: {element}\n"]
    for dataset in datasets:
        model = models.get(f"{element}__{dataset.table}")
        if model is None:
            raise DictionaryError(
                f"{path}: no model {element}__{dataset.table} for dataset {dataset.dataset}"
            )
        parts.append(_dataset(dataset, model, settings, units))
    return page(parts)


def _dataset(dataset: Dataset, model: dict[str, Any], settings: Settings, units: dict[str, str]) -> str:
    zh, en = bilingual(str(model["description"]))
    publishing = dataset.publishing
    flat = dataset.dataset.replace(".", "_")
    is_open = "是 yes" if publishing.open else "**否 no**"
    facts = [
        ("一行 · one row", f"{zh} · {en}"),
        ("主键 · key", codes(dataset.key)),
        ("时段 · period", f"`{dataset.period_column}`, {_GRAINS[dataset.grain]}"),
        ("来源 · feeds", ", ".join(f"[`{feed}`](feeds.md#{feed})" for feed in dataset.feeds) or "全部 all"),
        ("发布机关 · publishing authority", publishing.authority),
        ("依据 · legal basis", publishing.legal_basis),
        ("有效期 · valid", f"{publishing.valid_from or '—'} / {publishing.valid_to or '—'}"),
        ("公开 · open to the public", is_open),
        ("说明 · note", f"{publishing.note.zh} · {publishing.note.en}"),
        (
            "查询 · read it as",
            f"`shared.{flat}`" + (f", `open.{flat}`" if publishing.open else "")
            + f" (已发布 released); `{dataset.relation}` (候选 candidate); `{dataset.as_of_relation}` (as of)",
        ),
    ]  # fmt: skip
    columns = [column_of(entry, units) for entry in model["columns"]]
    return "\n".join(
        [
            f"## {dataset.dataset}\n\n{dataset.title.zh} · {dataset.title.en}\n",
            table(("项目 · item", "内容 · content"), facts),
            "### 字段 · Columns\n",
            _columns_table(columns, dataset),
            "### 质量门 · Gate\n",
            _gate(settings.expectations, dataset),
        ]
    )


def _columns_table(columns: Iterable[Column], dataset: Dataset) -> str:
    rows = [
        (
            f"`{column.name}`" + (" 🔑" if column.name in dataset.key else ""),
            column.type,
            column.unit,
            column.zh,
            column.en,
            "✓" if column.name in dataset.open_columns else "",
        )
        for column in columns
    ]
    return table(
        ("字段 · column", "类型 · type", "单位 · unit (UCUM)", "中文", "English", "公开 · open"), rows
    )


def _gate(folder: Path, dataset: Dataset) -> str:
    try:
        suite = suite_of(folder, dataset.element, dataset.dataset)
    except SuiteError as problem:
        return f"**⚠ 没有质量要求，一律阻断 · no demands, so every period is blocked**: {problem}\n"
    rows = [
        (
            f"`{one.name}`",
            _SEVERITIES[one.severity],
            _STATES[one.applies],
            f"`{one.measure}`: {one.demand()}",
            one.reason,
            one.owner,
            "; ".join(f"{change.on} {change.by}: {change.change}" for change in one.history),
        )
        for one in suite.expectations
    ]
    head = ("要求 · expectation", "程度 · severity", "适用时段 · periods", "限值 · demand", "理由 · reason",
            "负责 · owner", "沿革 · history")  # fmt: skip
    return "\n".join([table(head, rows), *_measures(suite)])


def _measures(suite: DatasetSuite) -> Iterator[str]:
    if suite.hold_rows:
        yield f"不予发布的行 · rows held back: `{suite.hold_rows.when}` ({suite.hold_rows.reason})\n"
    if suite.measures:
        yield "量 · measures of a period:\n"
        yield table(
            ("量 · measure", "SQL"),
            [(f"`{name}`", f"`{' '.join(sql.split())}`") for name, sql in suite.measures.items()],
        )
