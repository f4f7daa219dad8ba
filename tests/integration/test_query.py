"""Questions: read-only whatever is asked, in the rights of a role, as of a moment, exact to the last digit."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecowarehouse import marts, query
from ecowarehouse.postgres import cluster, roles
from ecowarehouse.postgres.connection import connect, endpoint
from ecowarehouse.query import QueryRefused
from ecowarehouse.settings import Settings
from tests.integration.feed_house import FeedHouse, at, feed_house, row

LONG = "12345678901234567890.123456789012345678901234567890"


@pytest.fixture(scope="module")
def house(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedHouse]:
    """One hour of two stations, of which one value was revised; the mart is built."""
    six = {
        "so2": 10,
        "no2": 20,
        "co": "0.5",
        "o3_24h": 80,
        "pm10": 40,
        "pm2_5": 20,
        "aqi": 40,
        "quality": "优",
    }
    with feed_house(module_deployed, tmp_path_factory.mktemp("contents")) as made:
        made.load("12:30", [row(**six), row("S2", **six)])
        made.load("12:50", [row(**six | {"pm2_5": 75, "aqi": 100, "quality": "良"}), row("S2", **six)])
        marts.build(made.conn, "air", settings=module_deployed)
        yield made


@pytest.fixture
def reader(house: FeedHouse) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the default role."""
    with connect(query.DEFAULT_ROLE, application="test query", settings=house.settings) as conn:
        yield conn


READ_ONLY = "read-only transaction"
ONE = "multiple commands"
MAY_NOT = "permission denied"
# What is tried, and the lock that stops the engineer, who may read everything, and the public, who may read next to
# nothing: an error of another kind would prove nothing.
WRITES = [
    (
        "insert into governance.notice (kind, subject, message) values ('failure', 'x', 'x') returning 1",
        READ_ONLY, MAY_NOT,
    ),
    ("delete from core.quality_flag returning 1", READ_ONLY, MAY_NOT),
    ("with gone as (delete from core.quality_flag returning 1) select * from gone", READ_ONLY, MAY_NOT),
    ("create table public.x (y int)", READ_ONLY, READ_ONLY),
    ("explain analyze delete from core.quality_flag", READ_ONLY, MAY_NOT),
    ("select nextval('governance.step_step_id_seq')", MAY_NOT, MAY_NOT),
    (
        "select query_to_xml('delete from core.quality_flag returning 1', true, false, '')",
        "non-volatile", MAY_NOT,
    ),
    (
        "commit; insert into governance.notice (kind, subject, message) values ('x', 'x', 'x') returning 1",
        ONE, ONE,
    ),
    (
        "rollback; set role eco_core; insert into governance.notice (kind, subject, message) values ('x', 'x', 'x')",
        ONE, ONE,
    ),
    ("select 1; commit; set role eco_core; delete from core.quality_flag; select 2", ONE, ONE),
    (
        "select set_config('transaction_read_only', 'off', false)",
        "transaction read-write mode", "transaction read-write mode",
    ),
    (
        "set transaction read write",
        "transaction read-write mode", "transaction read-write mode",
    ),
    ("set role eco_core", MAY_NOT, MAY_NOT),
    ("select set_config('role', 'eco_core', true)", MAY_NOT, MAY_NOT),
    ("select set_config('role', 'eco_owner', true)", MAY_NOT, MAY_NOT),
    ("select set_config('session_authorization', 'eco', true)", MAY_NOT, MAY_NOT),
    ("alter role eco_public_login password 'x'", READ_ONLY, READ_ONLY),
    ("commit", "not a question", "not a question"),
    ("copy (select 1) to stdout", "COPY cannot be used", "COPY cannot be used"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "engineer", "public"), WRITES)
def test_nothing_can_be_written(house: FeedHouse, text: str, engineer: str, public: str) -> None:
    state = "select (select count(*) from governance.notice), (select count(*) from core.quality_flag)"
    before = house.one(state)
    for role, lock in (("eco_engineer", engineer), ("eco_public", public)):
        with pytest.raises(QueryRefused, match=lock):
            query.run(text, role=role)
    assert house.one(state) == before
    assert house.one("select to_regclass('public.x')") is None


