"""All systems of the departments at one moment: started together, moved on together, stopped together."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from simulation.city.city import City
from simulation.city.window import CHINA
from simulation.systems.database import Databases
from simulation.systems.folders import DROPS, SFTP, Folders
from simulation.systems.moments import moment_of
from simulation.systems.sftp import USER, Sftp
from simulation.systems.state import Now
from simulation.systems.web import Web

FIRST_DAY: Final = date(2026, 10, 15)
DAYS: Final = 14


class Systems:
    """The departments' systems under a folder of their own.

    `addresses` are the secrets by whose names the contracts ask for them. Nothing listens beyond this machine.
    """

    @classmethod
    def of_seed(
        cls, seed: int, folder: Path, step: int, steps: int, *, first_day: date = FIRST_DAY, days: int = DAYS
    ) -> Systems:
        """Some days of a city, whose last hours are as many steps of a clock; it stands at one of them."""
        city = City(seed, first_day=first_day, days=days)
        return cls(city, moment_of(city, step, steps), folder, steps)

    @classmethod
    def up_to_yesterday(cls, seed: int, folder: Path, step: int, steps: int, *, days: int = DAYS) -> Systems:
        """Days whose last was over when it first started: what is received now is as late as it would be."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = folder / "first-day"
        if not kept.exists():
            kept.write_text(f"{datetime.now(CHINA).date() - timedelta(days=days)}\n")
        first_day = date.fromisoformat(kept.read_text().strip())
        return cls.of_seed(seed, folder, step, steps, first_day=first_day, days=days)

    def __init__(self, city: City, at: datetime, folder: Path, steps: int = 1) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._now = Now(city, at)
        self._token = _kept(folder / "ecology-token")
        self._password = _kept(folder / "sftp-password")
        self._web = Web(self._now, self._token)
        self._sent = Folders(self._now, folder / "sftp", SFTP)
        self._dropped = Folders(self._now, folder / "drop", DROPS)
        self._sftp = Sftp(folder / "sftp", folder / "sftp-host-key", self._password)
        self._databases = Databases(self._now, folder / "database")
        self.addresses: dict[str, str] = {}
        self._steps = steps

    def start(self) -> None:
        """Start all of them; afterwards `addresses` is complete."""
        self.move(self._now.at, databases=False)
        for feed in ("air_station_hour", "reservoir", "species_occurrence", "yearly_statistics"):
            self._now.rows(feed)  # worked out before the first request, which would wait for it
        address = self._web.start()
        port = self._sftp.start()
        self.addresses = {
            "ecology_air.url": f"{address}/ecology/air/hours",
            "ecology_air.token": self._token,
            "reservoir.url": f"{address}/water-resources/reservoir.waterml",
            "species.url": f"{address}/forestry/occurrences.zip",
            "statistics.url": f"{address}/development/statistics.csv",
            "sftp.user": USER,
            "sftp.password": self._password,
            "sftp.host_key": self._sftp.host_key,
            **{f"{one.name}.sftp": f"sftp://127.0.0.1:{port}/{one.name}" for one in SFTP},
            **{f"{one.name}.folder": str(self._dropped.path(one.name)) for one in DROPS},
            **{f"{name}.database": url for name, url in self._databases.start().items()},
        }
        self._databases.move()

    def move(self, at: datetime, *, databases: bool = True) -> None:
        """Bring all of them to a moment; when this returns, each shows it."""
        self._now.move(at)
        self._sent.move()
        self._dropped.move()
        if databases:
            self._databases.move()

    def at_step(self, step: int) -> None:
        """Bring all of them to a step of the clock."""
        self.move(moment_of(self._now.city, step, self._steps))

    def owner(self, database: str) -> psycopg.Connection[Any]:
        """A department's own connection to its database; a failure begins there."""
        return self._databases.owner(database)

    def sent(self, name: str) -> Path:
        """The folder of a department's SFTP server."""
        return self._sent.path(name)

    def stop(self) -> None:
        """Stop all of them."""
        self._web.stop()
        self._sftp.stop()
        self._databases.stop()


def _kept(path: Path) -> str:
    """A generated secret that stays the same between starts."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text().strip()
