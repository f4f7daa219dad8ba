"""The shape of a contract. Descriptions of fields become the schema that editors show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

FormName = Literal["csv", "xml", "json"]
TIME_DIRECTIVES = "YmdHMS"
CODE_JOINT = ":"  # between the texts that together are a site's code

_SECRET = re.compile(r"\$\{([^}]*)\}")
_DAY = timedelta(days=1)
_PLAIN = r"[0-9]{1,30}(\.[0-9]{0,30})?"
_OFFSET = re.compile(r"[+-]\d{2}:\d{2}")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no valid regular expression ({error})") from None
    return text


def _zone(text: str) -> str:
    if not _OFFSET.fullmatch(text) and text not in available_timezones():
        raise ValueError("no time zone; write a name such as Asia/Shanghai or an offset such as +08:00")
    return text


def _time_format(text: str) -> str:
    if text == "iso8601":
        return text
    directives = re.findall(r"%(.)", text)
    unknown = sorted(set(directives) - set(TIME_DIRECTIVES))
    if unknown or "Y" not in directives:
        raise ValueError("write iso8601, or a format of %Y %m %d %H %M %S with at least %Y")
    return text


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be a duration longer than nothing, such as PT1H")
    return value


Pattern = Annotated[str, Field(json_schema_extra={"format": "regex"})]
Duration = timedelta
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,58}$")]
SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]


class Strict(BaseModel):
    """Nothing unknown, nothing converted, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Title(Strict):
    """A name in both languages of the house."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


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


class FromOption(Strict):
    """The person who loads says so: `--known-at`."""

    source: Literal["option"] = Field(alias="from")


class FromHeader(Strict):
    """A header of the answer, an HTTP date."""

    source: Literal["header"] = Field(alias="from")
    header: str


class FromFileName(Strict):
    """A stamp in the file's name: the groups of the pattern, joined, are read with the format."""

    source: Literal["file_name"] = Field(alias="from")
    pattern: Pattern
    format: str
    timezone: str

    @field_validator("pattern")
    @classmethod
    def _has_groups(cls, text: str) -> str:
        if re.compile(_pattern(text)).groups < 1:
            raise ValueError("needs at least one group around the stamp")
        return text

    @field_validator("format")
    @classmethod
    def _known_directives(cls, text: str) -> str:
        return _time_format(text)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, text: str) -> str:
        return _zone(text)


class FromContent(Strict):
    """A field of the content's envelope."""

    source: Literal["content"] = Field(alias="from")
    pointer: str
    format: Literal["iso8601"] = "iso8601"


class FromColumn(Strict):
    """A column of the rows: a content may hold several pulls, and each becomes a delivery of its own."""

    source: Literal["column"] = Field(alias="from")
    column: ColumnName
    format: str
    timezone: str

    @field_validator("format")
    @classmethod
    def _known_directives(cls, text: str) -> str:
        return _time_format(text)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, text: str) -> str:
        return _zone(text)


class FromReceipt(Strict):
    """Nothing better: the moment of receipt."""

    source: Literal["receipt"] = Field(alias="from")


KnownAtRule = Annotated[
    FromOption | FromHeader | FromFileName | FromContent | FromColumn | FromReceipt,
    Field(discriminator="source"),
]


class SiteType(Strict):
    """A type given to sites whose name matches the pattern; the first that matches holds."""

    pattern: Pattern
    type: Literal[
        "assessment",
        "reference",
        "regional",
        "background",
        "traffic",
        "source_oriented",
        "weather_station",
        "water_section",
        "other",
    ]
    takes_part: bool

    @field_validator("pattern")
    @classmethod
    def _valid(cls, text: str) -> str:
        return _pattern(text)


