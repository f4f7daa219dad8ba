"""Receipts: what was received from whom, written down before it is promised.

    ECO_HOME/drop/<feed>/uploaded/<receipt>/<name>      the bytes, until they have landed
    ECO_HOME/receipts/<department>/<receipt>.json       the receipt

Both are on the disk, folders too, before a receipt is given. What became of the content is the ledger's to say.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ecowarehouse.connectors import drop_folder
from ecowarehouse.connectors.drop import UPLOADED
from ecowarehouse.contracts import Contract
from ecowarehouse.formats.sniff import looks_like_html
from ecowarehouse.settings import Settings

_HEAD: Final = 2048
_PROGRAMS: Final = (b"\x7fELF", b"MZ", b"#!")
_RECEIPT: Final = re.compile(r"[0-9a-f]{32}")
_DEPARTMENT: Final = re.compile(r"[a-z][a-z0-9_]*")


class UploadRefused(ValueError):
    """An upload that is refused at the door; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Receipt:
    """One received file. `received_at` is ISO 8601 UTC."""

    receipt: str
    department: str
    feed: str
    name: str
    sha256: str
    bytes: int
    received_at: str

    @property
    def source(self) -> str:
        """How the ledger calls it."""
        return f"upload:{self.receipt}/{self.name}"


async def receive(
    settings: Settings, contract: Contract, given_name: str, chunks: AsyncIterator[bytes], *, limit: int
) -> Receipt:
    """Keep a stream of bytes durably and give its receipt; nothing stays of what is refused.

    Raises:
        UploadRefused: too long (413), empty (400), or no form of the feed (415).
    """
    name = safe_name(given_name)
    _expect_form(contract, name)
    number = secrets.token_hex(16)
    folder = drop_folder(contract, settings=settings) / UPLOADED
    # A name with a dot in front is not looked at by the connector.
    incoming = folder / f".{number}"
    incoming.mkdir(parents=True)
    try:
        sha256, size = await _write(incoming / name, chunks, limit)
        receipt = Receipt(
            number, contract.department, contract.feed, name, sha256, size, datetime.now(UTC).isoformat()
        )
        _keep(settings, receipt)
        incoming.rename(folder / number)
        _sync(folder)
    except BaseException:
        shutil.rmtree(incoming, ignore_errors=True)
        _path(settings, contract.department, number).unlink(missing_ok=True)
        raise
    return receipt


def find(settings: Settings, department: str, number: str) -> Receipt | None:
    """A receipt of this department; None for what is another's or nobody's."""
    if not (_RECEIPT.fullmatch(number) and _DEPARTMENT.fullmatch(department)):
        return None
    try:
        return Receipt(**json.loads(_path(settings, department, number).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def newest(settings: Settings, department: str, most: int = 50) -> list[Receipt]:
    """The newest receipts of a department."""
    folder = settings.receipts / department
    numbers = [path.stem for path in folder.glob("*.json")] if _DEPARTMENT.fullmatch(department) else []
    found = [receipt for number in numbers if (receipt := find(settings, department, number))]
    return sorted(found, key=lambda receipt: receipt.received_at, reverse=True)[:most]


def safe_name(given: str) -> str:
    """The file's own name without folders and without anything that a path, a header or a page could take amiss."""
    name = re.sub(r"[^\w.()+=,@ -]", "_", given.replace("\\", "/").rpartition("/")[2]).strip(". ")
    if not name:
        raise UploadRefused(400, "文件没有名称 · the file has no name")
    stem, dot, suffix = name.rpartition(".")
    return f"{(stem or suffix)[:60]}{dot}{suffix[:20]}" if stem else name[:60]


def _expect_form(contract: Contract, name: str) -> None:
    suffixes = [suffix for form in contract.forms.by_name.values() for suffix in form.suffixes]
    if suffixes and not name.lower().endswith((*suffixes, *(f"{suffix}.gz" for suffix in suffixes))):
        raise UploadRefused(415, f"文件类型不符，应为 · expected a file named *{' *'.join(suffixes)}")


async def _write(path: Path, chunks: AsyncIterator[bytes], limit: int) -> tuple[str, int]:
    digest, size, head = hashlib.sha256(), 0, b""
    with path.open("xb") as target:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise UploadRefused(413, f"文件过大 · longer than {limit:,} bytes")
            if len(head) < _HEAD:
                head += chunk[:_HEAD]
            digest.update(chunk)
            target.write(chunk)
        _judge(head)
        target.flush()
        os.fsync(target.fileno())
    _sync(path.parent)
    return digest.hexdigest(), size


def _judge(head: bytes) -> None:
    if not head.strip():
        raise UploadRefused(400, "文件为空 · the file is empty")
    if head.startswith(_PROGRAMS) or looks_like_html(head):
        raise UploadRefused(415, "不是数据文件 · a program or a page instead of data")


def _keep(settings: Settings, receipt: Receipt) -> None:
    path = _path(settings, receipt.department, receipt.receipt)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    with temporary.open("x", encoding="utf-8") as target:
        json.dump(asdict(receipt), target, ensure_ascii=False)
        target.flush()
        os.fsync(target.fileno())
    temporary.rename(path)
    _sync(path.parent)


def _path(settings: Settings, department: str, number: str) -> Path:
    return settings.receipts / department / f"{number}.json"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
