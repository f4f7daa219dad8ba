"""The HTTP server of uploads: login by department and token, a form, receipts and answers.

Basic authentication over TLS: no session and no cookie. A browser sends such a login along with whatever page asks for
it, so a request that changes something must come from our own page or from no page (`_refuse_foreign`).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from python_multipart.multipart import parse_options_header
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ecowarehouse import secrets
from ecowarehouse.contracts import Contract, load_contracts
from ecowarehouse.contracts.transport import DropConnector
from ecowarehouse.pipeline import run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings
from ecowarehouse.uploads import pages, receipts
from ecowarehouse.uploads.answers import Answer, answer
from ecowarehouse.uploads.receipts import Receipt, UploadRefused

LIMIT = 50 << 20
_ENVELOPE = 64 << 10  # what a form adds to its file
_CHUNK = 1 << 20
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

logger = logging.getLogger(__name__)


def application(settings: Settings, *, limit: int = LIMIT) -> Starlette:
    """The application; one thread lands, so that a feed is never waited for by two."""
    landing = ThreadPoolExecutor(1, thread_name_prefix="upload")

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        landing.shutdown(wait=True)

    desk = _Desk(settings, limit, landing)
    routes = [
        Route("/", desk.form),
        Route("/health", _alive),
        Route("/feeds/{feed}", desk.send, methods=["POST"]),
        Route("/receipts/{receipt}", desk.receipt),
    ]
    app = Starlette(routes=routes, lifespan=life, exception_handlers={UploadRefused: _refused})
    app.add_middleware(BaseHTTPMiddleware, dispatch=_with_headers)
    return app


class _Desk:
    """What the routes do."""

    def __init__(self, settings: Settings, limit: int, landing: Executor) -> None:
        self._settings = settings
        self._limit = limit
        self._landing = landing

    async def form(self, request: Request) -> Response:
        """The form of the department that is logged in."""
        department = self._department(request)
        feeds = list(self._feeds(department).values())
        given = receipts.newest(self._settings, department)
        names = pages.Names.read(self._settings)
        return HTMLResponse(pages.form(names, department, feeds, given, str(request.base_url), self._limit))

    async def send(self, request: Request) -> Response:
        """Keep the file, give the receipt, and have it landed."""
        department = self._department(request)
        _refuse_foreign(request)
        contract = self._feeds(department).get(request.path_params["feed"])
        if contract is None:
            raise UploadRefused(404, "没有此数据源，或不属于本部门 · no such feed of this department")
        receipt = await self._received(request, contract)
        logger.info("%s: receipt %s, %d bytes", contract.feed, receipt.receipt, receipt.bytes)
        self._landing.submit(_land, self._settings, contract)
        location = f"/receipts/{receipt.receipt}"
        if "text/html" in request.headers.get("accept", ""):
            return Response(status_code=303, headers={"Location": location})
        said = Answer(receipt, "waiting", None, None, 0, []).as_json()
        return JSONResponse(said, status_code=202, headers={"Location": f"{location}.json"})

    async def receipt(self, request: Request) -> Response:
        """A receipt of this department with its answer, as page, `.json` or `.csv`."""
        department = self._department(request)
        number, _, form = request.path_params["receipt"].partition(".")
        found = receipts.find(self._settings, department, number)
        if found is None or form not in ("", "json", "csv"):
            raise UploadRefused(404, "没有此回执 · no such receipt")
        said = await run_in_threadpool(_answer, self._settings, found)
        if form == "json":
            return JSONResponse(said.as_json())
        if form == "csv":
            return PlainTextResponse(said.as_csv(), media_type="text/csv; charset=utf-8")
        return HTMLResponse(pages.answer(pages.Names.read(self._settings), said))

    def _department(self, request: Request) -> str:
        name, token = _login(request)
        try:
            known = secrets.resolve(f"upload.{name}", self._settings)
        except secrets.SecretError:
            known = ""
        # Compared in any case, so that time does not tell which departments there are.
        same = hmac.compare_digest(token.encode(), known.encode())
        if not (known and same):
            raise UploadRefused(401, "请登录：部门与口令 · log in with department and token")
        return name

    def _feeds(self, department: str) -> dict[str, Contract]:
        found = load_contracts(self._settings.city).contracts
        return {
            feed: contract
            for feed, contract in found.items()
            if contract.department == department and isinstance(contract.connector, DropConnector)
        }

    async def _received(self, request: Request, contract: Contract) -> Receipt:
        if int(request.headers.get("content-length") or 0) > self._limit + _ENVELOPE:
            raise UploadRefused(413, f"文件过大 · longer than {self._limit:,} bytes")
        kind, _ = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data":
            raise UploadRefused(415, "请用表单字段 file 上传 · send a form with a field `file`")
        parser = MultiPartParser(
            request.headers, _bounded(request.stream(), self._limit + _ENVELOPE), max_files=1, max_fields=4
        )
        try:
            form = await parser.parse()
        except (MultiPartException, KeyError) as error:
            raise UploadRefused(400, f"表单有误 · no valid form: {error}") from error
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise UploadRefused(400, "缺少字段 file · the form has no file in the field `file`")
        try:
            return await receipts.receive(
                self._settings, contract, file.filename or "", _chunks(file), limit=self._limit
            )
        finally:
            await file.close()


def _land(settings: Settings, contract: Contract) -> None:
    try:
        with connect("eco_landing", application=f"upload {contract.feed}", settings=settings) as conn:
            run_feed(conn, settings, contract)
    except Exception:
        # The file stays where the feed's next run finds it.
        logger.exception("%s: the upload waits for the feed's next run", contract.feed)


def _answer(settings: Settings, receipt: Receipt) -> Answer:
    with connect("eco_engineer", application="upload answer", settings=settings) as conn:
        return answer(conn, receipt)


def _login(request: Request) -> tuple[str, str]:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, token = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (name, token) if kind.lower() == "basic" else ("", "")


def _refuse_foreign(request: Request) -> None:
    """Refuse what another site's page sends with our user's login; programs send neither header."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site not in ("same-origin", "none") if site else False
    if not site and origin:
        foreign = urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        raise UploadRefused(403, "请从本站页面上传 · send it from this site's own page")


async def _bounded(stream: AsyncIterator[bytes], limit: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > limit:
            raise UploadRefused(413, f"文件过大 · longer than {limit:,} bytes")
        yield chunk


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


async def _alive(_: Request) -> Response:
    """For whoever watches the server: it answers. Files are taken without the database too."""
    return PlainTextResponse("ok")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, UploadRefused)
    headers = {"WWW-Authenticate": 'Basic realm="upload", charset="UTF-8"'} if error.status == 401 else {}
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse(str(error), status_code=error.status, headers=headers)
    return JSONResponse({"error": str(error)}, status_code=error.status, headers=headers)


async def _with_headers(request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await following(request)
    response.headers.update(_HEADERS)
    return response