class Site(Strict):
    """Columns that say which site a row belongs to, and what the source knows of it."""

    code: ColumnName | Annotated[list[ColumnName], Field(min_length=2)] = Field(
        description="the column with the source's code; where it has none, columns that together name the site"
    )
    name: ColumnName | None = None
    area: ColumnName | None = None
    longitude: ColumnName | None = None
    latitude: ColumnName | None = None
    crs: str | None = None
    types: list[SiteType] = []
    attributes: dict[ColumnName, ColumnName] = Field(
        default={}, description="what else the source says of a site: name of the attribute, column"
    )

    @property
    def code_columns(self) -> tuple[str, ...]:
        """The columns whose texts, joined by `CODE_JOINT`, are the site's code."""
        return (self.code,) if isinstance(self.code, str) else tuple(self.code)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it names."""
        described = (self.name, self.area, self.longitude, self.latitude, *self.attributes.values())
        return (*self.code_columns, *(column for column in described if column))


class Plausible(Strict):
    """Periods outside of it are refused: a logger from 2099 is a reject."""

    start: date = Field(alias="from")
    ahead: Duration = Field(default=timedelta(0), description="how far a period may end after known_at")


class Period(Strict):
    """How a row's label becomes a period."""

    column: ColumnName
    format: str = Field(description="iso8601, or a format of %Y %m %d %H %M %S")
    timezone: str
    label: Literal["start", "end"] = Field(description="end: 08:00 means 07:00 to 08:00")
    averaging: Duration
    day_boundary: str = Field(
        default="00:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="when the source's own day begins, of which it gives values by day; our marts' days begin at 00:00",
    )
    grid: Duration | None = Field(
        default=None,
        description="how far apart periods begin, counted from midnight; the averaging when not given,"
        " PT1M for samples taken at any minute",
    )
    plausible: Plausible
    empty: Literal["refused", "no_reading"] = Field(
        default="refused",
        description="a row without period: refused as damaged, or the source's way to say that there is no reading",
    )

    @field_validator("grid")
    @classmethod
    def _part_of_a_day(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and (value <= timedelta(0) or _DAY % value):
            raise ValueError("must divide a day, such as PT1H or PT1M")
        return value

    @field_validator("format")
    @classmethod
    def _known_directives(cls, text: str) -> str:
        return _time_format(text)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, text: str) -> str:
        return _zone(text)

    @field_validator("averaging")
    @classmethod
    def _longer_than_nothing(cls, value: timedelta) -> timedelta:
        return _positive(value)

    @field_validator("timezone")
    @classmethod
    def _named(cls, text: str) -> str:
        if _OFFSET.fullmatch(text):
            raise ValueError("name the zone of the periods, such as Asia/Shanghai: labels are read by it")
        return text

    def aligned(self, start: datetime) -> bool:
        """Whether a period may begin here: 12:30:17 is no hour. The clock is that of the zone."""
        step = self.grid or self.averaging
        local = start.astimezone(self.zone)
        since = timedelta(
            hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        if step >= _DAY:  # a day, a month: by the calendar, or by the source's own day
            hours, minutes = map(int, self.day_boundary.split(":"))
            return since in (timedelta(0), timedelta(hours=hours, minutes=minutes))
        return bool(_DAY % step) or not since % step  # 5 h fit no day, so no grid is known

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which labels without an offset are written."""
        return ZoneInfo(self.timezone)


class Form(Strict):
    """What all forms have."""

    media: list[str] = []
    suffixes: list[Annotated[str, Field(pattern=r"^\.[a-z0-9.]+$")]] = []


class CsvForm(Form):
    """Delimited text with a header line; gzip is recognised."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    line_ends_in_cells: bool = Field(
        default=False,
        description="true: a quoted cell may hold line ends, and an unclosed quote can't be told by its line",
    )
    headings: dict[str, ColumnName] = Field(
        default={},
        description="heading as received and the column it stands for; others are columns themselves",
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, text: str) -> str:
        try:
            "".encode(text)
        except LookupError:
            raise ValueError("no encoding that Python knows, such as utf-8-sig or gb18030") from None
        return text


class XmlForm(Form):
    """XML; one element is one row, its children are the columns."""

    rows: str = Field(description="path from the root's children to a row; {*} stands for any namespace")
    total: str | None = Field(default=None, description="path to the number of rows that it says it serves")
    columns: Literal["lower_local_name"] = "lower_local_name"
    ignore: list[str] = Field(default=[], description="elements of a row, lower-cased, that are no columns")
    html_names: bool = Field(default=False, description="it writes HTML names such as &mdash; undeclared")


class JsonForm(Form):
    """JSON; an envelope with a list of objects."""

    items: str = Field(description="JSON pointer to the list of rows")
    total: str | None = Field(
        default=None, description="pointer to the number of rows that it says it serves"
    )


class Forms(Strict):
    """The forms in which the feed may arrive."""

    xml: XmlForm | None = None
    csv: CsvForm | None = None
    json_: JsonForm | None = Field(default=None, alias="json")

    @model_validator(mode="after")
    def _at_least_one(self) -> Forms:
        if not self.by_name:
            raise ValueError("name at least one of csv, xml, json")
        return self

    @cached_property
    def by_name(self) -> dict[str, CsvForm | XmlForm | JsonForm]:
        """The forms that the contract has, by name."""
        pairs: list[tuple[str, CsvForm | XmlForm | JsonForm | None]] = [
            ("xml", self.xml),
            ("csv", self.csv),
            ("json", self.json_),
        ]
        return {name: form for name, form in pairs if form is not None}


