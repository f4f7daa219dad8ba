"""All kinds of decisions at once by the real commands on a live house; page, files, relations and as-of agree."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ecowarehouse.cli.app import app
from ecowarehouse.settings import Settings
from simulation.national import feed_csv
from tests.integration.feed_house import DAY, row

AIR, WEATHER = "cnemc_air_hourly", "weather_hourly"
OURS = f"{WEATHER} --department meteorology"
BEFORE = "2019-07-18T08:00+08:00"  # the first pull was known, and nobody had decided anything
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
RELATIONS = ("air.station_hour", "shared.air_station_hour", "open.air_station_hour")


class House:
    """A city whose feeds are folders of files, and the commands of `eco`."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder, self.pulls = settings, folder, 0

    def eco(self, *words: str, code: int = 0) -> str:
        """What a command prints; it must end with this code."""
        done = CliRunner().invoke(app, list(words))
        told = f"{done.output}{done.exception or ''}"
        assert done.exit_code == code, told
        return told

    def pull(self, silent: str = "", **values: object) -> None:
        """Both sources say everything again, and one hour more, in which one station may be silent."""
        self.pulls += 1
        for old in self.folder.glob("*.*"):
            old.unlink()
        plain: dict[str, object] = dict.fromkeys(("so2", "no2", "o3_24h", "pm10"), 12)
        plain |= {"co": "0.7", "pm2_5": 8, "aqi": 12, "quality": "优"}
        rows = [row(code, hour, **(plain | values)) for hour in range(1, 5) for code in ("S1", "S2")]
        newest = range(5, 5 + self.pulls)
        rows += [
            row(code, hour, **plain)
            for hour in newest
            for code in ("S1", "S2")
            if (code, hour) != (silent, 6)
        ]
        # The first carries the stamp of its day; what has none is known when it is received: after all decisions.
        name = "201907180530_air.csv" if self.pulls == 1 else "air.csv"
        (self.folder / name).write_bytes(feed_csv(rows))
        said = "2019-07-18T07:30:00+08:00" if self.pulls == 1 else datetime.now(UTC).isoformat()
        items = [_weather(code, hour) for hour in [*range(1, 5), *newest] for code in ("W1", "W2")]
        content = {"generated_at": said, "total": len(items), "items": items}
        (self.folder / "weather.json").write_text(json.dumps(content))

    def cycle(self, code: int = 0) -> str:
        """The next run of everything."""
        return self.eco("cycle", "air", "weather", code=code)

    def read(self, relation: str, column: str, station: str, hour: int, *more: str) -> float | None:
        """One number of a station's hour, None too where there is no row; `more` are options of `eco query`."""
        start = (DAY + timedelta(hours=hour)).isoformat()
        question = (
            f"select {column} from {relation} where station_code = '{station}' and period_start = '{start}'"
        )
        found = json.loads(self.eco("query", question, "--format", "json", *more))
        return float(found[0][column]) if found and found[0][column] is not None else None

    def file(self, column: str, station: str, hour: int) -> str | None:
        """The same of the newest public file; None without the row."""
        folder = self.settings.exports / "open" / "air_station_hour"
        manifest = folder / json.loads((folder / "latest.json").read_text())["datapackage"]
        for part in json.loads(manifest.read_text())["resources"]:
            if part["path"].endswith(".csv.gz"):
                text = gzip.decompress((folder / part["path"]).read_bytes()).decode()
                for one in csv.DictReader(io.StringIO(text)):
                    start = datetime.fromisoformat(one["period_start"])
                    if one["station_code"] == station and start == DAY + timedelta(hours=hour):
                        return one[column]
        return None

    def page(self) -> dict[str, Any]:
        """What the public page shows."""
        found: dict[str, Any] = json.loads(
            (self.settings.exports / "open" / "portal" / "data" / "page.json").read_text()
        )
        return found


def _weather(code: str, hour: int) -> dict[str, object]:
    return {
        "station_id": code, "station_name": code, "township": "西山镇", "lon": "110.0", "lat": "23.4",
        "time": (DAY + timedelta(hours=hour)).isoformat(), "temperature": 20, "humidity": 70, "pressure": 1005,
        "wind_speed": 2, "wind_direction": 90, "precipitation": 0,
    }  # fmt: skip


