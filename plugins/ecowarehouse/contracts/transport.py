"""How deliveries are fetched, and when: one class a transport, told apart by `transport`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from ecowarehouse.contracts.fields import ColumnName, Duration, SecretName, Strict, valid_zone

_SECRET = re.compile(r"\$\{([^}]*)\}")
_PARAMETER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*")


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


class SqlCursorRule(Strict):
    """Where the next query begins: the query asks for what is not before `:<parameter>`.

    The value is local time, by `timezone`. What is asked again within `look_back` shows that the source still has
    what it gave before: so `look_back` may not be nothing where the cursor is the newest period.
    """

    parameter: str = "since"
    source: Literal["period", "column"] = Field(alias="from", default="period")
    column: ColumnName | None = Field(
        default=None, description="with `from: column`: when the source wrote the row, such as updated_at"
    )
    look_back: Duration = timedelta(0)
    timezone: str | None = Field(default=None, description="clock of the column; unset: the period's")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, text: str | None) -> str | None:
        return None if text is None else valid_zone(text)

    @model_validator(mode="after")
    def _consistent(self) -> SqlCursorRule:
        if (self.source == "column") != (self.column is not None):
            raise ValueError("`from: column` and `column` belong together")
        if self.source == "period" and self.look_back <= timedelta(0):
            raise ValueError("a cursor by period needs a look_back, such as PT6H: revised values come by it")
        return self


class Transport(Strict):
    """What all transports have."""

    announced: ClassVar[bool] = False  # whether one delivery is sure to come, so that its row opens before
    url: str = Field(description="may hold ${secret.name}")
    timeout_seconds: float = Field(
        default=20, gt=0, description="for one connection, read, write or statement"
    )
    total_seconds: float = Field(default=300, gt=0, description="for one fetch with its retries")
    retries: int = Field(default=4, ge=0, le=20)

    @field_validator("url", "host_key", check_fields=False)
    @classmethod
    def _names_secrets_well(cls, text: str) -> str:
        for name in _SECRET.findall(text):
            if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", name):
                raise ValueError(f"${{{name}}} is no name of a secret: lower-case words joined by dots")
        return text

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Names of all secrets that a fetch needs."""
        return tuple(_SECRET.findall(self.url))


class HttpConnector(Transport):
    """Asked over HTTP: one answer, or its pages."""

    announced: ClassVar[bool] = True
    transport: Literal["http"]
    token: SecretName | None = Field(default=None, description="name of a secret, never its value")
    conditional: bool = False
    paging: Paging | None = None
    cursor: CursorRule | None = None

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Those of the address, and the token's."""
        return (*super().secret_names, *((self.token,) if self.token else ()))


class FilesConnector(Transport):
    """Files at a path or glob that somebody else puts there and takes away."""

    transport: Literal["files"]


class SqlConnector(Transport):
    """Asked by one SELECT over a login that should be able to do nothing else.

    `url` is SQLAlchemy's; rows come as one delimited text, cells as the database writes them.
    """

    announced: ClassVar[bool] = True
    transport: Literal["sql"]
    query: str = Field(description="one SELECT with ORDER BY; named parameters such as :since")
    cursor: SqlCursorRule | None = None
    null_text: str = Field(default="", description="text that stands for NULL; a mark of no value")

    @field_validator("query")
    @classmethod
    def _only_reads(cls, text: str) -> str:
        bare = _QUOTED.sub("''", text).strip().rstrip(";").strip()
        if ";" in bare or not re.match(r"(select|with)\b", bare, re.IGNORECASE):
            raise ValueError("write one SELECT and no other statement")
        if not re.search(r"\border\s+by\b", bare, re.IGNORECASE):
            raise ValueError("end it with ORDER BY over the key: the same rows must give the same bytes")
        return text.strip().rstrip(";").strip()

    @model_validator(mode="after")
    def _parameters_are_given(self) -> SqlConnector:
        asked = set(_PARAMETER.findall(_QUOTED.sub("''", self.query)))
        given = {self.cursor.parameter} if self.cursor else set()
        if asked != given:
            named = ", ".join(f":{name}" for name in sorted(asked ^ given))
            raise ValueError(f"query and cursor must name the same parameter; only one of them has {named}")
        return self


class Watched(Transport):
    """A folder in which files come to lie; each is taken once, when its writer has finished."""

    settle_seconds: float = Field(
        default=5, ge=0, le=600, description="between two looks that must find the same size and time"
    )
    unfinished_suffixes: list[str] = Field(
        default=[".part", ".filepart", ".partial", ".tmp", ".crdownload"],
        description="names that programs give to what they are still writing",
    )
    done_suffix: str | None = Field(
        default=None, pattern=r"^\.[A-Za-z0-9.]+$", description="x.csv is finished when x.csv.done is there"
    )
    checksum_suffix: Literal[".sha256", ".md5"] | None = Field(
        default=None, description="x.csv is finished when x.csv.sha256 is there and agrees"
    )
    most_files: int = Field(default=100, ge=1, description="a run; the rest waits for the next one")
    stuck_after: Duration = Field(
        default=timedelta(days=1), description="a file that is unfinished for longer is a failure"
    )


class SftpConnector(Watched):
    """Files of an SFTP server: `sftp://host:port/folder/*.csv`."""

    transport: Literal["sftp"]
    user: SecretName = Field(description="name of a secret, never its value")
    password: SecretName | None = Field(default=None, description="name of a secret, never its value")
    key: SecretName | None = Field(default=None, description="name of a secret with the private key, as text")
    host_key: str = Field(description="the server's key: SHA256:… or a public key; may be ${secret.name}")

    @model_validator(mode="after")
    def _has_a_login(self) -> SftpConnector:
        if not (self.password or self.key):
            raise ValueError("name the secret of a password or of a key")
        return self

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Those of the address, the login and the server's key."""
        login = tuple(name for name in (self.user, self.password, self.key) if name)
        return (*super().secret_names, *login, *_SECRET.findall(self.host_key))


class DropConnector(Watched):
    """A folder of this machine where a department puts files, and where uploads arrive."""

    transport: Literal["drop"]
    url: str = Field(
        default="", description="the folder; unset: ECO_HOME/drop/<feed>; may hold ${secret.name}"
    )
    pattern: str = Field(default="*", description="names of the files to take")
    put_away: bool = Field(
        default=True,
        description="landed files are moved to `taken/`; false: they stay, for a folder of which several feeds read",
    )


Connector = Annotated[
    HttpConnector | FilesConnector | SqlConnector | SftpConnector | DropConnector,
    Field(discriminator="transport"),
]


class Schedule(Strict):
    """When to ask, when a period counts as complete, when silence becomes news."""

    minutes: list[Annotated[int, Field(ge=0, le=59)]] = Field(min_length=1)
    lateness: Duration
    freshness: Duration