class Partial(Strict):
    """How a pull caught in the middle of an update is recognised."""

    newest_period_share: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="partial: the newest period has less than this share of the sites of the fullest period",
    )


class Censored(Strict):
    """How cells say that something is below what the method can tell."""

    prefixes: list[str] = Field(default=[], description="signs before the limit, as in <0.02")
    suffixes: list[str] = Field(default=[], description="signs after the limit, as in 0.02L")
    not_detected: list[str] = Field(default=[], description="words without a number, such as 未检出")

    @property
    def pattern(self) -> str | None:
        """A regular expression of a limit with its sign; None when no cell carries one."""
        before, after = ("|".join(map(re.escape, signs)) for signs in (self.prefixes, self.suffixes))
        forms = [f"({before}){_PLAIN}"] * bool(before) + [f"{_PLAIN}({after})"] * bool(after)
        return f"^({'|'.join(forms)})$" if forms else None


class Channel(Strict):
    """One column that carries values, and what they are."""

    property: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    procedure: Literal[
        "measured", "reported", "running_mean", "running_daily_maximum", "sum", "maximum", "minimum"
    ] = "measured"
    averaging: Duration
    unit: str = Field(min_length=1, description="UCUM code of the value after the factor")
    original_unit: str = Field(
        default="", validate_default=True, description="UCUM code as received; the unit when not given"
    )
    factor: Decimal = Field(default=Decimal(1), description="value in unit = value as received times factor")
    kind: Literal["number", "text"] = "number"
    sample_part: str = ""
    detection_limit: Decimal | None = Field(
        default=None,
        gt=0,
        description="of the method, in the unit received; below it the source gives its half",
    )
    proof: str | None = Field(default=None, description="why it means this when its name says otherwise")

    @field_validator("averaging")
    @classmethod
    def _longer_than_nothing(cls, value: timedelta) -> timedelta:
        return _positive(value)

    @field_validator("unit", "original_unit")
    @classmethod
    def _normal(cls, text: str, info: ValidationInfo) -> str:
        return normal_unit(text or str(info.data.get("unit", "")))

    @model_validator(mode="after")
    def _factor_explained(self) -> Channel:
        if self.factor <= 0:
            raise ValueError("factor must be above 0")
        if self.detection_limit is not None and self.kind != "number":
            raise ValueError("detection_limit belongs to numbers")
        if (self.factor != 1) != (self.original_unit != self.unit):
            raise ValueError(
                "factor and original_unit go together: the factor is 1 exactly when the units are one"
            )
        return self


