"""Entities with history: versions whatever the order of arrival, what holds when, and whose values and marts follow."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from ecowarehouse import deployment, gate, marts, release
from ecowarehouse.contracts import ContractSet, load_contracts
from ecowarehouse.core import recompute
from ecowarehouse.pipeline import FeedRun, run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from tests.conftest import own_database

CITY = Path(__file__).resolve().parents[2] / "cities" / "registers"
ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    """`2024-06-01` or `2024-06-01 12:00`, local."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@dataclass
class House:
    """A deployed warehouse of the city of registers; rows are written as `a,b,c`."""

    settings: Settings
    conn: psycopg.Connection[Any]
    admin: psycopg.Connection[Any]
    folder: Path
    contracts: ContractSet
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def load(self, feed: str, known: str, rows: Sequence[str]) -> FeedRun:
        """One delivery, known at a local time."""
        contract = self.contracts[feed]
        path = self.folder / f"{next(self._numbers)}.csv"
        path.write_text("\n".join([",".join(contract.header), *rows]) + "\n", encoding="utf-8")
        return run_feed(self.conn, self.settings, contract, paths=[str(path)], known_at=at(known))

    def all(self, query: str, *parameters: Any, as_of: str | None = None) -> list[tuple[Any, ...]]:
        """Rows as the superuser sees them, as of a moment."""
        with self.admin.transaction():
            if as_of:
                self.admin.execute("select set_config('eco.as_of', %s, true)", [at(as_of).isoformat()])
            return self.admin.execute(query, parameters).fetchall()

    def sound(self, *feeds: str) -> bool:
        """Whether a full recompute finds no difference."""
        for feed in feeds or self.contracts.contracts:
            assert recompute.check(self.conn, self.contracts[feed]) == [], feed
        return True

    def flags(self) -> list[tuple[str, str]]:
        """Test and local day of the flags that records of devices give."""
        return self.all(
            "select distinct test, to_char(period_start, 'YYYY-MM-DD') from core.quality_flag"
            " where test like 'device%%' order by 1, 2"
        )

    def content_hash(self) -> str:
        """Of versions and flags, without ids and batches."""
        [(entities,)] = self.all(
            "select md5(string_agg(row(entity, feed, code, valid_from, known_at, valid_to, taken_back, content)::text,"
            " '|' order by entity, feed, code, valid_from, known_at)) from core.entity"
        )
        [(flags,)] = self.all(
            "select md5(string_agg(row(site_code, channel, period_start, known_at, test, flag, detail)::text, '|'"
            " order by site_code, channel, period_start, known_at, test))"
            " from core.quality_flag inner join core.series using (series_id)"
        )
        return f"{entities} {flags}"


@pytest.fixture(scope="module")
def registers_template(eco_home: Path) -> Iterator[str]:
    """A database as `eco up` leaves it for the city of registers."""
    with own_database() as settings, pytest.MonkeyPatch.context() as environment:
        environment.setenv("ECO_CITY", str(CITY))
        deployment.deploy(Settings.load())
        yield settings.database


@contextmanager
def house_of(template: str, folder: Path) -> Iterator[House]:
    """A database of its own, deployed for the city of registers."""
    with own_database(template), pytest.MonkeyPatch.context() as environment:
        environment.setenv("ECO_CITY", str(CITY))
        settings = Settings.load()
        contracts = load_contracts(CITY)
        assert not contracts.broken, contracts.broken
        with (
            closing(connect(application="test", settings=settings)) as conn,
            closing(
                connect(application="test admin", admin=True, autocommit=True, settings=settings)
            ) as admin,
        ):
            yield House(settings, conn, admin, folder, contracts)


