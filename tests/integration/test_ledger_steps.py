"""Steps and their rows: committed before the work, closed whatever happens, one at a time for a subject."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ecowarehouse import ledger
from ecowarehouse.ledger import LockNotObtained, lock, step
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings

Connection = psycopg.Connection[Any]


@pytest.fixture
def two(fresh_database: Settings) -> Iterator[tuple[Connection, Connection]]:
    """Two sessions of the login, acting as the build step."""
    with (
        connect("eco_dbt", application="first", settings=fresh_database) as first,
        connect("eco_dbt", application="second", settings=fresh_database) as second,
    ):
        yield first, second


def rows(conn: Connection) -> list[tuple[Any, ...]]:
    found = conn.execute(
        "select kind, subject, outcome, error, figures from governance.step order by step_id"
    ).fetchall()
    conn.commit()
    return found


def test_others_see_the_row_before_the_work(two: tuple[Connection, Connection]) -> None:
    first, second = two
    with step(first, "build", "air", run_id="r1") as attempt:
        assert rows(second) == [("build", "air", "running", None, {})]
        attempt.figures["rows"] = 3
    assert rows(second) == [("build", "air", "done", None, {"rows": 3})]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(ValueError("no such value"), "failed"), (KeyboardInterrupt(), "aborted"), (SystemExit(1), "aborted")],
)
def test_what_a_failed_step_wrote_is_undone_and_its_row_is_closed(
    two: tuple[Connection, Connection], error: BaseException, outcome: str
) -> None:
    first, second = two

    def failing() -> None:
        with step(first, "build", "air"):
            first.execute(
                "insert into governance.notice (kind, subject, message) values ('failure', 'x', 'x')"
            )
            raise error

    with pytest.raises(type(error)):
        failing()
    [(_, _, ended, told, _)] = rows(second)
    assert (ended, told) == (outcome, f"{type(error).__name__}: {error}")
    assert second.execute("select count(*) from governance.notice").fetchone() == (0,)
    with step(second, "gate", "air"):
        pass


def test_an_error_of_the_database_is_told_as_well(two: tuple[Connection, Connection]) -> None:
    first, second = two

    def failing() -> None:
        with step(first, "build", "air"):
            first.execute("select 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        failing()
    assert rows(second)[0][3].startswith("DivisionByZero: division by zero")


@pytest.mark.parametrize(
    ("kind", "subject", "free"),
    [("gate", "air", False), ("release", "air", False), ("build", "weather", True), ("land", "air", True)],
)
def test_steps_of_one_element_exclude_each_other_and_no_others(
    two: tuple[Connection, Connection], monkeypatch: pytest.MonkeyPatch, kind: str, subject: str, free: bool
) -> None:
    monkeypatch.setattr(ledger, "LOCK_WAIT", "20ms")
    first, second = two
    with lock(first, "build", "air"):
        if free:
            with lock(second, kind, subject):
                pass
        else:
            with (
                pytest.raises(LockNotObtained, match=r"element:air is held by eco first \(pid \d+"),
                lock(second, kind, subject),
            ):
                pass
    with lock(second, kind, subject):
        pass


def test_a_lock_is_held_again_by_its_holder(two: tuple[Connection, Connection]) -> None:
    first, second = two
    with lock(first, "build", "air"):
        with step(first, "build", "air"), lock(first, "gate", "air"):
            pass
        taken = second.execute("select pg_try_advisory_lock(hashtextextended('element:air', 0))").fetchone()
        assert taken == (False,), "the outer one still holds it"


def test_a_step_whose_session_died_is_closed_by_the_next_one(
    two: tuple[Connection, Connection], fresh_database: Settings
) -> None:
    first, second = two

    def dying() -> None:
        with step(first, "build", "air"):
            with connect(application="killer", admin=True, autocommit=True, settings=fresh_database) as admin:
                admin.execute("select pg_terminate_backend(%s)", [first.info.backend_pid])
            first.execute("select 1")

    with pytest.raises(psycopg.OperationalError):
        dying()
    assert rows(second)[0][2] == "running", "nobody could say it"
    with step(second, "release", "air"):
        assert [row[:3] for row in rows(second)] == [
            ("build", "air", "aborted"),
            ("release", "air", "running"),
        ]
