"""The upload server on a real socket: login, receipt, landing, row-by-row answer, and what it refuses."""

from __future__ import annotations

import hashlib
import logging
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml

from ecowarehouse.settings import Settings
from ecowarehouse.uploads.receipts import UploadRefused, safe_name
from ecowarehouse.uploads.server import application
from tests.integration.department_house import (
    CITY,
    NEVER_SHOWN,
    assert_no_secret,
    content,
    department,
    temperatures,
    weather_by,
)
from tests.integration.feed_house import FeedHouse

DROP = {"transport": "drop", "timeout_seconds": 2, "total_seconds": 20}
FEED = "/feeds/weather_hourly"
LIMIT = 100_000


@dataclass
class Desk:
    """The server, its house, and a client of the department that is logged in."""

    url: str
    house: FeedHouse
    client: httpx.Client

    def send(self, payload: bytes, name: str = "a.csv", **options: Any) -> httpx.Response:
        return self.client.post(FEED, files={"file": (name, payload, "text/csv")}, **options)

    def answered(self, response: httpx.Response) -> dict[str, Any]:
        assert response.status_code == 202, response.text
        for _ in range(400):
            said: dict[str, Any] = self.client.get(response.headers["location"]).json()
            if said["final"]:
                return said
            time.sleep(0.05)
        raise AssertionError(said)