@pytest.fixture(scope="module")
def house(registers_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house_of(registers_template, tmp_path_factory.mktemp("registers")) as built:
        yield built


@pytest.fixture
def own_house(registers_template: str, tmp_path: Path) -> Iterator[House]:
    with house_of(registers_template, tmp_path) as built:
        yield built


def hours(code: str, day: str, values: Sequence[int], area: str = "甲镇") -> list[str]:
    """Rows of the hourly feed, from midnight."""
    return [f"{code},{code},{area},{day} {hour:02}:00,{value}" for hour, value in enumerate(values)]


def test_a_correction_of_a_past_validity_is_a_version(house: House) -> None:
    house.load("sites", "2024-01-01", ["M1,2020-01-01,,air,旧名,甲镇,评价点,是,国控"])
    house.load("sites", "2024-07-01", ["M1,2024-06-01,,air,新名,乙镇,对照点,否,国控"])
    spans = "select valid_from::text, valid_to::text, name, site_type, takes_part"
    spans += " from core.site_register_current where code = 'M1' order by 1"
    assert house.all(spans) == [
        ("2020-01-01", "2024-05-31", "旧名", "assessment", True),
        ("2024-06-01", "infinity", "新名", "reference", False),
    ]
    house.load("sites", "2024-08-01", ["M1,2020-01-01,2024-03-31,air,旧名,甲镇,评价点,是,国控"])
    assert house.all(spans)[0][1] == "2024-03-31", "the past span ended earlier than was known"
    assert house.all(spans, as_of="2024-07-15")[0][1] == "2024-05-31", "and was not known to then"
    assert house.all(spans, as_of="2024-02-01") == [("2020-01-01", "infinity", "旧名", "assessment", True)]
    assert house.sound("sites")


def test_a_whole_register_ends_what_it_no_longer_names(house: House) -> None:
    spans = "select code, valid_from::text, valid_to::text, name from core.institution_current order by 1, 2"
    house.load("laboratories", "2024-01-01", ["A,甲检测,laboratory", "B,乙检测,laboratory"])
    house.load("laboratories", "2024-03-01", ["A,甲检测,laboratory", "C,丙检测,operator"])
    house.load(
        "laboratories", "2024-05-01", ["A,甲环境检测,laboratory", "B,乙检测,laboratory", "C,丙检测,operator"]
    )
    assert house.all(spans) == [
        ("A", "-infinity", "2024-04-30", "甲检测"),
        ("A", "2024-05-01", "infinity", "甲环境检测"),
        ("B", "-infinity", "2024-02-29", "乙检测"),
        ("B", "2024-05-01", "infinity", "乙检测"),
        ("C", "2024-03-01", "infinity", "丙检测"),
    ]
    assert ("B", "-infinity", "infinity", "乙检测") in house.all(spans, as_of="2024-02-01")
    assert house.sound("laboratories")


def test_a_damaged_whole_register_ends_nothing(house: House) -> None:
    good = ["A,甲环境检测,laboratory", "B,乙检测,laboratory", "C,丙检测,operator"]
    house.load("laboratories", "2024-05-01", good)
    before = house.all("select count(*) from core.entity where feed = 'laboratories'")
    run = house.load("laboratories", "2024-06-01", ["A,甲环境检测,laboratory", ",乙检测,laboratory"])
    assert (run.batches[0].outcome, run.batches[0].reason) == ("partial", "unnamed_rows")
    run = house.load(
        "laboratories", "2024-06-01 12:00", ["A,甲环境检测,laboratory", "B,乙检测", "C,丙检测,operator"]
    )
    assert (run.batches[0].outcome, run.batches[0].reason) == ("partial", "unnamed_rows")
    run = house.load(
        "laboratories", "2024-06-02", ["A,甲环境检测,no kind", "B,乙检测,laboratory", "C,丙检测,operator"]
    )
    assert (run.batches[0].outcome, run.batches[0].rejects) == ("loaded", 1)
    run = house.load("laboratories", "2024-06-03", [])
    assert (run.batches[0].outcome, run.batches[0].reason) == ("rejected", "no_rows")
    assert house.all("select count(*) from core.entity where feed = 'laboratories'") == before
    assert house.sound("laboratories")


def test_a_register_that_lost_most_of_its_rows_ends_nothing_until_the_next_says_the_same(
    own_house: House,
) -> None:
    house = own_house
    spans = "select code, valid_to::text from core.institution_current order by 1"
    whole = [f"L{number},检测{number},laboratory" for number in range(5)]
    stands = [(f"L{number}", "infinity") for number in range(5)]
    house.load("laboratories", "2024-01-01", whole)
    run = house.load("laboratories", "2024-02-01", whole[:2])
    assert "2 rows where the register before had 5" in (run.core.unconfirmed or "")
    assert house.all(spans) == stands
    house.load("laboratories", "2024-03-01", whole)
    assert house.all(spans) == stands, "it had been cut off"
    house.load("laboratories", "2024-04-01", whole[:2])
    run = house.load("laboratories", "2024-05-01", whole[:2])
    assert run.core.unconfirmed is None
    assert house.all(spans) == [
        ("L0", "infinity"), ("L1", "infinity"), ("L2", "2024-04-30"), ("L3", "2024-04-30"), ("L4", "2024-04-30"),
    ]  # fmt: skip
    assert house.sound("laboratories")


def test_what_a_register_takes_back_was_never_so_and_earlier_answers_stay(house: House) -> None:
    house.load(
        "accreditations", "2024-01-01", ["X,A,2020-01-01,2026-01-01,水", "Y,B,2020-01-01,2026-01-01,气"]
    )
    house.load("accreditations", "2024-02-01", ["X,A,2020-01-01,2026-01-01,水"])
    codes = "select code from core.accreditation_current order by 1"
    assert house.all(codes) == [("X",)]
    assert house.all(codes, as_of="2024-01-15") == [("X",), ("Y",)]
    assert house.all("select taken_back from core.accreditation where code = 'Y' order by known_at") == [
        (False,), (True,),
    ]  # fmt: skip
    assert house.sound("accreditations")


def test_boundaries_carry_their_coordinate_system_and_other_texts_are_refused(house: House) -> None:
    run = house.load(
        "parks",
        "2024-01-01",
        ['P1,长安园区,"POLYGON((110 23, 110.1 23, 110 23.1, 110 23))"', "P2,无界,no shape"],
    )
    assert run.batches[0].rejects == 1
    [(boundary,)] = house.all("select boundary from core.park_current where code = 'P1'")
    assert boundary == "SRID=4490;POLYGON((110 23, 110.1 23, 110 23.1, 110 23))"
    assert house.all("select count(*) from core.park where code = 'P2'") == [(0,)]


def test_an_expired_verification_marks_values_and_a_late_renewal_takes_the_marks_away(
    own_house: House,
) -> None:
    house = own_house
    days = ["2024-03-30", "2024-03-31", "2024-04-01", "2024-04-10"]
    for day in days:
        house.load("station_hour", day + " 03:00", hours("S1", day, [10, 11, 12]))
    house.load("devices", "2024-01-01", ["D1,2024-01-01,,S1,450881A01,model A,installed"])
    assert house.flags() == [("device_not_accepted", day) for day in days]
    house.load(
        "device_records", "2024-05-01",
        ["N1,D1,检定,2023/04/01,2024/03/31,J", "N2,D1,校准,2023/04/01,2024/03/30,J", "N3,D1,验收,2024/03/31,,J"],
    )  # fmt: skip
    assert house.flags() == [
        ("device_calibration_expired", "2024-03-31"),
        ("device_calibration_expired", "2024-04-01"),
        ("device_calibration_expired", "2024-04-10"),
        ("device_not_accepted", "2024-03-30"),
        ("device_verification_expired", "2024-04-01"),
        ("device_verification_expired", "2024-04-10"),
    ]
    marts.build(house.conn, "air", settings=house.settings)
    suspect = "select to_char(period_start, 'YYYY-MM-DD'), sum(suspect_count) from air.station_hour"
    suspect += " group by 1 order by 1"
    assert house.all(suspect) == [(days[0], 0), (days[1], 0), (days[2], 3), (days[3], 3)], (
        "calibration is none"
    )
    house.load("device_records", "2024-06-01", ["N4,D1,检定,2024/04/05,2025/04/04,J"])
    assert [day for test, day in house.flags() if test == "device_verification_expired"] == ["2024-04-01"]
    house.load("station_hour", "2024-04-02 03:00", hours("S1", "2024-04-02", [10]))
    assert ("device_verification_expired", "2024-04-02") in house.flags(), "what arrives later is marked too"
    marts.build(house.conn, "air", settings=house.settings)
    assert house.all(suspect)[-1] == (days[3], 0)
    assert house.sound()


def test_a_replaced_device_is_judged_by_its_own_records_and_days(own_house: House) -> None:
    house = own_house
    for day in ("2024-05-31", "2024-06-01"):
        house.load("station_hour", day + " 03:00", hours("S1", day, [10]) + hours("S2", day, [20]))
    house.load(
        "device_records", "2024-07-01",
        ["N1,D1,验收,2020/01/01,,J", "N2,D1,检定,2020/01/01,2021/12/31,J", "N3,D2,验收,2020/01/01,,J"],
    )  # fmt: skip
    house.load(
        "devices", "2024-07-01", ["D1,2020-01-01,2024-05-31,S1,M,A,filed", "D2,2024-06-01,,S1,M,B,filed"]
    )
    assert house.flags() == [("device_verification_expired", "2024-05-31")]
    house.load("devices", "2024-07-02", ["D1,2024-06-01,,S2,M,A,filed"])
    marked = house.all(
        "select site_code, to_char(period_start, 'MM-DD') from core.quality_flag"
        " inner join core.series using (series_id) where test = 'device_verification_expired' order by 1"
    )
    assert marked == [("S1", "05-31"), ("S2", "06-01")], "the device moved, and its lack with it"
    assert house.sound()


def test_means_of_areas_follow_what_a_site_was_on_the_day(own_house: House) -> None:
    house = own_house
    for day in ("2024-05-31", "2024-06-01"):
        house.load(
            "station_hour", day + " 23:59",
            hours("S1", day, [10] * 24, "甲镇") + hours("S2", day, [30] * 24, "甲镇"),
        )  # fmt: skip
    marts.build(house.conn, "air", settings=house.settings)
    areas = "select area_code, to_char(day, 'MM-DD'), pm2_5, expected_points from air.area_day order by 1, 2"
    assert house.all(areas) == [("甲镇", "05-31", 20, 2), ("甲镇", "06-01", 20, 2)]
    house.load(
        "sites", "2024-07-01",
        ["S2,2020-01-01,2024-05-31,air,旧址,甲镇,评价点,是,国控", "S2,2024-06-01,,air,新址,乙镇,评价点,是,国控"],
    )  # fmt: skip
    marts.build(house.conn, "air", settings=house.settings)
    assert house.all(areas) == [("乙镇", "06-01", 30, 1), ("甲镇", "05-31", 20, 2), ("甲镇", "06-01", 10, 1)]
    names = "select to_char(period_start, 'MM-DD'), min(area_name) from air.station_hour"
    names += " where station_code = 'S2' group by 1 order by 1"
    assert house.all(names) == [("05-31", "甲镇"), ("06-01", "乙镇")]
    house.load("sites", "2024-07-02", ["S2,2024-06-01,,air,新址,乙镇,对照点,否,国控"])
    marts.build(house.conn, "air", settings=house.settings)
    assert house.all(areas) == [("甲镇", "05-31", 20, 2), ("甲镇", "06-01", 10, 1)], (
        "reclassified: in no mean"
    )
    assert marts.recompute_check(house.conn, "air", settings=house.settings) == []


def test_the_plan_and_the_operators_show_in_the_marts_of_governance(own_house: House) -> None:
    house = own_house
    house.load(
        "site_plan", "2024-03-20",
        ["P1,2024-01-10,air,450881100,planned,", "P2,2024-01-10,air,450881100,planned,",
         "P1,2024-02-10,air,450881100,approved,桂环〔2024〕1号", "P1,2024-03-10,air,450881100,running,桂环〔2024〕1号"],
    )  # fmt: skip
    house.load("operator_contracts", "2024-01-01", ["K1,O,S1,2024-01-01,2024-12-31,4"])
    house.load(
        "operator_visit", "2024-03-20",
        ["V1,S1,O,例行,2024-03-01 09:00,2024-03-01 09:00,2024-03-01 11:00",
         "V2,S1,O,报警,2024-03-02 09:00,2024-03-02 12:00,2024-03-02 13:00",
         "V3,S1,O,报警,2024-03-03 09:00,2024-03-03 15:00,2024-03-03 16:00",
         "V4,S1,O,报警,2024-03-04 09:00,,"],
    )  # fmt: skip
    marts.build(house.conn, "governance", settings=house.settings)
    coverage = "select to_char(month, 'MM'), planned, approved, running, running_ratio"
    coverage += " from governance.site_plan_coverage order by 1"
    assert house.all(coverage) == [("01", 2, 0, 0, 0), ("02", 2, 1, 0, 0), ("03", 2, 1, 1, Decimal("0.5"))]
    response = "select visits, responses, unanswered, late, mean_response_hours, agreed_response_hours"
    response += " from governance.operator_response"
    assert house.all(response) == [(3, 3, 1, 1, Decimal("4.5"), 4)]
    house.load("site_plan", "2024-04-05", ["P2,2024-03-01,air,450881101,built,"])
    built = marts.build(house.conn, "governance", settings=house.settings)
    assert house.all(coverage + ", township") == [
        ("01", 2, 0, 0, 0), ("02", 2, 1, 0, 0), ("03", 1, 1, 1, 1), ("03", 1, 1, 0, 0),
        ("04", 1, 1, 1, 1), ("04", 1, 1, 0, 0),
    ]  # fmt: skip
    assert marts.recompute_check(house.conn, "governance", settings=house.settings) == []
    judged = gate.judge(house.conn, built.build_id or 0)
    assert judged.blocked == [], judged.blocked
    done = release.release(house.conn, built.build_id or 0)
    assert done.refused == [], done.refused
    assert house.all("select count(*) from shared.governance_site_plan_coverage") == [(6,)]


def test_a_contract_that_comes_after_the_visits_counts_too(own_house: House) -> None:
    house = own_house
    house.load(
        "operator_visit", "2024-03-20", ["V1,S1,O,报警,2024-03-02 09:00,2024-03-02 12:00,2024-03-02 13:00"]
    )
    marts.build(house.conn, "governance", settings=house.settings)
    response = "select late, agreed_response_hours from governance.operator_response"
    assert house.all(response) == [(0, None)]
    for day, (contract, expected) in enumerate((
        ("K1,O,S1,2024-01-01,2024-12-31,2", (1, 2)),
        ("K1,O,S1,2024-01-01,2024-12-31,4", (0, 4)),
        ("K2,O,S1,,,1", (1, 1)),
        ("K2,O,S2,,,1", (0, 4)),  # it was of another site
    )):  # fmt: skip
        house.load("operator_contracts", f"2024-04-0{1 + day}", [contract])
        marts.build(house.conn, "governance", settings=house.settings)
        assert house.all(response) == [expected], contract
        assert marts.recompute_check(house.conn, "governance", settings=house.settings) == []


def test_months_of_a_plan_follow_the_feed_that_told_it_and_no_other(own_house: House) -> None:
    house = own_house
    coverage = (
        "select township, to_char(month, 'MM'), planned from governance.site_plan_coverage order by 1, 2"
    )
    first, second = "450881100", "450881101"
    house.load("site_plan", "2024-02-20", [f"P1,2024-01-10,air,{first},planned,"])
    house.load("site_plan_second", "2024-01-20", [f"Q1,2024-01-10,air,{second},planned,"])
    marts.build(house.conn, "governance", settings=house.settings)
    assert house.all(coverage) == [(first, "01", 1), (first, "02", 1), (second, "01", 1)]
    for known_at, line in (
        ("2024-03-20", f"Q1,2024-01-10,air,{second},planned,"),  # the same content, a month later
        ("2024-03-21", f"Q2,,air,{first},planned,"),  # nobody knows since when
    ):
        house.load("site_plan_second", known_at, [line])
        marts.build(house.conn, "governance", settings=house.settings)
        assert marts.recompute_check(house.conn, "governance", settings=house.settings) == []
    assert house.all(coverage) == [
        (first, "01", 2), (first, "02", 2), (first, "03", 2), (second, "01", 1), (second, "02", 1), (second, "03", 1),
    ]  # fmt: skip


DELIVERIES = [
    ("station_hour", "2024-03-30 03:00", hours("S1", "2024-03-30", [10, 11, 12])),
    ("station_hour", "2024-04-02 03:00", hours("S1", "2024-04-02", [10, 11, 12])),
    ("devices", "2024-01-01", ["D1,2024-01-01,,S1,M,A,installed"]),
    ("devices", "2024-02-01", ["D1,2024-01-01,,S9,M,A,installed"]),
    ("devices", "2024-03-01", ["D1,2024-01-01,,S1,M,A,installed"]),
    ("device_records", "2024-05-01", ["N1,D1,检定,2023/04/01,2024/03/31,J"]),
    ("device_records", "2024-05-02", ["N1,D1,检定,2023/04/01,2024/04/30,J"]),
    ("device_records", "2024-05-03", ["N1,D1,检定,2023/04/01,2024/04/01,J"]),
    ("laboratories", "2024-01-01", ["A,甲,laboratory", "B,乙,laboratory"]),
    ("laboratories", "2024-02-01", ["A,甲,laboratory"]),
    ("laboratories", "2024-03-01", ["A,甲,laboratory", "B,乙,laboratory"]),
    ("laboratories", "2024-04-01", ["A,甲,laboratory"]),
    ("accreditations", "2024-01-01", ["X,A,2020-01-01,2026-01-01,水", "Y,B,2020-01-01,2026-01-01,气"]),
    ("accreditations", "2024-02-01", ["X,A,2020-01-01,2025-01-01,水"]),
]


def test_the_order_of_arrival_does_not_matter(registers_template: str, tmp_path: Path) -> None:
    hashes = set()
    for seed in range(4):
        order = list(DELIVERIES)
        if seed:
            random.Random(seed).shuffle(order)
        folder = tmp_path / str(seed)
        folder.mkdir()
        with house_of(registers_template, folder) as house:
            for delivery in order:
                house.load(*delivery)
            assert house.sound()
            hashes.add(house.content_hash())
            versions = house.all("select count(*) from core.entity where code = 'D1'")
            assert versions == [(3,)], "A, B, A is three versions"
    assert len(hashes) == 1
