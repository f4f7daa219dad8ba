"""Databases: one SELECT in a read-only transaction, streamed into delimited text, with a cursor that is watched.

Cells are written as the database means them: a numeric keeps its digits, times are ISO 8601, NULL is `null_text`
without quotes and an empty text has them. The same rows in the same order give the same bytes.
"""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from datetime import time as clock_time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TextIO
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ecowarehouse.connectors.access import Access
from ecowarehouse.connectors.cursor import Cursor
from ecowarehouse.connectors.delivery import Delivery
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.connectors.retrying import Transient, again
from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.fields import OFFSET
from ecowarehouse.contracts.transport import SqlConnector, SqlCursorRule

_ROWS: Final = 2000  # fetched at once: what of an answer is in memory

# How each database is told to write nothing and to give up. One that is not here is held by its login's rights alone.
_OPENING: Final[Mapping[str, Sequence[str]]] = {
    "postgresql": (
        "set transaction isolation level repeatable read, read only",
        "set local statement_timeout = {milliseconds}",
        "set local timezone = '{zone}'",
        "set local datestyle = 'ISO, YMD'",
    ),
    "mysql": ("set session max_execution_time = {milliseconds}", "start transaction read only"),
    "mariadb": ("set session max_statement_time = {seconds}", "start transaction read only"),
    "oracle": ("set transaction read only",),
    "sqlite": ("pragma query_only = on",),
}
_DENIED = re.compile(
    r"authentication failed|access denied|login failed|permission denied|no password supplied|ORA-010(17|31)"
    r"|role \S+ does not exist|not permitted to log in",
    re.IGNORECASE,
)
_TOO_SLOW = re.compile(
    r"statement timeout|execution time exceeded|timeout expired|max_statement_time", re.IGNORECASE
)
_CHANGED = re.compile(
    r"(column|relation|table|schema) .*does not exist|no such (column|table)|unknown column|doesn't exist"
    r"|ORA-00(904|942)|invalid (column|object) name",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The rows as bytes, how many, and the newest value of the cursor's column."""

    payload: Path
    rows: int
    newest: datetime | None


def fetch(
    contract: Contract, connector: SqlConnector, access: Access, cursor: Cursor | None
) -> Iterator[Delivery]:
    """One delivery. Its payload is a file that is there until the next one is asked for."""
    with tempfile.TemporaryDirectory(prefix="eco-sql-") as folder:
        query = _Query(contract, connector, access, Path(folder))
        try:
            yield query.fetch(cursor)
        except FetchProblem as problem:
            plain = FetchProblem(problem.reason, access.clean(problem.detail))
            yield Delivery(source=access.source, problem=plain, synthetic=contract.synthetic)


def ask(contract: Contract, connector: SqlConnector, access: Access) -> list[str]:
    """The columns that the query gives today, asked without a row.

    Raises:
        FetchProblem: as a fetch would.
    """
    with tempfile.TemporaryDirectory(prefix="eco-sql-") as folder:
        return _Query(contract, connector, access, Path(folder)).columns()


class _Query:
    """One fetch with its retries, within `total_seconds`."""

    def __init__(self, contract: Contract, connector: SqlConnector, access: Access, folder: Path) -> None:
        self._contract = contract
        self._connector = connector
        self._access = access
        self._folder = folder
        self._deadline = time.monotonic() + connector.total_seconds

    def fetch(self, cursor: Cursor | None) -> Delivery:
        """The delivery; a source that went back behind the cursor is asked for all it has.

        Raises:
            FetchProblem: any reason.
        """
        rule = self._connector.cursor
        reached = _reached(rule, cursor) if rule else None
        answer = self._with_retries(reached)
        note = None
        if rule is not None and reached is not None and _went_back(rule, answer, reached):
            note = "cursor_went_back"
            answer = self._with_retries(None)
        if rule is not None and answer.newest is not None:
            # A stamp ahead of our clock would hide what is written until then.
            newest = min(answer.newest, datetime.now(UTC))
            headers = {"etag": newest.astimezone(UTC).isoformat()}
        else:
            headers = {}
        return Delivery(
            self._access.source, answer.payload, "text/csv", "csv", headers,
            synthetic=self._contract.synthetic, note=note,
        )  # fmt: skip

    def columns(self) -> list[str]:
        """The names that the query gives; no row of it is fetched.

        Raises:
            FetchProblem: any reason.
        """

        def once() -> list[str]:
            with self._connection() as connection:
                given = self._parameters(datetime.now(UTC))
                return list(connection.execute(sa.text(self._connector.query), given).keys())

        return again(once, self._access, retries=0, deadline=self._deadline)

    def _with_retries(self, reached: datetime | None) -> _Answer:
        return again(
            lambda: self._once(reached),
            self._access,
            retries=self._connector.retries,
            deadline=self._deadline,
        )

    def _once(self, reached: datetime | None) -> _Answer:
        path = self._folder / "answer.csv"
        with self._connection() as connection:
            statement = sa.text(self._connector.query)
            result = connection.execution_options(stream_results=True, max_row_buffer=_ROWS).execute(
                statement, self._parameters(reached)
            )
            try:
                with path.open("w", encoding="utf-8", newline="") as target:
                    rows, newest = self._write(result, target)
            finally:
                with suppress(SQLAlchemyError):  # what broke it is told already
                    result.close()
        return _Answer(path, rows, newest)

    def _write(self, result: sa.CursorResult[Any], target: TextIO) -> tuple[int, datetime | None]:
        names = list(result.keys())
        target.write(",".join(map(_quoted, names)) + "\n")
        watched = self._watched(names)
        rows, newest = 0, None
        for part in result.partitions(_ROWS):
            if time.monotonic() > self._deadline:
                raise FetchProblem("timeout", f"no end after {self._connector.total_seconds:g} s")
            for row in part:
                target.write(",".join(_cell(value, self._connector.null_text) for value in row) + "\n")
                if watched is not None and (moment := self._moment(row[watched])) is not None:
                    newest = moment if newest is None else max(newest, moment)
            rows += len(part)
        return rows, newest

    def _watched(self, names: list[str]) -> int | None:
        rule = self._connector.cursor
        if rule is None or rule.column is None:
            return None
        if rule.column not in names:
            raise FetchProblem("header_changed", f"the cursor's column {rule.column} is not in the answer")
        return names.index(rule.column)

    def _moment(self, value: object) -> datetime | None:
        if isinstance(value, str):
            with suppress(ValueError):
                value = datetime.fromisoformat(value)
        if not isinstance(value, datetime):
            return None
        return value if value.tzinfo else value.replace(tzinfo=_clock(self._zone))

    @property
    def _zone(self) -> str:
        rule = self._connector.cursor
        zone = self._contract.zone
        return (rule.timezone if rule else None) or (zone.key if zone else "UTC")

    def _parameters(self, reached: datetime | None) -> dict[str, datetime]:
        rule = self._connector.cursor
        if rule is None:
            return {}
        if reached is None:
            first = self._contract.earliest
            return {rule.parameter: datetime(first.year, first.month, first.day)}  # noqa: DTZ001 (local, as said)
        local = (reached - rule.look_back).astimezone(_clock(self._zone))
        return {rule.parameter: local.replace(tzinfo=None)}

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        """A read-only transaction; whatever fails in it becomes a problem, and nothing waits past the deadline."""
        try:
            url = sa.make_url(self._access.url)
            url = url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
            engine = sa.create_engine(
                url,
                poolclass=sa.NullPool,
                connect_args=_connect_arguments(url, self._connector.timeout_seconds),
            )
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise FetchProblem(
                "connect_error", f"no address of a database that is known here: {error}"
            ) from None
        opened = False
        with _Watchdog(self._deadline) as watchdog:
            try:
                with engine.connect() as connection:
                    watchdog.watch(connection)
                    opened = True
                    for statement in self._opening(engine.dialect.name):
                        connection.exec_driver_sql(statement)
                    yield connection
                    connection.rollback()
            except SQLAlchemyError as error:
                if watchdog.fired:
                    raise FetchProblem(
                        "timeout", f"no end after {self._connector.total_seconds:g} s"
                    ) from None
                raise self._problem(error, opened) from None
            finally:
                engine.dispose()

    def _opening(self, dialect: str) -> Iterator[str]:
        seconds = self._connector.timeout_seconds
        zone = self._contract.zone.key if self._contract.zone else "UTC"
        for statement in _OPENING.get(dialect, ()):
            yield statement.format(milliseconds=round(seconds * 1000), seconds=seconds, zone=zone)

    def _problem(self, error: SQLAlchemyError, opened: bool) -> FetchProblem:
        cause = error.orig if isinstance(error, DBAPIError) else error
        text = " ".join(str(cause).split())[:400] or type(cause).__name__
        state = str(getattr(cause, "sqlstate", None) or "")
        if state[:2] == "28" or state == "42501" or _DENIED.search(text):
            return FetchProblem("unauthorised", f"{text}: renew the login or ask for its rights")
        if state in ("42703", "42P01", "3F000") or _CHANGED.search(text):
            return FetchProblem(
                "header_changed", f"{text}: what the query asks for is gone; mend the query, version up"
            )
        if state == "57014" or _TOO_SLOW.search(text) or isinstance(error, PoolTimeout):
            return FetchProblem("timeout", f"{text} ({self._connector.timeout_seconds:g} s)")
        if not opened:
            return Transient("connect_error", text)
        broken = isinstance(error, DBAPIError) and error.connection_invalidated
        if broken or state[:2] in ("57", "08") or "connection" in text.lower():
            return Transient("truncated", f"the connection ended before the answer did: {text}")
        return FetchProblem("query_failed", text)


class _Watchdog:
    """Ends a connection whose server says nothing any more: no timeout of the server's own does."""

    def __init__(self, deadline: float) -> None:
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()) + 0.5, self._fire)
        self._timer.daemon = True
        self._descriptor: int | None = None
        self._lock = threading.Lock()
        self.fired = False

    def __enter__(self) -> _Watchdog:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._descriptor = None

    def watch(self, connection: sa.Connection) -> None:
        """From now on; a driver that does not show its socket goes unwatched."""
        driver = connection.connection.driver_connection
        with self._lock, suppress(Exception):
            self._descriptor = driver.fileno()  # type: ignore[union-attr]

    def _fire(self) -> None:
        with self._lock, suppress(OSError):
            if self._descriptor is None:
                return
            self.fired = True
            with socket.socket(fileno=os.dup(self._descriptor)) as connection:
                connection.shutdown(socket.SHUT_RDWR)


