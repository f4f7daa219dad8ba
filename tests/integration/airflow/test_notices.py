"""Notices against a real database and a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ecowarehouse import notices
from ecowarehouse.postgres import connect
from ecowarehouse.settings import Settings
from ecowarehouse.work import REASONS, pending


class _Hook(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = statuses
        self.received: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/secret-path"


class _Handler(BaseHTTPRequestHandler):
    server: _Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 200:
            self.server.received.append(json.loads(body))
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Hook]:
    server = _Hook([])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("ECO_WEBHOOK_URL", server.url)
    yield server
    server.shutdown()
    server.server_close()


def _rows(settings: Settings) -> list[tuple[Any, ...]]:
    with connect("eco_engineer", application="tests", settings=settings) as conn:
        return conn.execute(
            "select kind, subject, message, delivered_to from governance.notice order by notice_id"
        ).fetchall()


def test_a_notice_is_a_row_and_one_document(fresh_database: Settings, hook: _Hook) -> None:
    assert notices.send("failure", "element__air", "first line\nsecond") == ["log", "webhook"]
    assert _rows(fresh_database) == [("failure", "element__air", "first line\nsecond", ["log", "webhook"])]
    assert hook.received[0]["subject"] == "element__air"


def test_a_webhook_that_stumbles_is_asked_again(fresh_database: Settings, hook: _Hook) -> None:
    hook.statuses = [503, 200]
    assert notices.send("failure", "x", "y") == ["log", "webhook"]


def test_a_dead_webhook_stops_nothing_and_its_address_stays_secret(
    fresh_database: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ECO_WEBHOOK_URL", "http://127.0.0.1:9/very-secret")
    assert notices.send("failure", "x", "y") == ["log"]
    assert _rows(fresh_database)[0][3] == ["log"]
    assert "very-secret" not in caplog.text


def test_a_silent_feed_is_told_once(fresh_database: Settings) -> None:
    feed = "cnemc_air_hourly"
    with connect("eco_landing", application="tests") as conn:
        conn.execute(
            "insert into landing.batch (feed, source, outcome, started_at, ended_at)"
            " values (%s, 'test', 'failed', %s, %s)",
            [feed, datetime.now(UTC) - timedelta(hours=3), datetime.now(UTC) - timedelta(hours=3)],
        )
    assert notices.look_for_silence() == [feed]
    assert notices.look_for_silence() == []
    assert notices.look_for_silence(now=datetime.now(UTC) + timedelta(days=3)) == []  # the same silence
    assert "Whose silence: this platform: last asked" in _rows(fresh_database)[-1][2]


def test_whose_silence_it_is_and_its_end_are_told(fresh_database: Settings) -> None:
    feed, now = "cnemc_air_hourly", datetime.now(UTC)
    _attempt(feed, "failed", now - timedelta(hours=3))
    _attempt(feed, "failed", now - timedelta(minutes=5), "connect_error")
    assert notices.look_for_silence() == [feed]
    assert "Whose silence: the source: it was asked at" in _rows(fresh_database)[-1][2]
    _attempt(feed, "rejected", now, "header_changed")
    assert notices.look_for_silence() == []
    _answer(feed)
    assert notices.look_for_silence() == []
    assert [row[0] for row in _rows(fresh_database)] == ["freshness", "answers_again"]
    assert notices.look_for_silence() == []
    assert len(_rows(fresh_database)) == 2


def test_a_look_that_finds_nothing_new_ends_no_silence(fresh_database: Settings) -> None:
    feed, now = "cnemc_air_hourly", datetime.now(UTC)
    _answer(feed)
    with connect("eco_landing", application="tests") as conn:
        conn.execute(
            "update landing.batch set started_at = %(at)s, ended_at = %(at)s",
            {"at": now - timedelta(days=60)},
        )
    _unchanged(feed, "not_modified")
    assert notices.look_for_silence() == [feed]
    assert "Whose silence: the source: it was asked at" in _rows(fresh_database)[-1][2]
    _unchanged(feed, "same_bytes")  # the whole as it stands: a source that says so is not silent
    assert notices.look_for_silence() == []
    assert [row[0] for row in _rows(fresh_database)] == ["freshness", "answers_again"]


def _unchanged(feed: str, reason: str) -> None:
    with connect("eco_landing", application="tests") as conn:
        conn.execute(
            "insert into landing.batch (feed, source, outcome, reason, known_at, content_batch_id, ended_at)"
            " select feed, source, 'unchanged', %s, known_at, batch_id, clock_timestamp() from landing.batch"
            " where feed = %s order by batch_id limit 1",
            [reason, feed],
        )


def _attempt(feed: str, outcome: str, started: datetime, reason: str | None = None) -> None:
    with connect("eco_landing", application="tests") as conn:
        conn.execute(
            "insert into landing.batch (feed, source, outcome, reason, started_at, ended_at)"
            " values (%s, 'test', %s, %s, %s, %s)",
            [feed, outcome, reason, started, started],
        )


def _answer(feed: str) -> None:
    with connect("eco_landing", application="tests") as conn:
        [batch] = conn.execute(
            "insert into landing.batch (feed, source) values (%s, 'test') returning batch_id", [feed]
        ).fetchone() or [0]
        conn.execute(
            "update landing.batch set outcome = 'loaded', known_at = now(), content_batch_id = batch_id,"
            " ended_at = clock_timestamp() where batch_id = %s",
            [batch],
        )


def test_a_feed_within_its_time_is_not_told(fresh_database: Settings) -> None:
    with connect("eco_landing", application="tests") as conn:
        conn.execute("insert into landing.batch (feed, source) values ('cnemc_air_hourly', 'test')")
    assert notices.look_for_silence() == []


def test_work_is_what_no_build_has_taken_up(fresh_database: Settings) -> None:
    with connect("eco_core", application="tests") as conn:
        assert pending(conn, "air", ["cnemc_air_hourly"]) is None
        conn.execute(
            "insert into core.change (element, feed, site_code, period_from, period_to, step_id)"
            " values ('air', 'cnemc_air_hourly', 'x', now(), now(), 1)"
        )
        assert pending(conn, "air", ["cnemc_air_hourly"]) == REASONS[0]
        assert pending(conn, "weather", ["weather_hourly"]) is None
