"""The data dictionary: pages in Chinese and English side by side, from what the house itself reads.

Datasets and columns come from dbt's YAML, demands from the suites, channels and proofs from the contracts, limits
from the seeds, tables that dbt does not own from the comments in the migrations. Everything is a file, so the pages
need no database and are the same wherever they are made; what rests on no text that somebody read is marked 未核实.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ecowarehouse.datasets import load_datasets
from ecowarehouse.dictionary.datasets import element_page
from ecowarehouse.dictionary.entities import entities_page
from ecowarehouse.dictionary.feeds import feeds_page
from ecowarehouse.dictionary.index import index_page
from ecowarehouse.dictionary.reading import DictionaryError, model_columns, units_of
from ecowarehouse.dictionary.seeds import read_seeds, seeds_page, status
from ecowarehouse.dictionary.warehouse import warehouse_page
from ecowarehouse.settings import Settings

__all__ = [
    "FOLDER", "DictionaryError", "differences", "model_columns", "pages", "read_seeds", "status", "write",
]  # fmt: skip

FOLDER: Final = Path("docs") / "dictionary"


def pages(settings: Settings | None = None) -> dict[str, str]:
    """All pages by file name, as Markdown.

    Raises:
        DictionaryError: a dataset has no model.
        DatasetError: the exposures cannot be read.
    """
    settings = settings or Settings.load()
    datasets = load_datasets(settings)
    seeds = read_seeds(settings.dbt_project)
    units = units_of(settings.dbt_project)
    found = {
        f"{element}.md": element_page(element, [d for d in datasets if d.element == element], settings, units)
        for element in sorted({dataset.element for dataset in datasets})
    }
    found["feeds.md"] = feeds_page(settings)
    found["entities.md"] = entities_page(settings)
    for schema, title in (("standards", "标准 · Standards"), ("vocabulary", "词汇 · Vocabulary")):
        found[f"{schema}.md"] = seeds_page(title, [seed for seed in seeds if seed.schema == schema])
    found["warehouse.md"] = warehouse_page(settings.migrations)
    found["README.md"] = index_page(settings, datasets, seeds)
    return dict(sorted(found.items()))


def differences(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Names of pages that are missing, differ or are no longer wanted in `folder`."""
    standing = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in standing.keys() | wanted if standing.get(name) != wanted.get(name))


def write(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Make `folder` hold just these pages; returns the names that changed."""
    changed = differences(folder, wanted)
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed
