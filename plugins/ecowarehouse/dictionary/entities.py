"""The page of entities: what core knows of each, and which feeds speak of it."""

from __future__ import annotations

from typing import Final

from ecowarehouse.contracts import EntityContract, load_contracts
from ecowarehouse.dictionary.markdown import page, table
from ecowarehouse.entities import SQL_TYPES, load_entities
from ecowarehouse.settings import Settings

_HEAD: Final = """非序列的实体：`core.<实体>` 为全部版本，`core.<实体>_current` 为现行内容
（随 `eco.as_of`），每个有效期一行。
每个关系另有 `feed, code, valid_from, valid_to, known_at, batch_id`，全部版本另有
`taken_back`。

Entities that are not series: `core.<entity>` has all versions, `core.<entity>_current` what holds (as of
`eco.as_of`), one row a span of validity. Each also has `feed, code, valid_from, valid_to, known_at, batch_id`; all
versions have `taken_back`.
"""


def entities_page(settings: Settings) -> str:
    """Every entity that `entities.yml` declares."""
    found = load_contracts(settings.city).contracts.values()
    feeds = {
        name: [c.feed for c in found if isinstance(c, EntityContract) and c.entity == name]
        for name in load_entities()
    }
    parts = ["# 实体 · Entities\n", _HEAD]
    for name, entity in load_entities().items():
        rows = [
            (
                f"`{column}`",
                SQL_TYPES[said.type] if said.type != "geometry" else "text (EWKT)",
                said.zh,
                said.en,
                ", ".join(f"`{word}`" for word in said.words)
                or (f"[`{said.of}`](#{said.of})" if said.of else ""),
            )
            for column, said in entity.columns.items()
        ]
        parts.append(f"## {name}\n\n{entity.title.zh} · {entity.title.en}\n")
        if feeds[name]:
            links = ", ".join(f"[`{feed}`](feeds.md#{feed})" for feed in feeds[name])
            parts.append(f"数据源 · feeds: {links}\n")
        parts.append(
            table(
                ("字段 · column", "类型 · type", "中文", "English", "取值或引用 · words or reference"), rows
            )
        )
    return page(parts)
