"""HTTP: retries within bounds, conditional requests, pages that fit together, no secret in any message."""

from __future__ import annotations

import json
import logging
import re
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import httpx

from ecowarehouse.connectors.access import Access
from ecowarehouse.connectors.cursor import Cursor
from ecowarehouse.connectors.delivery import Delivery
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.connectors.retrying import Transient, again
from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.transport import HttpConnector, Paging
from ecowarehouse.formats import FormatProblem
from ecowarehouse.formats.json_items import parse, pointed
from ecowarehouse.formats.sniff import looks_like_html

_KEPT_HEADERS = ("date", "etag", "last-modified", "content-type", "x-eco-synthetic")
_AGENT = "ecowarehouse"

logger = logging.getLogger(__name__)


def _says_no_address(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


# At INFO httpx writes every address with its password and query; our own lines say what happened without.
logging.getLogger("httpx").addFilter(_says_no_address)


def fetch(contract: Contract, connector: HttpConnector, access: Access, cursor: Cursor | None) -> Delivery:
    """One delivery from an HTTP source; all pages of it are one payload."""
    session = _Session(contract, connector, access)
    try:
        if not access.url.lower().startswith(("http://", "https://")):
            raise FetchProblem("not_http", "the address does not begin with http:// or https://")
        return session.fetch(cursor)
    except FetchProblem as problem:
        plain = FetchProblem(problem.reason, access.clean(problem.detail))
        return Delivery(
            source=access.source, payload=problem.received, problem=plain, synthetic=contract.synthetic
        )


class _Session:
    """One fetch with its retries and pages, within `total_seconds`."""

    def __init__(self, contract: Contract, connector: HttpConnector, access: Access) -> None:
        self._contract = contract
        self._connector = connector
        self._access = access
        self._deadline = time.monotonic() + self._connector.total_seconds
        self.source = access.source

    def fetch(self, cursor: Cursor | None) -> Delivery:
        """The delivery.

        Raises:
            FetchProblem: any reason.
        """
        headers = self._headers(cursor)
        timeout = httpx.Timeout(self._connector.timeout_seconds)
        # trust_env off: no proxy, no .netrc, no certificate bundle that somebody left in the environment.
        with httpx.Client(timeout=timeout, follow_redirects=False, verify=True, trust_env=False) as client:
            parameters = self._cursor_parameters(cursor)
            if self._connector.paging:
                return self._paged_or_all(client, headers, parameters, self._connector.paging)
            body, received = self._with_retries(client, headers, parameters)
        return self._delivery(body, received)

    def _delivery(self, body: bytes | None, headers: Mapping[str, str], note: str | None = None) -> Delivery:
        synthetic = self._contract.synthetic or headers.get("x-eco-synthetic", "").lower() == "true"
        media = headers.get("content-type", "")
        if body is None:
            return Delivery(self.source, media=media, headers=headers, unchanged=True, synthetic=synthetic)
        form = self._contract.form_of(self.source, media, body[:512])
        return Delivery(self.source, body, media, form, headers, synthetic=synthetic, note=note)

    def _headers(self, cursor: Cursor | None) -> dict[str, str]:
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "gzip, identity"}
        if token := self._access.value(self._connector.token):
            headers["Authorization"] = f"Bearer {token}"
        if self._connector.conditional and cursor:
            known = cursor.validators
            if known.etag:
                headers["If-None-Match"] = known.etag
            elif known.last_modified:
                headers["If-Modified-Since"] = format_datetime(
                    known.last_modified.astimezone(UTC), usegmt=True
                )
        return headers

    def _cursor_parameters(self, cursor: Cursor | None) -> dict[str, str]:
        rule = self._connector.cursor
        if rule is None or cursor is None or cursor.period_to is None:
            return {}
        since = (cursor.period_to - rule.look_back).astimezone(self._contract.zone)
        return {rule.parameter: since.isoformat()}

    def _with_retries(
        self, client: httpx.Client, headers: dict[str, str], parameters: Mapping[str, str]
    ) -> tuple[bytes | None, dict[str, str]]:
        return again(
            lambda: self._once(client, headers, parameters),
            self._access,
            retries=self._connector.retries,
            deadline=self._deadline,
        )

    def _once(
        self, client: httpx.Client, headers: dict[str, str], parameters: Mapping[str, str]
    ) -> tuple[bytes | None, dict[str, str]]:
        try:
            url = httpx.URL(self._access.url).copy_merge_params(dict(parameters))
            with client.stream("GET", url, headers=headers) as response:
                kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
                if response.status_code == 304:
                    return None, kept
                _judge_status(response)
                body = self._body(response)
        except httpx.TimeoutException as error:
            raise Transient(
                "timeout", f"{type(error).__name__} after {self._connector.timeout_seconds:g} s"
            ) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise FetchProblem("connect_error", type(error).__name__) from None
        except httpx.RemoteProtocolError as error:
            raise Transient("truncated", f"the connection ended before the answer did: {error}") from None
        except httpx.TransportError as error:
            raise _connect_problem(error) from None
        except httpx.DecodingError:
            raise Transient("truncated", "the compressed answer is damaged") from None
        _judge_body(body, kept.get("content-type", ""))
        return body, kept

    def _body(self, response: httpx.Response) -> bytes:
        chunks = []
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            if time.monotonic() > self._deadline:
                raise FetchProblem("timeout", f"no end after {self._connector.total_seconds:g} s")
        promised = response.headers.get("content-length")
        if promised is not None and promised.isdecimal() and response.num_bytes_downloaded != int(promised):
            raise Transient("truncated", f"{response.num_bytes_downloaded} of {promised} bytes")
        return b"".join(chunks)

    def _paged_or_all(
        self, client: httpx.Client, headers: dict[str, str], parameters: Mapping[str, str], paging: Paging
    ) -> Delivery:
        """A source that has nothing since the cursor, which looks back at what it had, went back behind it."""
        pages, received = self._paged(client, headers, parameters, paging)
        if not parameters or pages.items:
            return self._delivery(pages.merged(), received, note=pages.note)
        pages, received = self._paged(client, headers, {}, paging)
        return self._delivery(pages.merged(), received, note="cursor_went_back")

    def _paged(
        self, client: httpx.Client, headers: dict[str, str], parameters: Mapping[str, str], paging: Paging
    ) -> tuple[_Pages, dict[str, str]]:
        """All pages, read once more when a row stands on two of them.

        The source may say a row twice. Or it slid there while the pages were read, and then another row slid out of
        sight, which the total does not tell: a second reading does.
        """
        pages, received = self._read(client, headers, parameters, paging)
        if pages.repeat is None:
            return pages, received
        again, received = self._read(client, headers, parameters, paging)
        if again.repeat is not None and again.items != pages.items:
            raise FetchProblem(
                "inconsistent_pages",
                f"page {again.repeat} repeats a row of an earlier page, and another reading gave other rows:"
                " ask the source to sort its pages by a key",
            )
        return again, received

    def _read(
        self, client: httpx.Client, headers: dict[str, str], parameters: Mapping[str, str], paging: Paging
    ) -> tuple[_Pages, dict[str, str]]:
        pages = _Pages(paging)
        number: int | None = paging.first
        received: dict[str, str] = {}
        while number is not None:
            asked = {**parameters, paging.parameter: str(number)}
            if paging.size_parameter and paging.size:
                asked[paging.size_parameter] = str(paging.size)
            body, answered = self._with_retries(client, headers, asked)
            received = received or answered
            number = pages.add(number, body or b"")
        return pages, received


