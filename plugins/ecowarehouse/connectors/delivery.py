"""One delivery: bytes and what came with them, or the reason why none came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ecowarehouse.connectors.problems import FetchProblem


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one attempt brought. `source` holds no secret; header names are lower-cased.

    `part` names one of several pulls that one content holds, by the text that says when it was known. `note` is a word
    of the ledger for what was remarkable about a delivery that is usable.
    """

    source: str
    payload: bytes | Path = b""
    media: str = ""
    form: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    received_at: datetime = field(default_factory=_now)
    unchanged: bool = False
    synthetic: bool = False
    problem: FetchProblem | None = None
    part: str = ""
    note: str | None = None

    @property
    def etag(self) -> str | None:
        """The validator to send next time."""
        return self.headers.get("etag")

    @property
    def last_modified(self) -> str | None:
        """The header as received."""
        return self.headers.get("last-modified")

    @property
    def file_name(self) -> str:
        """The last part of the source."""
        return self.source.partition("?")[0].rpartition("/")[2]
