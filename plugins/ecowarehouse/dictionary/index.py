"""The first page: what there is, and where to read on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ecowarehouse.contracts import load_contracts
from ecowarehouse.datasets import Dataset
from ecowarehouse.dictionary.markdown import codes, page, table
from ecowarehouse.dictionary.seeds import Seed, doubtful
from ecowarehouse.settings import Settings

_MADE_FROM: Final = """由 dbt 的 YAML、合同、质量要求、标准种子与迁移注释生成：`make docs`。

Made from dbt's YAML, contracts, suites, seeds of standards and comments of migrations: `make docs`.
"""


def index_page(settings: Settings, datasets: Sequence[Dataset], seeds: Sequence[Seed]) -> str:
    """Datasets, feeds and seeds, each with a link to its page."""
    contracts = load_contracts(settings.city).contracts
    parts = [
        "# 数据字典 · Data dictionary\n",
        _MADE_FROM,
        "## 数据集 · Datasets\n",
        table(
            ("数据集 · dataset", "中文", "English", "主键 · key", "公开 · open", "发布机关 · authority"),
            [
                (
                    f"[`{one.dataset}`]({one.element}.md#{_anchor(one.dataset)})",
                    one.title.zh,
                    one.title.en,
                    codes(one.key),
                    "✓" if one.publishing.open else "",
                    one.publishing.authority,
                )
                for one in datasets
            ],
        ),
        "## 数据源 · Feeds\n",
        table(
            ("数据源 · feed", "中文", "English", "部门 · department", "合成 · synthetic"),
            [
                (
                    f"[`{feed}`](feeds.md#{feed})",
                    one.title.zh,
                    one.title.en,
                    one.department,
                    "**⚠ 合成 synthetic**" if one.synthetic else "",
                )
                for feed, one in sorted(contracts.items())
            ],
        ),
        "## 标准与词汇 · Standards and vocabulary\n",
        table(
            ("表 · table", "中文", "English", "行 · rows", "未核实 · not verified"),
            [
                (
                    f"[`{seed.schema}.{seed.name}`]({seed.schema}.md#{seed.name})",
                    seed.zh,
                    seed.en,
                    str(len(seed.rows)),
                    doubtful(seed),
                )
                for seed in seeds
            ],
        ),
        "其他 · others: [实体 · entities](entities.md) · [仓库的表 · tables of the warehouse](warehouse.md)\n",
    ]
    return page(parts)


def _anchor(heading: str) -> str:
    return heading.lower().replace(".", "")