def _connect_arguments(url: sa.URL, seconds: float) -> dict[str, Any]:
    if url.drivername == "postgresql+psycopg":
        # Two is the least that libpq takes.
        return {"connect_timeout": max(2, round(seconds)), "tcp_user_timeout": round(seconds * 1000)}
    return {}


def _reached(rule: SqlCursorRule, cursor: Cursor | None) -> datetime | None:
    """What the ledger says that we have: the newest period, or the newest value of the column."""
    if cursor is None:
        return None
    if rule.source == "period":
        return cursor.period_to
    with suppress(ValueError, TypeError):
        return datetime.fromisoformat(cursor.validators.etag or "")
    return None


def _went_back(rule: SqlCursorRule, answer: _Answer, reached: datetime) -> bool:
    """Whether the source lacks what it had: the row that set the cursor comes again, unless it is gone."""
    if rule.source == "column":
        return answer.newest is None or answer.newest < reached
    return answer.rows == 0


def _cell(value: object, null_text: str) -> str:
    if value is None:
        return null_text
    return _quoted(_text(value)) or '""'


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date | clock_time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)


def _quoted(text: str) -> str:
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if re.search('[",\r\n]', text) else text


def _clock(zone: str) -> tzinfo | None:
    if OFFSET.fullmatch(zone):
        return datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo
    return ZoneInfo(zone)