@pytest.fixture(scope="module")
def desk(module_deployed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("uploads")
    city = folder / "city"
    shutil.copytree(CITY, city)
    path = city / "sources" / "meteorology" / "weather_hourly.yml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    contract["connector"] = DROP
    contract["known_at"] = [{"from": "receipt"}]
    contract["forms"] = {"csv": {"suffixes": [".csv"], "line_ends_in_cells": True}}
    path.write_text(yaml.safe_dump(contract, allow_unicode=True), encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ECO_CITY", str(city))
        environment.setenv("ECO_SECRET_UPLOAD_METEOROLOGY", NEVER_SHOWN)
        environment.setenv("ECO_SECRET_UPLOAD_ECOLOGY_ENVIRONMENT", "token-of-another")
        settings = Settings.load()
        config = uvicorn.Config(application(settings, limit=LIMIT), port=0, log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        login = ("meteorology", NEVER_SHOWN)
        with (
            department(settings, folder, weather_by(DROP)) as house,
            httpx.Client(base_url=url, auth=login, trust_env=False, timeout=30) as client,
        ):
            yield Desk(url, house, client)
        server.should_exit = True
        thread.join(30)


def test_a_file_is_receipted_landed_and_answered_row_by_row(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    payload = content(("W1", 8, "1.50"), ("W1", 9, "warm"), ("", 10, "3.00"))
    response = desk.send(payload)
    receipt = response.json()["receipt"]
    assert (receipt["sha256"], receipt["bytes"]) == (hashlib.sha256(payload).hexdigest(), len(payload))
    said = desk.answered(response)
    assert (said["outcome"], said["rows"]) == ("loaded", 2)
    refusals = [(r["row"], r["column"], r["reason"]) for r in said["refusals"]]
    assert refusals == [(2, "temperature", "not_a_number"), (3, None, "key_missing")]
    assert said["refusals"][0]["received"] == "warm"
    number = receipt["receipt"]
    assert "2,temperature,not_a_number" in desk.client.get(f"/receipts/{number}.csv").text
    page = desk.client.get(f"/receipts/{number}", headers={"accept": "text/html"})
    assert "入库行数 · rows loaded: 2" in page.text
    assert "桂平市气象局 · Guiping Meteorological Bureau" in page.text
    assert "不是数字，也不是约定的缺测标记" in page.text
    assert "补全主键列" in page.text
    assert "+0800" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (
        desk.house.one("select count(*) from landing.batch where source = %s", f"upload:{number}/a.csv") == 1
    )
    assert temperatures(desk.house) == [("W1", 8, "1.50")]
    assert_no_secret(desk.house, caplog.text, NEVER_SHOWN)


def test_the_same_and_an_unusable_content_are_answered_too(desk: Desk) -> None:
    first = content(("W2", 8, "1.50"), ("W2", 9, "x"))
    desk.answered(desk.send(first))
    again = desk.answered(desk.send(first, "again.csv"))
    assert (again["outcome"], again["reason"], len(again["refusals"])) == ("unchanged", "same_bytes", 1)
    bad = desk.answered(desk.send(first.replace(b"humidity", b"rh")))
    assert (bad["outcome"], bad["reason"]) == ("rejected", "header_changed")
    assert "rh" in bad["error"]
    page = desk.client.get(f"/receipts/{bad['receipt']['receipt']}").text
    assert "内容不可用" in page
    assert "列有增减或改名" in page
    assert "恢复约定的列名" in page
    uploaded = desk.house.settings.drop / "weather_hourly" / "uploaded"
    assert list(uploaded.iterdir()) == []  # refused too: its sender has the answer


def test_a_browser_gets_the_form_and_is_led_to_its_receipt(desk: Desk) -> None:
    page = desk.client.get("/")
    assert "curl -u meteorology -F file=@FILE" in page.text
    assert "合成数据 · synthetic data" in page.text
    sent = desk.send(
        content(("W3", 8, "1.50")),
        headers={"accept": "text/html", "sec-fetch-site": "same-origin"},
    )
    assert sent.status_code == 303
    assert sent.headers["location"].rpartition("/")[2] in desk.client.get("/").text


def test_nobody_sees_what_is_anothers(desk: Desk) -> None:
    number = desk.send(content(("W4", 8, "1.50"))).json()["receipt"]["receipt"]
    other = ("ecology_environment", "token-of-another")
    assert desk.client.get(f"/receipts/{number}.json", auth=other).status_code == 404
    assert number not in desk.client.get("/", auth=other).text
    assert desk.send(b"x", auth=other).status_code == 404
    for login in [("meteorology", "wrong"), ("nobody", ""), ("../x", "y")]:
        assert desk.client.get("/", auth=login).status_code == 401
        assert desk.send(b"x", auth=login).status_code == 401
    assert desk.client.get("/receipts/..%2Fsecrets.json").status_code == 404


@pytest.mark.parametrize(
    ("payload", "name", "headers", "status"),
    [
        (b"", "a.csv", {}, 400),
        (b"<!doctype html><p>", "a.csv", {}, 415),
        (b"MZ\x90", "a.csv", {}, 415),
        (b"a,b", "a.exe", {}, 415),
        (b"x" * (LIMIT + 1), "a.csv", {}, 413),
        (b"a,b", "a.csv", {"sec-fetch-site": "cross-site"}, 403),
        (b"a,b", "a.csv", {"origin": "https://elsewhere.example"}, 403),
    ],
)
def test_the_door_refuses(
    desk: Desk, payload: bytes, name: str, headers: dict[str, str], status: int
) -> None:
    uploaded = desk.house.settings.drop / "weather_hourly" / "uploaded"
    before = sorted(desk.house.settings.receipts.rglob("*"))
    assert desk.send(payload, name, headers=headers).status_code == status
    assert sorted(desk.house.settings.receipts.rglob("*")) == before
    assert [path for path in uploaded.glob(".*") if path.is_dir()] == []


def test_an_endless_body_is_cut_off(desk: Desk) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 10_000

    kind = {"content-type": "multipart/form-data; boundary=b"}
    assert desk.client.post(FEED, content=endless(), headers=kind).status_code == 413


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\x.csv", "x.csv"),
        (".hidden.csv", "hidden.csv"),
        ("数据<b>.csv", "数据_b_.csv"),
        ("a\r\nSet-Cookie: x.csv", "a__Set-Cookie_ x.csv"),
        ("y" * 300 + ".csv", "y" * 60 + ".csv"),
    ],
)
def test_names_lead_nowhere(given: str, kept: str) -> None:
    assert safe_name(given) == kept
    with pytest.raises(UploadRefused):
        safe_name("../..")


def test_a_name_that_leads_elsewhere_stays_in_its_folder(desk: Desk) -> None:
    said = desk.answered(desk.send(content(("W5", 8, "1.50")), "../../../x.csv"))
    assert said["receipt"]["name"] == "x.csv"
    taken = Path(desk.house.settings.drop / "weather_hourly" / "taken")
    for _ in range(400):  # the answer is final with the ledger; the file is put away after it
        if any(taken.glob("*_x.csv")):
            break
        time.sleep(0.05)
    assert [path.name for path in taken.glob("*_x.csv")]


def test_the_service_of_compose_takes_a_file_and_answers_whoever_watches_it(desk: Desk) -> None:
    """Its own command and its own healthcheck, on a free port."""
    service = yaml.safe_load((CITY.parent / "docker-compose.yml").read_text(encoding="utf-8"))["services"][
        "upload"
    ]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [port if word == "8090" else word for word in service["command"]]
    watch = [word.replace("8090", port) for word in service["healthcheck"]["test"][2:]]
    assert command.count(port) == 1
    with subprocess.Popen(
        [str(Path(sys.executable).with_name("eco")), *command], stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr is not None
            assert any("running on" in line for line in server.stderr)
            assert subprocess.run([sys.executable, *watch], timeout=30).returncode == 0
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", auth=desk.client.auth, trust_env=False
            ) as client:
                other = Desk(str(client.base_url), desk.house, client)
                assert other.answered(other.send(content(("W6", 8, "1.50"))))["rows"] == 1
        finally:
            server.terminate()
    assert subprocess.run([sys.executable, *watch], timeout=30, capture_output=True).returncode != 0
