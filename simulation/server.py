"""The stand-in source systems on one port of this machine, with a clock of their own and faults on demand.

    python -m simulation.server --synthetic --seed 7 --state DIR [--port 0]
    python -m simulation.server --data ../shared/data --state DIR [--departments]

`DIR` then holds `port`, `admin-token`, `weather-token`, and `addresses.json` with the secrets by which contracts find
every source. With `--departments` the systems of the city's departments speak beside the national feeds.

For everybody: `GET /air/feed`, `GET /air/archive.csv`, `GET /water/stations.csv`, `GET /weather/observations` (bearer
token). With the admin token: `POST /clock {"at": ...}`, `POST /clock/next`,
`POST /fault {"feed": "air", "kind": ..., "times": n}`, `GET /pulls`.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import secrets
import signal
import threading
import time
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from simulation import surface_water, weather
from simulation.national import Pull, feed_csv, real_pulls, synthetic_pulls

FAULTS = (
    "400", "404", "429", "500", "502", "503", "401", "timeout", "truncated", "cut", "html", "empty", "header",
    "slow", "duplicate_page", "changing_total",
)  # fmt: skip
_HTML = b"<!DOCTYPE html><html><head><title>Login</title></head><body>please log in</body></html>"


class Departments(Protocol):
    """The systems of the city's departments, as far as the clock moves them."""

    def at_step(self, step: int) -> None:
        """Show what is known at a step of the clock, counted from 0."""

    def stop(self) -> None:
        """Stop all of them."""


class World:
    """Pulls, clock and faults; shared by the threads of the server."""

    def __init__(
        self,
        pulls: list[Pull],
        seed: int,
        state: Path,
        water: list[tuple[str, list[surface_water.Row]]] | None = None,
        departments: Departments | None = None,
    ) -> None:
        self.pulls = pulls
        self.departments = departments
        self.water = water or []
        self.seed = seed
        self._lock = threading.Lock()
        self._faults: list[tuple[str, str]] = []
        self._clock_file = state / "clock"
        self.clock = pulls[0].stamp
        if self._clock_file.exists():
            self.clock = datetime.fromisoformat(self._clock_file.read_text().strip())
        self.admin_token = _token(state / "admin-token")
        self.weather_token = _token(state / "weather-token")
        self.requests = 0

    def current(self) -> Pull | None:
        """What the air feed serves now."""
        past = [pull for pull in self.pulls if pull.stamp <= self.clock]
        return past[-1] if past else None

    def current_water(self) -> tuple[bytes, bool]:
        """What the water feed serves now, and whether it is invented.

        The real pulls of water are of another year than those of air, and stamped themselves: the n-th of the one is
        served with the n-th of the other, and the last one from then on.
        """
        if not self.water:
            return surface_water.feed_csv(
                surface_water.synthetic_rows(self.clock, self.seed), ["snapshot"]
            ), True
        return surface_water.feed_csv(self.water[min(self.passed, len(self.water)) - 1][1]), False

    def set_clock(self, at: datetime) -> datetime:
        """Set the clock."""
        with self._lock:
            self.clock = at
            self._clock_file.write_text(at.isoformat())
            if self.departments is not None:
                self.departments.at_step(self.passed - 1)
            return self.clock

    @property
    def passed(self) -> int:
        """How many pulls of the air feed lie behind; the first counts from the beginning."""
        return max(sum(pull.stamp <= self.clock for pull in self.pulls), 1)

    def advance(self) -> datetime | None:
        """To the next pull; None when the last was reached."""
        following = [pull.stamp for pull in self.pulls if pull.stamp > self.clock]
        return self.set_clock(following[0]) if following else None

    def plan_fault(self, feed: str, kind: str, times: int) -> None:
        """The next answers of a feed will be faulty."""
        with self._lock:
            self._faults += [(feed, kind)] * times

    def clear_faults(self) -> None:
        """No more faults."""
        with self._lock:
            self._faults.clear()

    def next_fault(self, feed: str) -> str | None:
        """The fault of this answer, which is used up by it."""
        with self._lock:
            for place, (of, kind) in enumerate(self._faults):
                if of == feed:
                    del self._faults[place]
                    return kind
        return None