class _Pages:
    """Pages of one answer, which must fit together."""

    def __init__(self, paging: Paging) -> None:
        self.items: list[Any] = []
        self.repeat: int | None = None  # the first page that has a row of an earlier one
        self._paging = paging
        self._rows: set[int] = set()
        self._bodies: set[str] = set()
        self._first: dict[str, Any] | None = None
        self._total: Any = None
        self._count = 0

    @property
    def note(self) -> str | None:
        """The ledger's word for what is remarkable."""
        return None if self.repeat is None else "row_on_two_pages"

    def add(self, number: int, body: bytes) -> int | None:
        """Take one page and say which comes next.

        Raises:
            FetchProblem: inconsistent_pages, or truncated for a page that is no JSON.
        """
        content = _json(body)
        items = pointed(content, self._paging.items)
        if not isinstance(content, dict) or not isinstance(items, list):
            raise FetchProblem("inconsistent_pages", f"page {number} has no list at {self._paging.items}")
        fingerprint = json.dumps(items, sort_keys=True)
        if items and fingerprint in self._bodies:
            raise FetchProblem("inconsistent_pages", f"page {number} repeats an earlier page")
        self._bodies.add(fingerprint)
        total = pointed(content, self._paging.total) if self._paging.total else None
        if self._first is None:
            self._first, self._total = content, total
        elif total != self._total:
            raise FetchProblem(
                "inconsistent_pages", f"the total changed from {self._total} to {total} between pages"
            )
        self._compare(number, items)
        self.items += items
        self._count += 1
        return self._next(number, content, items)

    def _compare(self, number: int, items: list[Any]) -> None:
        rows = {hash(json.dumps(item, sort_keys=True)) for item in items}
        if self.repeat is None and not rows.isdisjoint(self._rows):
            self.repeat = number
        self._rows |= rows

    def _next(self, number: int, content: Any, items: list[Any]) -> int | None:
        following: int | None
        if self._paging.next:
            found = pointed(content, self._paging.next)
            if found is None:
                return None
            if not re.fullmatch(r"\d{1,9}", str(found)):
                raise FetchProblem("inconsistent_pages", f"{self._paging.next} is no page number")
            following = int(str(found))
        else:
            following = number + 1 if items and len(items) == self._paging.size else None
        if following is not None and following <= number:
            raise FetchProblem("inconsistent_pages", f"page {following} is said to follow page {number}")
        if following is not None and self._count >= self._paging.most_pages:
            raise FetchProblem("inconsistent_pages", f"more than {self._paging.most_pages} pages")
        return following

    def merged(self) -> bytes:
        """One payload: the first page's envelope with the items of all pages.

        Raises:
            FetchProblem: truncated, when the items are not as many as the source says.
        """
        if self._total is not None and str(self._total) != str(len(self.items)):
            raise FetchProblem("truncated", f"the source says {self._total} items, {len(self.items)} came")
        envelope = dict(self._first or {})
        steps = self._paging.items.split("/")[1:]
        holder = envelope
        for step in steps[:-1]:
            holder[step] = dict(holder[step])
            holder = holder[step]
        holder[steps[-1]] = self.items
        if self._paging.next and self._paging.next.count("/") == 1:
            envelope.pop(self._paging.next[1:], None)
        # Half a character has no UTF-8; written as JSON's escape, the reader judges it as it would in a file.
        return json.dumps(envelope, ensure_ascii=False).encode(errors="backslashreplace")


