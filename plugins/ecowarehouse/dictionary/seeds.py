"""Pages of standards and vocabulary: every row, with how far its mark can be trusted."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ecowarehouse.dictionary.markdown import page, table
from ecowarehouse.dictionary.reading import Column, bilingual, column_of, read_yaml

_STRONG: Final = re.compile(r"(?<![A-Za-z0-9])(?:S(?![A-Za-z0-9])|measured\b|design\b)")
_WEAK: Final = re.compile(r"(?<![A-Za-z0-9+])K(?![A-Za-z0-9])|\bunverified\b")
_VERIFIED: Final = "已核 verified"
_PARTLY: Final = "**⚠ 部分未核实 partly unverified**"
_UNVERIFIED: Final = "**⚠ 未核实 unverified**"
_CONFLICT: Final = "**⚠ 矛盾，未核实 conflict, unverified**"

_LEGEND: Final = """`mark` 说明每行出处：S 见原文，K 仅凭知识，S+K 二者一致，measured 实测得出，design 本系统的决定，
CONFLICT 相互矛盾。含 K、unverified 或 CONFLICT 的行，核对原文之前均标为未核实。批准一个文件并不等于核实其内容。

`mark` says where a row comes from: S a source was read, K knowledge alone, S+K both agree, measured on data, design our
own decision, CONFLICT sources differ. Rows with K, unverified or CONFLICT are marked unverified until somebody reads
the text. Approving a file does not verify it.
"""


@dataclass(frozen=True, slots=True)
class Seed:
    """One table of standards or vocabulary, with its rows as text."""

    schema: str
    name: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    header: tuple[str, ...]
    rows: tuple[dict[str, str], ...]

    @property
    def is_marked(self) -> bool:
        """Whether each row says where it comes from."""
        return "mark" in self.header


def status(mark: str) -> str:
    """How far a mark of provenance can be trusted, in both languages.

    `S` (a source was read), `measured` and `design` (our own decision) stand; `K` (knowledge alone), `unverified`,
    `CONFLICT` and an empty mark do not. `S+K` is a source that knowledge agrees with.
    """
    if "CONFLICT" in mark:
        return _CONFLICT
    strong, weak = _STRONG.search(mark), _WEAK.search(mark)
    if strong and not weak:
        return _VERIFIED
    return _PARTLY if strong else _UNVERIFIED


def read_seeds(dbt_project: Path) -> list[Seed]:
    """All seeds with their rows, by schema and name."""
    found: list[Seed] = []
    for schema in ("standards", "vocabulary"):
        folder = dbt_project / "seeds" / schema
        described = read_yaml(folder / f"_{schema}.yml")["seeds"]
        found += [
            _seed(folder, schema, entry) for entry in sorted(described, key=lambda one: str(one["name"]))
        ]
    return found


def _seed(folder: Path, schema: str, entry: dict[str, Any]) -> Seed:
    types = entry["config"]["column_types"]
    columns = tuple(
        column_of({**column, "data_type": types.get(column["name"], "text")}, {})
        for column in entry["columns"]
    )
    with (folder / f"{entry['name']}.csv").open(encoding="utf-8", newline="") as text:
        reader = csv.DictReader(text)
        rows = tuple(reader)
        header = tuple(reader.fieldnames or ())
    zh, en = bilingual(entry["description"])
    return Seed(schema, entry["name"], zh, en, columns, header, rows)


def seeds_page(title: str, seeds: Sequence[Seed]) -> str:
    """Every table of one schema with all its rows."""
    parts = [f"# {title}\n", _LEGEND]
    for seed in seeds:
        parts.append(f"## {seed.name}\n\n{seed.zh} · {seed.en}\n")
        parts.append(_counts_line(seed))
        parts.append(
            table(
                ("字段 · column", "类型 · type", "中文", "English"),
                [(f"`{c.name}`", c.type, c.zh, c.en) for c in seed.columns],
            )
        )
        parts.append(f"### 内容 · Content of {seed.name}\n")
        parts.append(_rows_table(seed))
    return page(parts)


def doubtful(seed: Seed) -> str:
    """How many rows nobody has verified."""
    if not seed.is_marked:
        return "—"
    n = sum(count for word, count in _counts(seed).items() if word != _VERIFIED)
    return f"**⚠ {n}**" if n else "0"


def _rows_table(seed: Seed) -> str:
    head = (("核实 · verified",) if seed.is_marked else ()) + seed.header
    rows = [
        ((status(row["mark"]),) if seed.is_marked else ()) + tuple(row[name] for name in seed.header)
        for row in seed.rows
    ]
    return table(head, rows)


def _counts(seed: Seed) -> Counter[str]:
    return Counter(status(row["mark"]) for row in seed.rows) if seed.is_marked else Counter()


def _counts_line(seed: Seed) -> str:
    found = _counts(seed)
    words = [f"{word} {n}" for word, n in sorted(found.items())] or ["无出处列 no column of provenance"]
    return f"{len(seed.rows)} 行 rows: {'; '.join(words)}\n"
