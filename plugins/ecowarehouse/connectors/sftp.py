"""SFTP: finished files of one folder, each a delivery; the server's key is pinned."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import asyncssh

from ecowarehouse.connectors import finished
from ecowarehouse.connectors.access import Access, filled
from ecowarehouse.connectors.cursor import Cursor
from ecowarehouse.connectors.delivery import Delivery
from ecowarehouse.connectors.finished import Choice, Found
from ecowarehouse.connectors.problems import FetchProblem
from ecowarehouse.connectors.retrying import Transient, again
from ecowarehouse.contracts import Contract
from ecowarehouse.contracts.transport import SftpConnector
from ecowarehouse.formats.sniff import looks_like_html

_MOST_CHECKSUM_BYTES = 4096
Result = TypeVar("Result")

# It tells users and addresses at INFO; our own lines say what happened without.
logging.getLogger("asyncssh").setLevel(logging.WARNING)


def fetch(
    contract: Contract, connector: SftpConnector, access: Access, cursor: Cursor | None
) -> Iterator[Delivery]:
    """A delivery for each finished file that was not taken yet, by name.

    Nothing new is a delivery that is `unchanged`; payloads are files that are there while the iteration lasts.
    """
    with tempfile.TemporaryDirectory(prefix="eco-sftp-") as folder:
        session = _Session(contract, connector, access, cursor or Cursor(), Path(folder))
        deadline = time.monotonic() + connector.total_seconds
        try:
            again(session.run, access, retries=connector.retries, deadline=deadline)
        except FetchProblem as problem:
            session.lost(access.source, problem)
        yield from session.deliveries


def ask(contract: Contract, connector: SftpConnector, access: Access) -> Choice:
    """What would be taken now.

    Raises:
        FetchProblem: as a fetch would.
    """
    session = _Session(contract, connector, access, Cursor(), Path())
    return session.look_only()


class _PinnedKey(asyncssh.SSHClient):
    """Trusts the key of the contract and no other, and remembers which one was shown."""

    def __init__(self, pinned: str) -> None:
        self._pinned = pinned
        self.shown = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """Whether it is the pinned one."""
        self.shown = key.get_fingerprint()
        return self.shown == self._pinned


@dataclass
class _Session:
    """One visit of a server."""

    contract: Contract
    connector: SftpConnector
    access: Access
    cursor: Cursor
    folder: Path
    deliveries: list[Delivery] = field(default_factory=list)

    def run(self) -> None:
        """Collect the deliveries. Once one has come, a problem is a delivery too.

        Raises:
            FetchProblem: nothing has come.
        """
        asyncio.run(self._bounded(self._collect()))

    def look_only(self) -> Choice:
        """What would be taken now."""
        return asyncio.run(self._bounded(self._choice_alone()))

    def lost(self, source: str, problem: FetchProblem) -> None:
        """A delivery that did not come."""
        plain = FetchProblem(problem.reason, self.access.clean(problem.detail))
        self.deliveries.append(Delivery(source, problem=plain, synthetic=self.contract.synthetic))

    async def _bounded(self, work: Awaitable[Result]) -> Result:
        try:
            return await asyncio.wait_for(work, self.connector.total_seconds)
        except TimeoutError:
            raise FetchProblem("timeout", f"no end after {self.connector.total_seconds:g} s") from None
        except asyncssh.PermissionDenied as error:
            raise FetchProblem("unauthorised", f"{error.reason}: renew the login or ask for access") from None
        except asyncssh.SFTPPermissionDenied as error:
            raise FetchProblem("unauthorised", f"{error.reason}: ask for rights on the folder") from None
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
            raise FetchProblem("not_found", f"the folder is not there: {error.reason}") from None
        except (asyncssh.Error, OSError) as error:
            raise Transient("connect_error", _words(error)) from None

    async def _choice_alone(self) -> Choice:
        connection = await self._connect()
        try:
            return await self._choose(await connection.start_sftp_client())
        finally:
            connection.close()
            await connection.wait_closed()

    async def _collect(self) -> None:
        connection = await self._connect()
        async with connection:
            client = await connection.start_sftp_client()
            choice = await self._choose(client)
            finished.tell_passed(self.contract.feed, choice)
            for name, why in choice.stuck.items():
                self.lost(self._source(name), FetchProblem("unfinished", why))
            for number, file in enumerate(choice.ready):
                await self._take(client, number, file)
        if not self.deliveries:
            problem = finished.nothing_new(
                choice, finished.anything_before(self.cursor.seen), self.access.source
            )
            if problem is not None:
                raise problem
            self.deliveries.append(
                Delivery(self.access.source, unchanged=True, synthetic=self.contract.synthetic)
            )

    async def _connect(self) -> asyncssh.SSHClientConnection:
        parts = urlsplit(self.access.url)
        if parts.scheme != "sftp" or not parts.hostname:
            raise FetchProblem("connect_error", "the address is not sftp://host/folder/*.csv")
        guard = _PinnedKey(_fingerprint(filled(self.connector.host_key, self.access.values).strip()))
        try:
            return await asyncssh.connect(
                parts.hostname,
                parts.port or 22,
                client_factory=lambda: guard,
                known_hosts=([], [], []),
                username=self.access.value(self.connector.user) or "",
                password=self.access.value(self.connector.password),
                client_keys=self._keys(),
                agent_path=None,
                config=None,
                connect_timeout=self.connector.timeout_seconds,
                login_timeout=self.connector.timeout_seconds,
                keepalive_interval=self.connector.timeout_seconds,
            )
        except asyncssh.HostKeyNotVerifiable:
            raise FetchProblem(
                "host_key_unknown",
                f"the server shows {guard.shown}, which is not the pinned key: ask the department by another way"
                f" whether it is theirs; if so, write connector.host_key: {guard.shown}",
            ) from None
        except TimeoutError:
            raise Transient("timeout", f"no login after {self.connector.timeout_seconds:g} s") from None

    def _keys(self) -> list[asyncssh.SSHKey] | None:
        text = self.access.value(self.connector.key)
        if text is None:
            return None
        try:
            return [asyncssh.import_private_key(text)]
        except asyncssh.KeyImportError:
            name = self.connector.key
            raise FetchProblem("unauthorised", f"secret {name}: no private key that can be read") from None

    async def _choose(self, client: asyncssh.SFTPClient) -> Choice:
        first = await self._look(client)
        await asyncio.sleep(self.connector.settle_seconds)
        second = await self._look(client)
        pattern = self._place[1] or "*"
        return finished.choose(self.connector, pattern, (first, second), self.cursor.seen, self._source)

    async def _look(self, client: asyncssh.SFTPClient) -> dict[str, Found]:
        found = []
        # Asked by bytes, names come as bytes: one that is not UTF-8 must not end the visit.
        async for entry in client.scandir(self._place[0].encode()):
            name, attributes = os.fsencode(entry.filename), entry.attrs
            if attributes.type == asyncssh.FILEXFER_TYPE_REGULAR and b"/" not in name:
                found.append((name, attributes.size or 0, float(attributes.mtime or 0)))
        return finished.listed(found)

    async def _take(self, client: asyncssh.SFTPClient, number: int, file: Found) -> None:
        source, target = self._source(file.name), self.folder / str(number)
        remote = self._place[0].encode() + b"/" + file.raw
        try:
            await client.get(remote, target)
            checksum = await self._checksum(client, remote)
            finished.compare(target, file.size, checksum, (self.connector.checksum_suffix or ".sha256")[1:])
            now = await client.stat(remote)
            if (now.size, float(now.mtime or 0)) != (file.size, file.modified):
                raise FetchProblem("unfinished", "it changed while it was copied")
        except FetchProblem as problem:
            self.lost(source, problem)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            self.lost(source, FetchProblem("not_found", "it was taken away while it was copied"))
        except asyncssh.SFTPPermissionDenied:
            self.lost(source, FetchProblem("unauthorised", "ask for rights on the file"))
        except (asyncssh.Error, OSError) as error:
            self.lost(source, FetchProblem("truncated", f"the connection broke during it: {_words(error)}"))
        else:
            self.deliveries.append(self._delivery(source, target, file))

    async def _checksum(self, client: asyncssh.SFTPClient, remote: bytes) -> str | None:
        if self.connector.checksum_suffix is None:
            return None
        async with client.open(remote + self.connector.checksum_suffix.encode(), "rb") as companion:
            said = await companion.read(_MOST_CHECKSUM_BYTES)
        return said if isinstance(said, str) else said.decode("ascii", "replace")

    def _delivery(self, source: str, target: Path, file: Found) -> Delivery:
        with target.open("rb") as stream:
            head = stream.read(2048)
        problem = None
        if not head:
            problem = FetchProblem("empty_body", "the file is empty")
        elif looks_like_html(head):
            problem = FetchProblem("html_instead_of_data", "the file is an HTML page")
        form = self.contract.form_of(source, head=head)
        return Delivery(
            source, target, form=form, headers={"etag": file.mark},
            synthetic=self.contract.synthetic, problem=problem,
        )  # fmt: skip

    @property
    def _place(self) -> tuple[str, str]:
        folder, _, pattern = unquote(urlsplit(self.access.url).path).rpartition("/")
        return folder or "/", pattern

    def _source(self, name: str) -> str:
        return f"{self.access.source.rpartition('/')[0]}/{name}"


def _fingerprint(pinned: str) -> str:
    if pinned.startswith("SHA256:"):
        return pinned
    try:
        return asyncssh.import_public_key(pinned).get_fingerprint()
    except asyncssh.KeyImportError:
        raise FetchProblem(
            "host_key_unknown", "host_key is neither a SHA256:… fingerprint nor a public key"
        ) from None


def _words(error: Exception) -> str:
    return str(getattr(error, "reason", "") or getattr(error, "strerror", "") or type(error).__name__)