def _json(body: bytes) -> Any:
    """A page, with its numbers as the texts that were received: 1.50 must not become 1.5 on the way."""
    try:
        return parse(body)
    except FormatProblem as problem:
        raise FetchProblem(
            "truncated" if problem.reason == "truncated" else "inconsistent_pages",
            f"a page can't be read: {problem}",
        ) from None


def _judge_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in (401, 403):
        raise FetchProblem("unauthorised", f"status {status}: renew the token or ask for access")
    detail = f"status {status} {response.reason_phrase}".strip()
    if status == 429 or status >= 500:
        raise Transient(f"http_{status}", detail, _retry_after(response))
    raise FetchProblem(f"http_{status}", detail)


def _retry_after(response: httpx.Response) -> float:
    text = str(response.headers.get("retry-after", "")).strip()
    if text.isdecimal():
        return float(text)
    try:
        seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        return max(0.0, seconds)
    except (ValueError, TypeError):
        return 0.0


def _judge_body(body: bytes, media: str) -> None:
    if not body.strip():
        raise Transient("empty_body", "status 200 and nothing in it")
    if media.lower().startswith("text/html") or looks_like_html(body[:2048]):
        raise FetchProblem("html_instead_of_data", "a page for people instead of data", body)


def _connect_problem(error: httpx.TransportError) -> FetchProblem:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return FetchProblem("tls_error", f"{cause.reason or 'no secure connection'}")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ReadError | httpx.WriteError):
        return Transient("truncated", "the connection broke during the answer")
    return Transient("connect_error", type(error).__name__)
