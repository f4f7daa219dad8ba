"""The page of tables that dbt does not own, from the comments in the migrations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from ecowarehouse.dictionary.markdown import page, table
from ecowarehouse.dictionary.reading import bilingual

_MADE_BY_MIGRATIONS: Final = """由迁移脚本建立、不属于 dbt 的关系及其注释；全部字段见数据库。

Relations that migrations make, with the comments they carry in the database, which knows all their columns.
"""

_COMMENT: Final = re.compile(
    r"^comment on (schema|table|view|column|function) ([a-z_.]+)(?:\([^)]*\))? is\s+((?:'(?:[^']|'')*'\s*)+);",
    re.MULTILINE,
)


def warehouse_page(migrations: Path) -> str:
    """What the migrations say of their relations; a later comment replaces an earlier one."""
    comments: dict[tuple[str, str], str] = {}
    for path in sorted(migrations.glob("*.sql")):
        for kind, name, text in _COMMENT.findall(path.read_text(encoding="utf-8")):
            comments[kind, name] = "".join(re.findall(r"'((?:[^']|'')*)'", text)).replace("''", "'")
    parts = [
        "# 仓库的表 · Tables of the warehouse\n",
        _MADE_BY_MIGRATIONS,
    ]
    for (kind, schema), text in sorted(comments.items()):
        if kind != "schema":
            continue
        members = [
            (f"`{name}`", other, *_both(said))
            for (other, name), said in sorted(comments.items(), key=lambda item: item[0][1])
            if other != "schema" and name.startswith(f"{schema}.")
        ]
        zh, en = _both(text)
        parts.append(f"## {schema}\n\n{zh} · {en}\n" if zh else f"## {schema}\n\n{en}\n")
        if members:
            parts.append(table(("名称 · name", "种类 · kind", "中文", "English"), members))
    return page(parts)


def _both(text: str) -> tuple[str, str]:
    zh, en = bilingual(text)
    return ("", en) if zh == en else (zh, en)