OTHERS = [*roles.STEP_ROLES, roles.OWNER, roles.LOGIN, cluster.ADMIN, "pg_write_all_data"]


@pytest.mark.parametrize("role", roles.READERS)
def test_a_reader_can_become_nobody_else(house: FeedHouse, role: str) -> None:
    for other in OTHERS:
        if other != role:
            with pytest.raises(QueryRefused, match="permission denied to set role"):
                query.run("select set_config('role', %s, true)", role=role, parameters=[other])


@pytest.mark.parametrize("other", ["eco_engineer", "none"])
def test_the_public_reads_nothing_by_another_role(house: FeedHouse, other: str) -> None:
    # ts_stat runs its text when the role is already the other one: core was read by this.
    with pytest.raises(QueryRefused, match="permission denied"):
        query.run(
            f"select set_config('role', '{other}', true), (select string_agg(word, ',')"
            " from ts_stat('select to_tsvector(site_code) from core.series'))",
            role="eco_public",
        )


@pytest.mark.parametrize(
    "role", ["eco_core", "eco_owner", "eco", "postgres", "eco_nobody", "eco_public_login"]
)
def test_a_role_without_a_login_of_its_own_is_refused(house: FeedHouse, role: str) -> None:
    told = (
        f"there is no login for questions as '{role}': readers are eco_engineer, eco_department, eco_public"
    )
    with pytest.raises(QueryRefused, match=told):
        query.run("select 1", role=role)


def test_a_reader_is_confined_on_a_given_database_too(
    house: FeedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = endpoint(house.settings, admin=True)
    monkeypatch.setenv("ECO_DATABASE_URL", given.url("postgresql"))
    assert query.run("select session_user, current_user", role="eco_public").rows == [
        ("eco_public_login", "eco_public")
    ]
    with pytest.raises(QueryRefused, match="permission denied to set role"):
        query.run("select set_config('role', 'eco_engineer', true)", role="eco_public")
    monkeypatch.setenv("ECO_SECRET_POSTGRES_ECO_PUBLIC", "another")
    with pytest.raises(QueryRefused, match=r"login eco_public_login: .*Mend: eco up"):
        query.run("select 1", role="eco_public")


CLOSED = (
    "core.observation", "air.station_hour", "landing.batch", "decision.waiver", "governance.step",
    "shared.dataset_period", "as_of.air__station_hour",
)  # fmt: skip


@pytest.mark.parametrize("relation", CLOSED)
def test_the_public_reads_nothing_but_what_is_open(house: FeedHouse, relation: str) -> None:
    assert query.run(f"select count(*) from {relation}").rows
    with pytest.raises(QueryRefused, match="permission denied"):
        query.run(f"select count(*) from {relation}", role="eco_public")


def test_the_roles_of_a_house_with_data_are_as_meant(house: FeedHouse) -> None:
    assert roles.check(house.admin) == []


def test_the_public_reads_what_is_open(house: FeedHouse) -> None:
    house.admin.execute(
        "create view open.nothing as select 1.50::numeric as figure; alter view open.nothing owner to eco_release;"
        " grant select on open.nothing to eco_public"
    )
    assert query.run("select * from open.nothing", role="eco_public").as_csv() == "figure\r\n1.50\r\n"


def test_a_question_leaves_no_setting_behind(house: FeedHouse, reader: psycopg.Connection[Any]) -> None:
    query.ask(reader, "select 1", as_of=at("12:30"), judge_by="HJ 633-2026")
    settings = (
        "select current_setting('eco.as_of', true), current_setting('eco.judge_by', true), current_user"
    )
    assert query.ask(reader, settings).rows == [("", "", "eco_engineer")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("select nothing_there from core.series", 'column "nothing_there" does not exist'),
        ("selekt 1", 'syntax error at or near "selekt"'),
        ("select 1; select 2", "multiple commands"),
        ("select 'a", "unterminated quoted string"),
        ("", "not a question"),
    ],
)
def test_an_error_says_what_is_wrong(house: FeedHouse, text: str, told: str) -> None:
    with pytest.raises(QueryRefused, match=told):
        query.run(text)


