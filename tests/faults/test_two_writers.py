"""Two of a kind at the same moment give what one gives."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ecowarehouse.settings import Settings
from simulation import weather
from simulation.national import synthetic_pulls
from simulation.server import Server, World
from tests.faults.house import Database, House

AIR, WEATHER = "cnemc_air_hourly", "weather_hourly"


@pytest.fixture
def source(house: House, tmp_path: Path) -> Iterator[None]:
    """The national feed's stand-in, at its third hour, in a city without stations of its own."""
    pulls = synthetic_pulls(7)
    world = World(pulls, 7, tmp_path)
    server = Server(world)
    world.set_clock(pulls[2].stamp)
    server.start()
    house.secrets["ECO_SECRET_CNEMC_AIR_URL"] = f"{server.url}/air/feed"
    city = Path(shutil.copytree(Settings.load().city, tmp_path / "city"))
    (city / "sources" / "ecology_environment" / "station_air_hourly.yml").unlink()
    house.secrets["ECO_CITY"] = str(city)
    yield
    house.secrets.clear()
    server.stop()


def together(database: Database, *commands: tuple[str, ...]) -> None:
    """Start them at once; both must end well."""
    started = [database.start(*command) for command in commands]
    for process in started:
        code = process.wait()
        assert code == 0, f"eco {' '.join(process.arguments)} ended with {code}:\n{process.said()}"


@pytest.mark.slow
@pytest.mark.usefixtures("source")
def test_two_cycles_at_once_give_the_content_of_one(house: House) -> None:
    alone = house.clone("deployed")
    alone.run("cycle", "air")
    one = alone.content()

    database = house.clone("deployed")
    together(database, ("cycle", "air"), ("cycle", "air"))

    assert database.content() == one
    attempts = database.attempts()
    assert {outcome for _, _, outcome, _ in attempts} <= {"done", "nothing_to_do", "loaded", "unchanged"}
    landed = [outcome for kind, subject, outcome, _ in attempts if (kind, subject) == ("land", AIR)]
    assert landed == ["loaded", "unchanged"]
    met = database.rows(
        "select max(batch.started_at) < (select max(ended_at) from governance.step where kind = 'release')"
        " from landing.batch as batch"
    )
    assert met == [(True,)], "the second cycle came too late to meet the first"
    overlapping = database.rows(
        "select a.kind, b.kind from governance.step as a inner join governance.step as b"
        " on a.step_id < b.step_id and a.subject = b.subject and b.started_at < a.ended_at"
    )
    assert not overlapping


@pytest.mark.slow
def test_builds_of_two_elements_at_once_do_not_touch_each_other(house: House, tmp_path: Path) -> None:
    moment = synthetic_pulls(7)[0].stamp + timedelta(minutes=1)
    answer = {"generated_at": moment.isoformat(), "items": weather.observations(moment, 7)}
    file = tmp_path / "weather.json"
    file.write_text(json.dumps({**answer, "total": len(answer["items"])}), encoding="utf-8")
    wanted = house.content("built")
    database = house.clone("landed")
    database.run("load", WEATHER, str(file))

    together(database, ("build", "air"), ("build", "weather"))

    found = database.content()
    air = [name for name in wanted if name.startswith("air.")]
    assert air
    assert {name: found[name] for name in air} == {name: wanted[name] for name in air}
    assert database.rows("select count(*) from weather.station_hour") == [(len(answer["items"]),)]
    assert (
        database.rows("select outcome from governance.build order by build_id desc limit 2")
        == [("built",)] * 2
    )
    database.run("recompute", "weather", "--check")