class Contract(Strict):
    """What a source promises about one feed."""

    feed: str = Field(pattern=r"^[a-z][a-z0-9_]{2,50}$")
    version: int = Field(ge=1)
    element: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: Title
    department: str
    authority: str
    legal_basis: str
    licence: str
    series_kind: Literal["real_time", "reviewed"]
    synthetic: bool = Field(description="true: no real source stands behind this feed")
    correctable: bool | None = Field(
        default=None,
        description="eco correct may change its values; unset: if the department is the city's own",
    )
    retention_years: int = Field(ge=1)
    connector: Connector
    schedule: Schedule
    known_at: list[KnownAtRule] = Field(min_length=1, description="the first that applies")
    sites: Literal["register", "discover"] = Field(
        description="register: an unknown site is refused; discover: it becomes a site, with a warning"
    )
    site: Site
    period: Period
    key: list[ColumnName] = Field(min_length=1)
    forms: Forms
    header: list[ColumnName] = Field(min_length=1)
    optional: list[ColumnName] = Field(
        default=[],
        description="columns that the source may leave out altogether; an absent column says nothing",
    )
    partial: Partial = Partial()
    censored: Censored = Censored()
    sentinels: list[str] = Field(default=[""], description="cells that mean: no value")
    trim: list[str] = Field(default=[" "], description="characters taken off both ends of texts in staging")
    channels: dict[ColumnName, Channel] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        problems = list(self._inconsistencies())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _inconsistencies(self) -> Iterator[str]:
        yield from self._header_problems()
        yield from self._key_problems()
        yield from self._column_problems()
        if longer := [c for c in self.trim if len(c) != 1]:
            yield f"trim: one character each, found {longer}"
        if self.connector.transport == "files" and (self.connector.paging or self.connector.cursor):
            yield "connector: paging and cursor belong to http"

    def _header_problems(self) -> Iterator[str]:
        if twice := _twice(self.header):
            yield f"header names a column twice: {', '.join(twice)}"
        if reserved := sorted({"batch_id", "row_number", "rejected_columns"}.intersection(self.header)):
            yield f"header uses a name that landing needs itself: {', '.join(reserved)}"
        headings = [] if self.forms.csv is None else list(self.forms.csv.headings.values())
        if twice := _twice(headings):
            yield f"forms.csv.headings: two headings for {', '.join(twice)}"
        named = {
            "channels": list(self.channels),
            "key": self.key,
            "site": self.site.columns,
            "period.column": [self.period.column],
            "optional": self.optional,
            "known_at": [] if self.known_at_column is None else [self.known_at_column.column],
            "forms.csv.headings": headings,
        }
        for where, columns in named.items():
            if missing := sorted(set(columns) - set(self.header)):
                yield f"{where}: not in the header: {', '.join(missing)}"

    def _key_problems(self) -> Iterator[str]:
        if self.period.column not in self.key:
            yield f"key must hold the period column {self.period.column}"
        if absent := [column for column in self.site.code_columns if column not in self.key]:
            yield f"key must hold the site column {', '.join(absent)}"
        if others := sorted(set(self.key) - {*self.site.code_columns, self.period.column}):
            yield f"key: core knows a value by site and period alone, so {', '.join(others)} can't be part of it"
        if shared := sorted(set(self.channels) & set(self.key)):
            yield f"a key column can't be a channel: {', '.join(shared)}"

    def _column_problems(self) -> Iterator[str]:
        if self.optional and set(self.forms.by_name) != {"csv"}:
            yield "optional: only delimited text can lack a column"
        if needed := sorted(set(self.optional) & set(self.key)):
            yield f"optional: rows are known by {', '.join(needed)}"

    @property
    def averaging(self) -> timedelta:
        """Length of a period."""
        return self.period.averaging

    @property
    def lateness(self) -> timedelta:
        """How long after its end a period stays open, by the feed's own clock."""
        return self.schedule.lateness

    @property
    def freshness(self) -> timedelta:
        """After which silence people are told."""
        return self.schedule.freshness

    @property
    def landing_relation(self) -> str:
        """`landing.<feed>`."""
        return f"landing.{self.feed}"

    @property
    def staging_relation(self) -> str:
        """`staging.stg_<feed>`: one row is one cell."""
        return f"staging.stg_{self.feed}"

    @property
    def staging_site_relation(self) -> str:
        """`staging.stg_<feed>__site`: one row is one received statement about a site."""
        return f"staging.stg_{self.feed}__site"

    @property
    def known_at_column(self) -> FromColumn | None:
        """The rule by which rows say themselves when they were known, if there is one."""
        return next((rule for rule in self.known_at if isinstance(rule, FromColumn)), None)

    @property
    def number_channels(self) -> tuple[str, ...]:
        """Channels whose cells must be numbers."""
        return tuple(name for name, channel in self.channels.items() if channel.kind == "number")

    def form_of(self, source: str, media: str = "", head: bytes = b"") -> str:
        """The form of a delivery: by its media type, its name, what it begins with; else the first form."""
        forms = self.forms.by_name
        media = media.partition(";")[0].strip().lower()
        for name, form in forms.items():
            if media and media in form.media:
                return name
        file_name = source.partition("?")[0].rpartition("/")[2].lower()
        for name, form in forms.items():
            if any(file_name.endswith(suffix) for suffix in form.suffixes):
                return name
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        guess = {b"<": "xml", b"{": "json", b"[": "json"}.get(start, "csv")
        return guess if start and guess in forms else next(iter(forms))

    @property
    def missing_marks(self) -> tuple[str, ...]:
        """Every cell that means no value; the empty one always does."""
        return tuple(dict.fromkeys([*self.sentinels, ""]))


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def normal_unit(text: str) -> str:
    """A unit code with one spelling of micro and of cubic: `µg/m³` (both micros) and `ug/m3` are one unit."""
    return text.strip().translate(str.maketrans("\u00b5\u03bc\u00b3\u00b2", "uu32"))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a contract, for editors."""
    schema = Contract.model_json_schema(by_alias=True)
    return {**schema, "title": "Contract of a feed"}