@pytest.mark.parametrize(
    "text",
    ["select 'a", "select (1", "select 1; select 2", "explain select * from air.station_hour", "show role", ""],
)  # fmt: skip
def test_what_cannot_be_put_to_the_past_is_refused_and_not_answered_as_of_today(
    house: FeedHouse, text: str
) -> None:
    with pytest.raises(QueryRefused):
        query.run(text, as_of=at("12:30"))


@pytest.mark.parametrize(
    ("relation", "instead"),
    [
        ("core.observation", "ask core.observation_current"),
        ('core."observation"', "ask core.observation_current"),
        ("(select * from only core.observation) as inside", "ask core.observation_current"),
        ("core.site", "ask core.site_current"),
        ("core.quality_flag", "ask a mart"),
        ("landing.batch", "ask a mart"),
        ("landing.cnemc_air_hourly", "ask a mart"),
        ("governance.verdict", "ask a mart"),
        ("staging.stg_cnemc_air_hourly", "ask a mart"),
        ("shared.dataset_period", "ask a mart"),
    ],
)
def test_a_relation_of_today_is_no_answer_for_the_past(house: FeedHouse, relation: str, instead: str) -> None:
    with pytest.raises(QueryRefused, match=f"knows no --as-of .*{instead}"):
        query.run(f"select count(*) from {relation}", as_of=at("12:15"))
    assert query.run(f"select count(*) from {relation}").rows


@pytest.mark.parametrize(
    "relation",
    ["core.observation_current", "core.site_current", "air.station_hour", "as_of.air__station_hour"],
)
def test_what_knows_the_past_is_asked(house: FeedHouse, relation: str) -> None:
    assert query.run(f"select count(*) from {relation}", as_of=at("12:15")).rows == [(0,)]
    assert query.run(f"select count(*) from {relation}", as_of=at("12:30")).rows != [(0,)]


def test_rows_of_no_time_go_with_the_past(house: FeedHouse) -> None:
    text = (
        "with observation as (select * from core.observation_current) select count(*) from observation"
        " join core.series using (series_id) join vocabulary.property p on p.property = series.property, now()"
    )
    assert query.run(text, as_of=at("12:15")).rows == [(0,)]
    assert query.run(text, as_of=at("12:30")).rows != [(0,)]


def test_the_login_without_a_role_reads_nothing(house: FeedHouse) -> None:
    with (
        connect(application="test query", settings=house.settings) as conn,
        pytest.raises(QueryRefused, match="permission denied"),
    ):
        query.ask(conn, "select * from core.series")


EXACT = (
    f"select {LONG}::numeric as long, 0.0000000001 as small, 1e30::numeric as large, 12.50 as padded, null as nothing,"
    " 'a,\"b\"\n–' as text, timestamptz '2019-07-18 12:00+08' as moment, '{\"a\": [1.5]}'::jsonb as nested,"
    " array[1.10, 2] as list, true as truth"
)
PLAIN = {
    "long": LONG,
    "small": "0.0000000001",
    "large": "1" + "0" * 30,
    "padded": "12.50",
    "text": 'a,"b"\n–',
}


def test_csv_is_exact(house: FeedHouse) -> None:
    [found] = csv.DictReader(io.StringIO(query.run(EXACT).as_csv(), newline=""))
    assert {name: found[name] for name in PLAIN} == PLAIN
    assert (found["nothing"], found["moment"], found["nested"], found["list"]) == (
        "", "2019-07-18T12:00:00+08:00", '{"a": [1.5]}', '["1.10", "2"]',
    )  # fmt: skip


