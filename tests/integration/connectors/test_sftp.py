"""A real SFTP server of this machine: each finished file once, and each way in which a visit can fail."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from ecowarehouse.connectors import asking
from ecowarehouse.contracts import Contract
from ecowarehouse.settings import Settings
from tests.integration.department_house import (
    NEVER_SHOWN,
    assert_no_secret,
    content,
    department,
    ends,
    pull,
    temperatures,
    weather_by,
)
from tests.integration.feed_house import FeedHouse


class _Door(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("meteo", NEVER_SHOWN)


class Server:
    """An SFTP server in a thread.

    `broken` names a file whose reading ends the connection, `once_closed` is done after the next file was read.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = 0
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.broken = ""
        self.once_closed: Callable[[], None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        self._acceptor = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(20)
        self.port = self._acceptor.get_port()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._acceptor.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    async def _listen(self) -> asyncssh.SSHAcceptor:
        outer = self

        class Files(asyncssh.SFTPServer):
            def __init__(self, chan: Any) -> None:
                self._channel = chan
                super().__init__(chan, chroot=os.fsencode(outer.root))

            def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
                if outer.broken and path.endswith(outer.broken.encode()):
                    self._channel.get_connection().abort()
                return super().open(path, pflags, attrs)

            def close(self, file_obj: Any) -> None:
                super().close(file_obj)
                then, outer.once_closed = outer.once_closed, None
                if then is not None:
                    then()

        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=_Door, server_host_keys=[self.key], sftp_factory=Files
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "served" / "out").mkdir(parents=True)
    with Server(tmp_path / "served") as running:
        yield running


@pytest.fixture
def house(
    deployed: Settings, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FeedHouse]:
    monkeypatch.setenv("ECO_SECRET_DEPARTMENT_USER", "meteo")
    monkeypatch.setenv("ECO_SECRET_DEPARTMENT_PASSWORD", NEVER_SHOWN)
    monkeypatch.setenv("ECO_SECRET_DEPARTMENT_URL", f"sftp://127.0.0.1:{server.port}/out/*.csv")
    monkeypatch.setenv("ECO_SECRET_DEPARTMENT_HOST_KEY", server.key.get_fingerprint())
    with department(deployed, tmp_path, by_sftp()) as made:
        yield made


def by_sftp(**changes: Any) -> Contract:
    return weather_by(
        {
            "transport": "sftp",
            "url": "${department.url}",
            "user": "department.user",
            "password": "department.password",
            "host_key": "${department.host_key}",
            "settle_seconds": 0.05,
            **changes,
        }
    )


def put(server: Server, name: str, *rows: tuple[str, int, str]) -> Path:
    path = server.root / "out" / name
    path.write_bytes(content(*rows))
    return path


