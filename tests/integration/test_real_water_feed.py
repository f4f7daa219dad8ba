"""The national water feed of 2025-11-06 to 08 as it came: the computed class is the published one, in any order."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ecowarehouse import marts, query
from ecowarehouse.contracts import load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.pipeline import run_feed
from ecowarehouse.settings import Settings
from simulation.surface_water import feed_csv, real_pulls
from tests.conftest import own_database
from tests.content import core_hashes, relation_hash
from tests.integration.feed_house import FeedHouse, feed_house

pytestmark = pytest.mark.shared

FEED = "cnemc_water_station"
STAMPS = ["20251106T235129", "20251107T165439", "20251108T121517", "20251108T161056"]
MARTS = ("section_sample", "section_month", "area_month", "basin_month")
ANSWER = (
    "select section_code, sampled_at, version, water_class, ammonia_nitrogen from water.section_sample"
    " where is_current order by 1, 2"
)


@dataclass
class Real:
    """The warehouse after all four pulls, with what it had answered after each of them."""

    house: FeedHouse
    outcomes: list[tuple[str, int, int]] = field(default_factory=list)
    known: list[datetime] = field(default_factory=list)
    answers: list[list[tuple[Any, ...]]] = field(default_factory=list)


def water_house(house: FeedHouse) -> FeedHouse:
    house.contract = load_contracts(house.settings.city)[FEED]
    return house


@pytest.fixture(scope="module")
def real(shared: Path, module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder = tmp_path_factory.mktemp("pulls")
    with feed_house(module_deployed, folder) as plain:
        found = Real(water_house(plain))
        for stamp, rows in real_pulls(shared / "data"):
            path = folder / f"{stamp}.csv"
            path.write_bytes(feed_csv(rows))
            [batch] = run_feed(plain.conn, plain.settings, plain.contract, paths=[str(path)]).batches
            assert batch.known_at is not None
            found.known.append(batch.known_at)
            found.outcomes.append((batch.outcome, batch.rows, batch.rejects))
            marts.build(plain.conn, "water", settings=plain.settings)
            found.answers.append(query.run(ANSWER).rows)
        yield found


def test_every_pull_lands_at_its_own_moment_and_stations_without_reading_are_told(real: Real) -> None:
    assert real.outcomes == [
        ("loaded", 1635, 127),
        ("loaded", 1628, 135),
        ("loaded", 1621, 146),
        ("loaded", 1633, 134),
    ]
    assert [f"{known:%Y%m%dT%H%M%S}" for known in real.known] == STAMPS
    assert real.house.all("select distinct reason from landing.reject") == [("no_reading",)]


def test_the_class_is_that_which_was_published(real: Real) -> None:
    versions, reported, agreeing = real.house.one(
        "select count(*), count(water_class_reported), count(*) filter (where class_agrees) from water.section_sample"
    )
    kinds = real.house.all(
        "select water_type, water_type_evidence, count(distinct section_code), count(*) filter (where class_agrees)"
        " from water.section_sample group by 1, 2 order by 1, 2"
    )
    apart = real.house.all(
        "select section_code, sampled_at, water_class, water_class_reported, class_reason from water.section_sample"
        " where not class_agrees"
    )
    print(f"{versions} versions, {reported} with a published class, {agreeing} agree; by evidence: {kinds}")
    assert reported > 6200
    assert agreeing >= 0.999 * reported
    assert apart == []


def test_a_class_is_missing_exactly_where_none_was_published(real: Real) -> None:
    found = Counter(
        real.house.all("select water_class is null, water_class_reported is null from water.section_sample")
    )
    assert set(found) == {(True, True), (False, False)}
    unexplained = (
        "select count(*) from water.section_sample where water_class is null and class_reason is null"
    )
    assert real.house.one(unexplained) == 0


def test_river_or_lake_was_never_told_by_the_class(real: Real) -> None:
    evidence = {
        row[0] for row in real.house.all("select distinct water_type_evidence from water.section_sample")
    }
    assert evidence <= {"register", "map", "name of the water body", "name of the section", "assumed"}


def test_one_name_in_two_provinces_is_two_sections(real: Real) -> None:
    twice = (
        "select count(*) from (select section_name from core.site_current s join lateral"
        " (select s.site_name as section_name) n on true where element = 'water' group by 1 having count(*) > 1) t"
    )
    assert real.house.one(twice) >= 10


def test_readings_at_half_the_limit_are_censored(real: Real) -> None:
    found = real.house.one(
        "select count(*), min(o.value), max(o.detection_limit)"
        " from core.observation o join core.series s using (series_id)"
        " where s.channel = 'ammonia_nitrogen_raw' and o.qualifier = '<' and o.source_mark = 'substituted_half_limit'"
    )
    assert found[0] > 2000
    assert [str(number) for number in found[1:]] == ["0.025", "0.05"]


def test_own_tests_flag_less_than_one_percent(real: Real) -> None:
    flagged, values = real.house.one(
        "select (select count(*) from core.quality_flag where element = 'water' and flag in (3, 4)),"
        " (select count(*) from core.observation where element = 'water' and value is not null)"
    )
    print(f"{flagged} of {values} values flagged")
    assert flagged <= 0.01 * values


def test_revised_values_and_changed_classes_are_found_by_one_query(real: Real) -> None:
    changed = real.house.all(
        "select now.section_code, now.sampled_at, before.water_class, now.water_class, before.known_at, now.known_at"
        " from water.section_sample now join water.section_sample before"
        " on before.section_code = now.section_code and before.sampled_at = now.sampled_at"
        " and before.version = now.version - 1 where now.water_class is distinct from before.water_class"
        " or now.ammonia_nitrogen is distinct from before.ammonia_nitrogen"
    )
    print(changed)
    assert changed
    assert all(early < late for *_, early, late in changed)


def test_as_of_each_pull_is_what_was_known_then(real: Real) -> None:
    for known, answer in zip(real.known, real.answers, strict=True):
        assert query.run(ANSWER, as_of=known).rows == answer
    assert len({str(answer) for answer in real.answers}) == 4


def test_one_file_of_four_pulls_is_four_deliveries(
    real: Real, shared: Path, deployed_template: str, tmp_path: Path
) -> None:
    path = shared / "data" / "water" / "cnemc_surface_water_20251106_08_4snapshots.csv"
    expected = core_hashes(real.house.admin)
    with own_database(deployed_template) as settings, feed_house(settings, tmp_path) as plain:
        house = water_house(plain)
        batches = run_feed(house.conn, settings, house.contract, paths=[str(path)]).batches
        assert [(batch.outcome, batch.rows, batch.rejects) for batch in batches] == real.outcomes
        assert house.all("select part from landing.batch order by batch_id") == [(stamp,) for stamp in STAMPS]
        assert len(set(house.all("select sha256 from landing.batch"))) == 1
        again = run_feed(house.conn, settings, house.contract, paths=[str(path)])
        assert {batch.outcome for batch in again.batches} == {"unchanged"}
        assert core_hashes(house.admin) == expected


@pytest.fixture(scope="module")
def reduced(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The pulls of some sections: revised ones, ones in maintenance, homonyms, lakes, the three of Guigang."""
    pulls = real_pulls(shared / "data")
    seen: dict[tuple[str, str, str], set[tuple[str, ...]]] = {}
    for _, rows in pulls:
        for row in rows:
            content = tuple(value for heading, value in row.items() if heading != "snapshot")
            seen.setdefault((row["province"], row["section"], row["time"]), set()).add(content)
    revised = {key[:2] for key, contents in seen.items() if len(contents) > 1 and key[2]}
    names = Counter(key[1] for key in {key[:2] for key in seen})
    homonyms = {key[:2] for key in seen if names[key[1]] > 1}
    guigang = {key[:2] for key in seen if key[1] in ("武林渡口", "石嘴", "火电厂")}
    lakes = {(row["province"], row["section"]) for row in pulls[0][1] if row["river"].endswith("湖")}
    chosen = revised | homonyms | guigang | set(sorted(lakes)[:5])
    folder = tmp_path_factory.mktemp("reduced")
    paths = []
    for stamp, rows in pulls:
        paths.append(folder / f"{stamp}.csv")
        paths[-1].write_bytes(feed_csv(row for row in rows if (row["province"], row["section"]) in chosen))
    return paths


@pytest.mark.slow
def test_twenty_four_orders_of_the_pulls_give_the_same_content(
    reduced: Sequence[Path], deployed_template: str, tmp_path: Path
) -> None:
    expected: dict[str, str] = {}
    built: dict[str, str] = {}
    for number, order in enumerate(itertools.permutations(reduced)):
        told = [path.name for path in order]
        with own_database(deployed_template) as settings, feed_house(settings, tmp_path) as plain:
            house = water_house(plain)
            for path in order:
                run_feed(house.conn, settings, house.contract, paths=[str(path)])
            assert recompute.check(house.conn, house.contract) == [], told
            found = core_hashes(house.admin)
            expected = expected or found
            assert found == expected, told
            if number in (0, 11, 23):
                marts.build(house.conn, "water", settings=settings)
                hashes = {name: relation_hash(house.admin, f"water.{name}", ("build_id",)) for name in MARTS}
                built = built or hashes
                assert hashes == built, told
    print(expected, built)
    assert not [name for name, value in {**expected, **built}.items() if value.startswith("0:")]
