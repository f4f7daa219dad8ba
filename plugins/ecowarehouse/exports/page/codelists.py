"""Code lists for readers of files: levels with colours and advice, editions, properties, each row with its mark."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import psycopg

from ecowarehouse.dictionary import seeds
from ecowarehouse.exports import files
from ecowarehouse.settings import Settings
from ecowarehouse.standards.approval import approvals
from ecowarehouse.standards.files import seed_files

FOLDER: Final = "codelists"
_SHOWN: Final = (
    "standards.air_aqi_levels", "standards.air_edition", "standards.air_sensitive_groups",
    "standards.water_class_label", "standards.water_quality_levels", "vocabulary.property", "vocabulary.unit",
)  # fmt: skip


def write_codelists(conn: psycopg.Connection[Any], settings: Settings, root: Path) -> bool:
    """Write `codelists/<schema>.<table>.json`; a content that nobody approved stays out, the one before it stands."""
    approved = approvals(conn, settings)
    hashes = {f"{one.schema}.{one.table}": (one.file, one.sha256()) for one in seed_files(settings)}
    changed = False
    for seed in seeds.read_seeds(settings.dbt_project):
        name = f"{seed.schema}.{seed.name}"
        if name in _SHOWN and hashes[name] in approved:
            path = root / FOLDER / f"{name}.json"
            changed = files.write(path, files.json_bytes(_told(name, seed))) or changed
    return changed


def _told(name: str, seed: seeds.Seed) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [{key: text or None for key, text in row.items()} for row in seed.rows]
    if seed.is_marked:
        rows = [row | {"verified": verified(row["mark"] or "")} for row in rows]
    return {"codelist": name, "title": {"zh": seed.zh, "en": seed.en}, "rows": rows}


def verified(mark: str) -> str:
    """`yes`, `partly`, `no` or `conflict`, as the dictionary judges marks."""
    words = re.sub(r"[^a-z ]", "", seeds.status(mark).lower()).split()
    if "conflict" in words:
        return "conflict"
    if "partly" in words:
        return "partly"
    return "no" if "unverified" in words else "yes"