@pytest.fixture(scope="module")
def house(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The first pull is released and exported; nobody has decided anything."""
    folder = tmp_path_factory.mktemp("sources")
    city = Path(shutil.copytree(module_deployed.city, tmp_path_factory.mktemp("city") / "city"))
    (
        city / "sources" / "ecology_environment" / "station_air_hourly.yml"
    ).unlink()  # nobody answers for it here
    for path, source in ((f"cnemc/{AIR}", "*.csv"), (f"meteorology/{WEATHER}", "*.json")):
        contract = city / "sources" / f"{path}.yml"
        text = contract.read_text(encoding="utf-8")
        [connector] = re.findall(r"^connector:\n(?:  .*\n)+", text, flags=re.MULTILINE)
        files = f"connector:\n  transport: files\n  url: {folder}/{source}\n"
        contract.write_text(text.replace(connector, files), encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ECO_CITY", str(city))
        settings = Settings.load()
        shutil.rmtree(settings.exports, ignore_errors=True)
        made = House(settings, folder)
        made.pull()
        made.cycle()
        yield made
        shutil.rmtree(settings.exports, ignore_errors=True)


def holds(house: House) -> None:
    """What each decision says, on every exit."""
    for relation in RELATIONS:
        assert house.read(relation, "pm2_5", "S1", 2) is None, relation
        assert house.read(relation, "pm2_5", "S2", 1) is None, relation
        assert house.read(relation, "pm2_5", "S2", 2) == 8, relation
    assert house.file("pm2_5", "S1", 2) == "", "reviewed: the row is there, its value is not"
    assert house.file("pm2_5", "S2", 1) is None, "retracted"
    assert house.file("pm2_5", "S1", 0) is None, "superseded"
    assert house.file("no2", "S1", 3) == "12", "under embargo"
    assert house.file("pm2_5", "S1", 5) == "8", "waived"
    shared, was = "shared.air_station_hour", ("--as-of", BEFORE)
    assert house.read(shared, "pm2_5", "S1", 2, *was) == 8
    assert house.read(shared, "pm2_5", "S2", 1, *was) is None, "retracted rows were never to be read"
    assert (house.read(shared, "pm2_5", "S1", 0), house.read(shared, "pm2_5", "S1", 0, *was)) == (None, 8)
    assert house.read(shared, "pm2_5", "S1", 5) == 8
    for relation in ("weather.station_hour", "shared.weather_station_hour"):
        assert house.read(relation, "air_temperature", "W1", 2) == 25.5, relation
        assert house.read(relation, "air_temperature", "W1", 2, *was) == 20, relation
    page = house.page()
    folder = house.settings.exports / "open" / "air_station_hour"
    assert (
        page["made_from"]["air.station_hour"] == json.loads((folder / "latest.json").read_text())["version"]
    )
    told = {
        (one["what"]["station_code"], one["period"][11:13])
        for one in page["corrections"]["air.station_hour"]["rows"]
    }
    assert ("S1", "02") in told, "the page tells of the value that a reviewer took out"
    kept_quiet = {("S1", "00"), ("S2", "01"), ("S1", "03"), ("S2", "03")}
    assert not told & kept_quiet, "and of nothing withdrawn or held back"


def test_what_people_decide_holds_on_every_exit_until_they_end_it(house: House) -> None:
    by = ("--by", "Li")
    day = "2019-07-18"
    house.eco(
        "review", AIR, "--site", "S1", "--channel", "pm2_5", "--from", f"{day}T02", "--stage", "first_review",
        "--validity", "invalid", "--reason", "instrument_fault: lamp", *by,
    )  # fmt: skip
    house.eco(
        "correct", WEATHER, "--department", "meteorology", "--site", "W1", "--channel", "temperature",
        "--at", f"{day}T02", "--value", "25.5", "--reason", "sensor 3 read 5 too low", *by,
    )  # fmt: skip
    for kind, site, hour in (("superseded", "S1", "00"), ("retracted", "S2", "01")):
        told = house.eco(
            "withdraw", "air.station_hour", "--site", site, "--from", f"{day}T{hour}", "--kind", kind,
            "--reason", "wrong inlet", *by,
        )  # fmt: skip
        assert "rows 1" in told
    house.eco(
        "publish", "--embargo", "air.station_hour", "--from", f"{day}T03", "--until", TOMORROW,
        "--reason", "under inquiry", *by,
    )  # fmt: skip
    house.pull(silent="S2", no2=13)
    assert "sites_are_there: stations_share is 0.5" in house.cycle(code=1)
    house.eco(
        "gate", "waive", "air.station_hour", "--period", f"{day}T05", "--expectation", "sites_are_there",
        "--reason", "flood: no power", "--until", TOMORROW, *by,
    )  # fmt: skip
    house.cycle()
    holds(house)
    for _ in range(3):
        house.pull(silent="S2", no2=13)
        house.cycle()
    holds(house)
    house.eco("recompute", "air", "weather", "--check")
    listed = json.loads(house.eco("decisions", "list", "--json"))
    assert sorted(one["kind"] for one in listed) == [
        "correction", "embargo", "review", "waiver", "withdrawal", "withdrawal",
    ]  # fmt: skip
    for one in listed:
        house.eco("decisions", "revoke", one["reference"], "--reason", "it was sound", *by)
    assert house.eco("decisions", "list").strip() == "0 decisions"
    house.cycle()
    assert [house.file("pm2_5", *row) for row in (("S1", 2), ("S2", 1), ("S1", 0))] == ["8"] * 3
    assert house.file("no2", "S1", 3) == "13"
    assert house.read("shared.weather_station_hour", "air_temperature", "W1", 2) == 20


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "review nobody --site S1 --from 2019-07-18 --stage raw --validity valid --reason r",
            "no feed 'nobody'",
        ),
        (
            "review park --site S1 --from 2019-07-18 --stage raw --validity valid --reason r",
            "park is a register",
        ),
        (f"review {AIR} --site S9 --from 2019-07-18 --stage raw --validity valid --reason r", "no site 'S9'"),
        (
            f"review {AIR} --site S1 --from 2019-07-18 --stage done --validity valid --reason r",
            "expected one of raw",
        ),
        (
            f"review {AIR} --site S1 --from 2019-07-18 --stage raw --validity bad --reason r",
            "expected one of valid",
        ),
        (
            f"review {AIR} --site S1 --from 2019-7-18 --stage raw --validity valid --reason r",
            "such as 2019-07-18T08",
        ),
        (
            f"review {AIR} --site S1 --from 2019-07-18 --to 2019-07-17 --stage raw --validity valid --reason r",
            "before they start",
        ),
        (
            f"review {AIR} --site S1 --channel pm --from 2019-07-18 --stage raw --validity valid --reason r",
            "it has: aqi (aqi), co (co)",
        ),
        (
            f"correct {AIR} --site S1 --channel so2 --at 2019-07-18T02 --value 1 --reason r",
            "only received again",
        ),
        (
            f"correct {OURS} --site W1 --channel temperature --at 2019-07-18 --value 1 --reason r",
            "an hour is written",
        ),
        (f"correct {OURS} --site W1 --channel temperature --at 2019-07-18T02 --value x --reason r", "'x'"),
        (
            f"correct {WEATHER} --site W1 --channel temperature --at 2019-07-18T02 --value 1 --reason r",
            "ecology_environment may not decide about weather_hourly",
        ),
        ("withdraw air.station --from 2019-07-18T02 --kind retracted --reason r", "air.station_hour"),
        ("withdraw air.station_hour --from 2019-07-18T02 --kind gone --reason r", "superseded, retracted"),
        (
            "withdraw air.station_hour --site S9 --from 2019-07-18T02 --kind retracted --reason r",
            "no row of air.station_hour is readable",
        ),
        (
            "withdraw air.station_hour --where station=S1 --from 2019-07-18T02 --kind retracted --reason r",
            "one of station_code",
        ),
        ("publish --embargo air.station_hour --from 2019-07-18T02 --reason r", "--until"),
        ("publish --embargo air.station_hour --from 2019-07-18T02 --until 2019-01-01 --reason r", "is past"),
        ("publish air.station_hour --from 2019-07-18T02 --reason r", "--embargo"),
        (
            "gate waive air.station_hour --period 2019-07-18T02 --expectation nobody --until 2099-01-01 --reason r",
            "it has: ",
        ),
        (
            "gate waive air.station_hour --period 2019-07-18T02 --expectation sites_are_there --until soon --reason r",
            "--until",
        ),
        ("decisions left air.station_hour --site S9 --from 2019-07-18 --reason r", "never reported"),
        ("decisions revoke 99 --reason r", "there is no decision 99"),
        ("decisions revoke nine --reason r", "write 7, or waiver/3"),
    ],
)
def test_a_mistyped_decision_is_refused_with_what_was_meant(house: House, words: str, told: str) -> None:
    before = house.eco("decisions", "list", "--ended")
    done = CliRunner().invoke(app, [*words.split(), "--by", "Li"])
    assert done.exit_code != 0
    said = " ".join(re.sub(r"[│╭╮╰╯─]", " ", f"{done.output}{done.exception or ''}").split())
    assert told in said
    assert house.eco("decisions", "list", "--ended") == before, "nothing was decided"


def test_a_list_of_nothing_that_is_known_says_so(house: House) -> None:
    done = CliRunner().invoke(app, ["decisions", "list", "air.station"])
    assert "air.station_hour" in f"{done.output}{done.exception or ''}"
    assert done.exit_code != 0
