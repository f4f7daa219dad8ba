"""dbt's project is read once in a process, and an edit of it counts at once all the same."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from dbt.parser.manifest import ManifestLoader

from ecowarehouse.marts import dbt
from ecowarehouse.settings import Settings


def test_a_second_call_reads_nothing_and_sees_what_was_edited_since(
    module_database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(module_database.dbt_project, tmp_path / "dbt_project")
    settings = replace(module_database, project_root=tmp_path)
    reads = []
    original = ManifestLoader.load
    monkeypatch.setattr(ManifestLoader, "load", lambda loader: reads.append(1) or original(loader))
    edited = tmp_path / "dbt_project" / "models" / "edited.sql"

    def compiled() -> list[str]:
        return [
            node.model
            for node in dbt.run(["compile", "--select", "path:models/edited.sql"], settings=settings)
        ]

    assert compiled() == []
    assert compiled() == []
    assert len(reads) == 1
    edited.write_text("select 1 as one")
    assert compiled() == ["edited"]
    assert len(reads) == 2
    edited.write_text("select 1 as one, 2 as two")
    compiled()
    edited.unlink()
    assert compiled() == []
    assert len(reads) == 4