def test_each_file_is_a_delivery_and_comes_once(
    house: FeedHouse, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(server, "b.csv", ("W1", 9, "2.50"))
    put(server, "a.csv", ("W1", 8, "1.50"))
    put(server, "c.txt", ("W1", 10, "9.99"))
    assert asking.ask(house.contract) == "2 finished file(s), 0 unfinished"
    found = pull(house)
    assert [(b.source.rpartition("/")[2], b.outcome) for b in found] == [
        ("a.csv", "loaded"),
        ("b.csv", "loaded"),
    ]
    monkeypatch.setenv("ECO_SECRET_DEPARTMENT_HOST_KEY", server.key.export_public_key().decode())
    assert ends(house) == [("unchanged", "not_modified", 1)]
    os.utime(put(server, "a.csv", ("W1", 8, "1.75")), (1, 1_800_000_000))
    assert ends(house) == [("loaded", None, 1)]
    assert temperatures(house) == [("W1", 8, "1.75"), ("W1", 9, "2.50")]


def test_what_is_still_written_waits(house: FeedHouse, server: Server) -> None:
    put(server, "a.csv.part", ("W1", 8, "1.50"))
    [(outcome, reason, _)] = ends(house)
    assert (outcome, reason) == ("failed", "not_found")  # nothing ever came from here
    growing = put(server, "b.csv", ("W1", 9, "2.50"))
    stop = threading.Event()

    def grow() -> None:
        while not stop.wait(0.01):
            with growing.open("ab") as file:
                file.write(b" ")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert [reason for _, reason, _ in ends(house)] == ["not_found"]
    finally:
        stop.set()
        writer.join()
    (server.root / "out" / "a.csv.part").rename(server.root / "out" / "a.csv")
    put(server, "b.csv", ("W1", 9, "2.50"))
    assert ends(house) == [("loaded", None, 1)] * 2
    stuck = put(server, "d.csv.filepart", ("W1", 8, "1.50"))
    os.utime(stuck, (1, 1))
    assert ends(house) == [("failed", "unfinished", 0)]


def test_a_companion_says_when_a_file_is_finished(house: FeedHouse, server: Server) -> None:
    house.contract = by_sftp(checksum_suffix=".sha256")
    path = put(server, "a.csv", ("W1", 8, "1.50"))
    assert [reason for _, reason, _ in ends(house)] == ["not_found"]
    companion = path.with_name("a.csv.sha256")
    companion.write_text("0" * 64)
    assert [reason for _, reason, _ in ends(house)] == ["checksum_mismatch"]
    companion.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  a.csv\n")
    assert ends(house) == [("loaded", None, 1)]


def test_every_fault_is_told_and_the_next_visit_loads(
    house: FeedHouse, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    put(server, "a.csv", ("W1", 8, "1.50"))
    faults = [
        ("DEPARTMENT_PASSWORD", "another-" + NEVER_SHOWN, "unauthorised"),
        ("DEPARTMENT_HOST_KEY", "SHA256:somebody", "host_key_unknown"),
        ("DEPARTMENT_URL", f"sftp://127.0.0.1:{server.port}/nowhere/*.csv", "not_found"),
        ("DEPARTMENT_URL", "sftp://127.0.0.1:1/out/*.csv", "connect_error"),
        ("DEPARTMENT_URL", "ftp://127.0.0.1/out/*.csv", "connect_error"),
    ]
    for name, value, reason in faults:
        with monkeypatch.context() as changed:
            changed.setenv(f"ECO_SECRET_{name}", value)
            [batch] = pull(house)
        assert (batch.outcome, batch.reason) == ("failed", reason)
        if reason == "host_key_unknown":
            assert server.key.get_fingerprint() in (batch.error or "")
    assert ends(house) == [("loaded", None, 1)]
    assert_no_secret(house, caplog.text, NEVER_SHOWN)


def test_a_connection_that_breaks_loses_nothing(house: FeedHouse, server: Server) -> None:
    put(server, "a.csv", ("W1", 8, "1.50"))
    put(server, "b.csv", ("W1", 9, "2.50"))
    server.broken = "b.csv"
    assert ends(house) == [("loaded", None, 1), ("failed", "truncated", 0)]
    server.broken = ""
    assert ends(house) == [("loaded", None, 1)]
    assert temperatures(house) == [("W1", 8, "1.50"), ("W1", 9, "2.50")]


def test_what_was_refused_is_tried_again_after_what_is_new(house: FeedHouse, server: Server) -> None:
    path = put(server, "a.csv", ("W1", 8, "1.50"))
    path.write_bytes(path.read_bytes().replace(b"humidity", b"rh"))
    assert ends(house) == [("rejected", "header_changed", 0)]
    put(server, "b.csv", ("W1", 9, "2.50"))
    assert ends(house) == [("loaded", None, 1), ("rejected", "header_changed", 0)]


def test_a_name_that_is_not_utf8_is_read_as_windows_wrote_it(house: FeedHouse, server: Server) -> None:
    put(server, "a.csv", ("W1", 8, "1.50"))
    put(server, os.fsdecode("数据.csv".encode("gbk")), ("W2", 8, "2.50"))
    assert [(b.source.rpartition("/")[2], b.outcome) for b in pull(house)] == [
        ("a.csv", "loaded"),
        ("数据.csv", "loaded"),
    ]
    assert ends(house) == [("unchanged", "not_modified", 1)]
    assert temperatures(house) == [("W1", 8, "1.50"), ("W2", 8, "2.50")]


def test_a_file_that_changes_while_it_is_copied_waits(house: FeedHouse, server: Server) -> None:
    put(server, "a.csv", ("W1", 8, "1.50"))

    def rewrite() -> None:
        os.utime(put(server, "a.csv", ("W1", 8, "1.75")), (1, 1_800_000_000))  # of the same size

    server.once_closed = rewrite
    assert ends(house) == [("failed", "unfinished", 0)]
    assert ends(house) == [("loaded", None, 1)]
    assert temperatures(house) == [("W1", 8, "1.75")]
