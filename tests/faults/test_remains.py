"""What killed processes leave on the disk does not pile up."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ecowarehouse.landing import store
from ecowarehouse.marts import dbt


def test_a_feed_removes_its_own_temporary_bytes_only(tmp_path: Path) -> None:
    for name in (".incoming.air.x1", ".incoming.air.x2", ".incoming.air_daily.x3"):
        (tmp_path / name).touch()
    kept = store.keep(tmp_path, b"bytes", "air")
    assert store.remove_leftovers(tmp_path, "air") == 2
    assert [path.name for path in tmp_path.glob(".*")] == [".incoming.air_daily.x3"]
    assert (tmp_path / kept.address).read_bytes() == b"bytes"


def test_folders_of_dbt_runs_go_after_a_week(tmp_path: Path) -> None:
    young, old = tmp_path / "run-young", tmp_path / "run-old"
    for folder in (young, old):
        (folder / "target").mkdir(parents=True)
    week_ago = time.time() - 8 * 24 * 3600
    os.utime(old, (week_ago, week_ago))
    dbt._remove_remains(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run-young"]
