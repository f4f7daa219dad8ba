"""Departments that answer by HTTP: a JSON API with pages and a token, WaterML, an archive, a file of statistics."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulation.systems.documents import darwin_core, delimited, waterml
from simulation.systems.state import Now

LABEL = {"X-Eco-Synthetic": "true"}
_LARGEST_PAGE = 5000


class Web:
    """The HTTP systems on one port; `token` opens those that want one."""

    def __init__(self, now: Now, token: str) -> None:
        self._now = now
        self._token = token
        routes = [
            Route("/ecology/air/hours", self._air),
            Route("/water-resources/reservoir.waterml", self._document(self._reservoir, "application/xml")),
            Route("/forestry/occurrences.zip", self._document(self._occurrences, "application/zip")),
            Route(
                "/development/statistics.csv", self._document(self._statistics, "text/csv; charset=gb18030")
            ),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), host="127.0.0.1", port=0, log_level="warning", date_header=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> str:
        """Serve in a thread; returns the address."""
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the departments' HTTP systems ended at once")
            self._thread.join(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join()

    def _air(self, request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("authorization", ""), f"Bearer {self._token}"):
            return JSONResponse({"error": "token"}, 401)
        since = request.query_params.get("since")
        began = datetime.fromisoformat(since.replace(" ", "+")) if since else None
        found = self._now.rows("air_station_hour", since=began)
        page = int(request.query_params.get("page", "1"))
        size = min(int(request.query_params.get("per_page", "1000")), _LARGEST_PAGE)
        items = found.slice((page - 1) * size, size).to_pylist()
        more = page * size < found.num_rows
        content: dict[str, Any] = {
            "generatedAt": self._now.at.isoformat(), "total": found.num_rows,
            "nextPage": page + 1 if more else None, "items": items,
        }  # fmt: skip
        return JSONResponse(content, headers=LABEL)

    def _document(self, made: Callable[[], bytes], media: str) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            body = made()
            headers = {**LABEL, "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
            if headers["ETag"] in request.headers.get("if-none-match", ""):
                return PlainTextResponse("", 304, headers)
            return Response(body, media_type=media, headers=headers)

        return answer

    def _reservoir(self) -> bytes:
        table = self._now.rows("reservoir", since=self._now.at - timedelta(days=3))
        properties = {"RZ": ("库水位", "m"), "INQ": ("入库流量", "m3/s"), "OTQ": ("出库流量", "m3/s")}
        sites = {
            s.code: (s.name, s.latitude, s.longitude)
            for s in self._now.city.feed("reservoir").draft.clean.sites
        }
        return waterml.collection(_once(table, ["STCD", "TM"]), properties, sites)

    def _occurrences(self) -> bytes:
        return darwin_core.archive(self._now.rows("species_occurrence"))

    def _statistics(self) -> bytes:
        return delimited.csv_of(self._now.rows("yearly_statistics"), "gb18030")


def _once(table: pa.Table, key: list[str]) -> pa.Table:
    """The table with the last row of each key: a time series knows a moment once."""
    last = {
        tuple(row[name] for name in key): place for place, row in enumerate(table.select(key).to_pylist())
    }
    return table.take(pa.array(sorted(last.values()), pa.int64()))


__all__ = ["LABEL", "Web"]
