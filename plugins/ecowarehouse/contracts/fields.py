"""What the parts of a contract share: strictness, texts and durations that are checked when they are read."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field

TIME_DIRECTIVES = "YmdHMS"
PLAIN_NUMBER = r"[0-9]{1,30}(\.[0-9]{0,30})?"
OFFSET = re.compile(r"[+-]\d{2}:\d{2}")


def valid_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no valid regular expression ({error})") from None
    return text


def valid_zone(text: str) -> str:
    if not OFFSET.fullmatch(text) and text not in _zones():
        raise ValueError("no time zone; write a name such as Asia/Shanghai or an offset such as +08:00")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # walks through a folder, and is asked several times a contract


def valid_time_format(text: str) -> str:
    if text == "iso8601":
        return text
    directives = re.findall(r"%(.)", text)
    unknown = sorted(set(directives) - set(TIME_DIRECTIVES))
    if unknown or "Y" not in directives:
        raise ValueError("write iso8601, or a format of %Y %m %d %H %M %S with at least %Y")
    return text


def positive(value: timedelta) -> timedelta:
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