def test_json_is_exact(house: FeedHouse) -> None:
    [found] = json.loads(query.run(EXACT).as_json())
    assert {name: found[name] for name in PLAIN} == PLAIN
    assert (found["nothing"], found["moment"], found["truth"]) == (None, "2019-07-18T12:00:00+08:00", True)
    assert found["list"] == ["1.10", "2"]


def test_what_no_calendar_of_python_holds_is_shown_as_the_database_writes_it(house: FeedHouse) -> None:
    answer = query.run(
        "select '-infinity'::date, 'infinity'::timestamptz, daterange('2026-01-01', 'infinity') as span,"
        " '2026-01-01'::date as plain"
    )
    [(since, till, span, plain)] = answer.rows
    assert (since, till, span.upper, plain) == ("-infinity", "infinity", "infinity", date(2026, 1, 1))
    answer = query.run(
        "select interval '1 month' as month, interval 'infinity' as ever, '24:00'::time, 'NaN'::float8 as number"
    )
    assert answer.rows[0][:3] == ("1 mon", "infinity", "24:00:00")
    assert json.loads(answer.as_json(), parse_constant=pytest.fail)[0]["number"] == "nan"


def test_json_refuses_two_columns_of_one_name(house: FeedHouse) -> None:
    answer = query.run("select 1 as a, 2 as a, 3 as b")
    assert answer.as_csv() == "a,a,b\r\n1,2,3\r\n"
    with pytest.raises(QueryRefused, match="a stands twice"):
        answer.as_json()


VALUE = "select pm2_5::text, aqi, category from {} where station_code = 'S1'"


@pytest.mark.parametrize(
    "relation",
    ["air.station_hour", 'air."station_hour"', "AIR.Station_Hour", "air.station_hour as h",
     "(select * from air.station_hour) as inside", "only_one"],
)  # fmt: skip
def test_the_past_is_asked_however_the_relation_is_written(house: FeedHouse, relation: str) -> None:
    text = VALUE.format(relation)
    if relation == "only_one":
        text = "with only_one as (select station_hour.* from air.station_hour) " + text
    assert query.run(text).rows == [("75", 100, "良")]
    assert query.run(text, as_of=at("12:50")).rows == [("75", 100, "良")]
    assert query.run(text, as_of=at("12:50") - timedelta(microseconds=1)).rows == [("20", 40, "优")]
    assert query.run(text, as_of=at("12:29")).rows == []
    assert query.run("table air.station_hour", as_of=at("12:29")).rows == []


def test_another_edition_judges_the_same_values(house: FeedHouse) -> None:
    text = "select standard, pm2_5::text, aqi from air.station_hour where station_code = 'S1'"
    assert query.run(text).rows == [("HJ 633-2012", "75", 100)]
    assert query.run(text, judge_by="HJ 633-2012").rows == [("HJ 633-2012", "75", 100)]
    [(standard, value, index)] = query.run(text, judge_by="HJ 633-2026").rows
    assert (standard, value) == ("HJ 633-2026", "75")
    assert index > 100, "the limits of 2026 are stricter"
    assert query.run(text, judge_by="HJ 633-2026", as_of=at("12:30")).rows[0][1] == "20"


def test_an_unknown_edition_is_refused_with_those_there_are(house: FeedHouse) -> None:
    for name in ("2012", "2026", "GB 3095-2012", "HJ 663-2026"):
        assert query.run("select 1 from air.station_hour", judge_by=name).rows
    with pytest.raises(
        QueryRefused, match=r"'HJ 633-2021'; there are: 2012, 2026, GB 3095-2012, .*HJ 633-2026"
    ):
        query.run("select aqi from air.station_hour", judge_by="HJ 633-2021")


def test_parameters_and_percent_signs(
    house: FeedHouse, reader: psycopg.Connection[Any], tmp_path: Path
) -> None:
    assert query.run("select '100 %' like '% \\%'").rows == [(True,)]
    assert query.ask(reader, "select %s::text || ' %%'", parameters=["5"]).rows == [("5 %",)]
