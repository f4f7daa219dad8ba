"""`eco load FEED FILE`: a file that nobody stamped is told apart, for it counts as known now."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecowarehouse.cli import data
from ecowarehouse.settings import Settings
from simulation.national import feed_csv
from tests.integration.feed_house import FEED, row


@pytest.mark.parametrize(
    ("name", "known_at", "warned"),
    [
        ("pull.csv", None, True),
        ("pull.csv", "2019-07-18T12:30+08:00", False),
        ("201907181030_data.csv", None, False),
    ],
)
def test_only_a_file_without_any_stamp_is_warned_of(
    deployed: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    known_at: str | None,
    warned: bool,
) -> None:
    path = tmp_path / name
    path.write_bytes(feed_csv([row(so2=10)]))
    data.load(FEED, [str(path)], known_at=known_at)
    printed = capsys.readouterr()
    assert "loaded" in printed.out
    assert ("--known-at" in printed.err) is warned