def _token(path: Path) -> str:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text().strip()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Feeds for everybody, the list of pulls for the admin."""
        address = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        feed = address.path.strip("/").partition("/")[0]
        self.server.world.requests += 1
        if address.path == "/pulls":
            self._pulls()
        elif address.path not in (
            "/air/feed",
            "/air/archive.csv",
            "/water/stations.csv",
            "/weather/observations",
        ):
            self._answer(404, b"no such feed", "text/plain")
        else:
            fault = self.server.world.next_fault(feed)
            if fault and self._fail(fault):
                return
            if address.path == "/air/feed":
                self._air(fault)
            elif address.path == "/air/archive.csv":
                self._archive(query)
            elif address.path == "/water/stations.csv":
                self._water(fault)
            else:
                self._weather(query, fault)

    def do_POST(self) -> None:
        """Clock and faults, for the admin."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._is(self.server.world.admin_token):
            self._answer(401, b"admin token needed", "text/plain")
            return
        try:
            self._json(200, self._administer(self.path, json.loads(body or b"{}")))
        except (ValueError, KeyError, TypeError) as error:
            self._json(400, {"error": f"{type(error).__name__}: {error}"})

    def _administer(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        world = self.server.world
        if path == "/clock":
            return {"clock": world.set_clock(datetime.fromisoformat(content["at"])).isoformat()}
        if path == "/clock/next":
            at = world.advance()
            pull = world.current()
            return {"clock": at.isoformat() if at else None, "pull": pull.description if pull else None}
        if path == "/fault":
            if content["kind"] not in FAULTS or content["feed"] not in ("air", "water", "weather"):
                raise ValueError(f"kind is one of {FAULTS}, feed is air, water or weather")
            world.plan_fault(content["feed"], content["kind"], int(content.get("times", 1)))
            return {"planned": content}
        if path == "/fault/clear":
            world.clear_faults()
            return {"planned": None}
        raise KeyError(path)

    def _pulls(self) -> None:
        if not self._is(self.server.world.admin_token):
            self._answer(401, b"admin token needed", "text/plain")
            return
        found = [
            {"stamp": p.stamp.isoformat(), "description": p.description} for p in self.server.world.pulls
        ]
        self._json(200, found)

    def _air(self, fault: str | None) -> None:
        pull = self.server.world.current()
        if pull is None:
            self._answer(503, b"nothing was measured yet", "text/plain")
            return
        etag = f'"{hashlib.sha256(pull.body).hexdigest()[:32]}"'
        headers = {
            "ETag": etag,
            "Last-Modified": format_datetime(pull.stamp.astimezone(UTC), usegmt=True),
            **({"X-Eco-Synthetic": "true"} if pull.synthetic else {}),
        }
        if self._not_modified(etag, pull.stamp):
            self._answer(304, b"", "application/xml", headers)
            return
        body = pull.body.replace(b"b:AQI>", b"b:AirIndex>") if fault == "header" else pull.body
        self._send(body, "application/xml; charset=utf-8", headers, fault)

    def _water(self, fault: str | None) -> None:
        body, synthetic = self.server.world.current_water()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        stamp = self.server.world.clock
        headers = {"ETag": etag, **({"X-Eco-Synthetic": "true"} if synthetic else {})}
        if synthetic:
            headers["Last-Modified"] = format_datetime(stamp.astimezone(UTC), usegmt=True)
        if etag in self.headers.get("If-None-Match", ""):
            self._answer(304, b"", "text/csv", headers)
            return
        body = body.replace("溶解氧".encode(), "氧".encode()) if fault == "header" else body
        self._send(body, "text/csv; charset=utf-8", headers, fault)

    def _not_modified(self, etag: str, stamp: datetime) -> bool:
        known = self.headers.get("If-None-Match")
        if known:
            return etag in known
        since = self.headers.get("If-Modified-Since")
        return since is not None and stamp <= parsedate_to_datetime(since)

    def _archive(self, query: dict[str, str]) -> None:
        world = self.server.world
        first, last = query.get("from", ""), query.get("to", "9999")
        rows: dict[tuple[str, str], Any] = {}
        for pull in world.pulls:
            if pull.stamp <= world.clock:
                rows.update({(row["timepoint"], row["stationcode"]): row for row in pull.rows})
        chosen = [row for (label, _), row in sorted(rows.items()) if first <= label <= last]
        headers = {"X-Eco-Synthetic": "true"} if world.pulls[0].synthetic else {}
        self._answer(200, feed_csv(chosen), "text/csv; charset=utf-8", headers)

    def _weather(self, query: dict[str, str], fault: str | None) -> None:
        world = self.server.world
        if not self._is(world.weather_token):
            self._answer(401, b'{"error": "token"}', "application/json")
            return
        since = datetime.fromisoformat(query["since"].replace(" ", "+")) if "since" in query else None
        found = weather.observations(world.clock, world.seed, since)
        page, size = int(query.get("page", "1")), min(int(query.get("per_page", "200")), 1000)
        served = 1 if fault == "duplicate_page" else page
        items = found[(served - 1) * size : served * size]
        if fault == "header":
            items = [{("temp" if k == "temperature" else k): v for k, v in item.items()} for item in items]
        content = {
            "generated_at": world.clock.isoformat(),
            "total": len(found) + (1 if fault == "changing_total" else 0),
            "page": page,
            "next_page": page + 1 if page * size < len(found) else None,
            "items": items,
        }
        body = json.dumps(content, ensure_ascii=False).encode()
        self._send(body, "application/json", {"X-Eco-Synthetic": "true"}, fault)

    def _is(self, token: str) -> bool:
        return hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {token}")

    def _fail(self, fault: str) -> bool:
        """Answer with a fault that needs no content; False when the content itself has to be made faulty."""
        if fault == "timeout":
            self.server.stopping.wait(30)
            self.close_connection = True
        elif fault == "html":
            self._answer(200, _HTML, "text/html; charset=utf-8")
        elif fault == "empty":
            self._answer(200, b"", "application/xml")
        elif fault.isdecimal():
            self._answer(int(fault), b"fault", "text/plain", {"Retry-After": "1"} if fault == "429" else {})
        else:
            return False
        return True

    def _send(self, body: bytes, media: str, headers: dict[str, str], fault: str | None) -> None:
        if fault == "cut":  # cut before it was sent: the length fits
            body = body[: len(body) // 2]
        if fault == "truncated":  # cut on the way
            self._head(200, len(body), media, headers)
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif fault == "slow":
            self._head(200, len(body), media, headers)
            step = max(1, len(body) // 20)
            for begin in range(0, len(body), step):
                self.wfile.write(body[begin : begin + step])
                self.wfile.flush()
                time.sleep(0.1)
        else:
            self._answer(200, body, media, headers)

    def _json(self, status: int, content: Any) -> None:
        self._answer(status, json.dumps(content, ensure_ascii=False).encode(), "application/json")

    def _answer(self, status: int, body: bytes, media: str, headers: dict[str, str] | None = None) -> None:
        self._head(status, len(body), media, headers or {})
        self.wfile.write(body)

    def _head(self, status: int, length: int, media: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media)
        if status != 304:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, by the clock of the world."""
        if timestamp is not None:
            return super().date_time_string(timestamp)
        return format_datetime(self.server.world.clock.astimezone(UTC), usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


class Server(ThreadingHTTPServer):
    """The server; `with Server(...) as server: server.start()` in tests, `main` for people."""

    daemon_threads = True

    def __init__(self, world: World, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.world = world
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def addresses(self) -> dict[str, str]:
        """What contracts call these sources by: secret and value."""
        return {
            "cnemc_air.url": f"{self.url}/air/feed",
            "cnemc_water.url": f"{self.url}/water/stations.csv",
            "weather.url": f"{self.url}/weather/observations",
            "weather.token": self.world.weather_token,
        }

    def start(self) -> None:
        """Serve in a thread."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        if self.world.departments is not None:
            self.world.departments.stop()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def build(
    state: Path,
    *,
    data: Path | None = None,
    seed: int = 7,
    hours: int = 12,
    port: int = 0,
    departments: bool = False,
) -> Server:
    """A server that is not started yet; its port, tokens and addresses stand in `state`, the port last of all.

    `departments` starts the systems of the city's departments, which takes a while: the city is worked out first.
    """
    state.mkdir(parents=True, exist_ok=True)
    pulls = real_pulls(data) if data else synthetic_pulls(seed, hours=hours)
    water = surface_water.real_pulls(data) if data and (data / "water").is_dir() else None
    world = World(pulls, seed, state, water)
    server = Server(world, port)
    addresses = server.addresses
    if departments:
        from simulation.systems.running import Systems

        systems = Systems.up_to_yesterday(seed, state / "departments", world.passed - 1, len(pulls))
        systems.start()
        world.departments = systems
        addresses |= systems.addresses
    _replace(state / "addresses.json", json.dumps(addresses, indent=1))
    _replace(state / "port", str(server.server_address[1]))
    return server


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(path)


def pulls(data: Path | None = None, seed: int = 7, hours: int = 12) -> list[tuple[datetime, str]]:
    """Stamp and description of every pull, so that a demo can drive the clock."""
    found = real_pulls(data) if data else synthetic_pulls(seed, hours=hours)
    return [(pull.stamp, pull.description) for pull in found]


def main() -> None:
    """Serve until a signal to end."""
    parser = argparse.ArgumentParser(description="Stand-in source systems.")
    parser.add_argument("--port", type=int, default=0)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path)
    source.add_argument("--synthetic", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--hours", type=int, default=12)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--departments", action="store_true")
    options = parser.parse_args()
    server = build(
        options.state, data=options.data, seed=options.seed, hours=options.hours, port=options.port,
        departments=options.departments,
    )  # fmt: skip
    server.start()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    print(f"stand-in sources at {server.url}", flush=True)
    ended.wait()
    server.stop()


if __name__ == "__main__":
    main()
