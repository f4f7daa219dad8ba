"""How deliveries are fetched, and when."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator

from ecowarehouse.contracts.fields import Duration, SecretName, Strict

_SECRET = re.compile(r"\$\{([^}]*)\}")


class Paging(Strict):
    """How a source cuts a long answer into pages. Pointers are JSON pointers such as `/items`."""

    parameter: str
    size_parameter: str | None = None
    size: int | None = Field(default=None, ge=1)
    first: int = Field(default=1, description="number of the first page")
    items: str
    next: str | None = Field(default=None, description="pointer to the next page's number; null: none")
    total: str | None = Field(default=None, description="pointer to the number of items over all pages")
    most_pages: int = Field(default=1000, ge=1)


class CursorRule(Strict):
    """Where the next request begins: what was newest, less a look back for revised values."""

    parameter: str
    source: Literal["period"] = Field(alias="from", default="period")
    look_back: Duration = timedelta(0)


class Connector(Strict):
    """How deliveries are fetched."""

    transport: Literal["http", "files"]
    url: str = Field(description="may hold ${secret.name}; a file feed names a path or glob")
    token: SecretName | None = Field(default=None, description="name of a secret, never its value")
    timeout_seconds: float = Field(default=20, gt=0, description="for one connection, read or write")
    total_seconds: float = Field(default=300, gt=0, description="for one fetch with its retries and pages")
    retries: int = Field(default=4, ge=0, le=20)
    conditional: bool = False
    paging: Paging | None = None
    cursor: CursorRule | None = None

    @field_validator("url")
    @classmethod
    def _names_secrets_well(cls, url: str) -> str:
        for name in _SECRET.findall(url):
            if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", name):
                raise ValueError(f"${{{name}}} is no name of a secret: lower-case words joined by dots")
        return url

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Names of all secrets that a fetch needs."""
        return tuple(_SECRET.findall(self.url)) + ((self.token,) if self.token else ())


class Schedule(Strict):
    """When to ask, when a period counts as complete, when silence becomes news."""

    minutes: list[Annotated[int, Field(ge=0, le=59)]] = Field(min_length=1)
    lateness: Duration
    freshness: Duration
