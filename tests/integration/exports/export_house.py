"""A feed house that releases and exports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ecowarehouse import cycle, exports
from ecowarehouse.exports import ExportResult, Face
from ecowarehouse.settings import Settings
from tests.integration.feed_house import DAY, FeedHouse, feed_house, row

STATIONS = ("S1", "S2", "S3")


@dataclass
class ExportHouse:
    """`feed` loads, `release` builds, judges and releases air, `export` writes files under `out`."""

    feed: FeedHouse
    out: Path

    def load(self, known: int, hours: range, **values: object) -> None:
        """All stations for these label hours after 2019-07-18 00:00, known so many hours after it; 336 is August."""
        plain: dict[str, object] = dict.fromkeys(("so2", "no2", "o3_24h", "pm10"), 12) | {
            "co": "0.7",
            "pm2_5": 8,
        }
        moment = DAY + timedelta(hours=known)
        self.feed.load(moment, [row(code, hour, **(plain | values)) for hour in hours for code in STATIONS])

    def release(self) -> None:
        """Build, gate and release air."""
        cycle.run_element(self.feed.conn, "air", self.feed.settings)

    def export(self, *datasets: str, face: Face = "open", **more: Any) -> ExportResult:
        """The real export."""
        return exports.export(self.feed.conn, self.feed.settings, datasets, face=face, out=self.out, **more)

    def folder(self, dataset: str = "air.station_hour", face: Face = "open") -> Path:
        """Where a dataset's files are."""
        return self.out / face / dataset.replace(".", "_")

    def json(self, name: str, face: Face = "open") -> Any:
        """One JSON file of a face."""
        return json.loads((self.out / face / name).read_text())

    def package(self, dataset: str = "air.station_hour", face: Face = "open") -> Any:
        """The newest manifest of a dataset."""
        folder = dataset.replace(".", "_")
        return self.json(f"{folder}/{self.json(f'{folder}/latest.json', face)['datapackage']}", face)

    def hashes(self, face: Face = "open") -> dict[str, str]:
        """Every file of a face with its hash."""
        root = self.out / face
        return {
            path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


@contextmanager
def export_house(settings: Settings, folder: Path) -> Iterator[ExportHouse]:
    """One on a deployed warehouse, with a folder of its own."""
    with feed_house(settings, folder) as feed:
        yield ExportHouse(feed, folder / "export")
