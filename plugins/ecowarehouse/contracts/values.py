"""What the columns with values are."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ecowarehouse.contracts.fields import PLAIN_NUMBER, ColumnName, Duration, Strict, positive


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
        forms = [f"({before}){PLAIN_NUMBER}"] * bool(before) + [f"{PLAIN_NUMBER}({after})"] * bool(after)
        return f"^({'|'.join(forms)})$" if forms else None


class NotMeasured(Strict):
    """How a source says that a station does not measure something: nobody waits for it, and nobody is to blame."""

    marks: list[str] = Field(min_length=1, description="sentinels that say so")
    column: ColumnName | None = Field(
        default=None, description="only in rows in which this column says one of `says`; else in all rows"
    )
    says: list[str] = Field(default=[], description="such as the state of a station that works")
    channels: list[ColumnName] = Field(
        default=[], description="only of these; else of all channels, and a mark hides what one station lost"
    )


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
    codes: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], description="of a feed with `long`: the source's codes of it; its own name when not given"
    )
    units: dict[str, Decimal] = Field(
        default={},
        description="of a feed with `long.unit`: further units as the source writes them, each with its factor",
    )
    proof: str | None = Field(default=None, description="why it means this when its name says otherwise")

    @field_validator("averaging")
    @classmethod
    def _longer_than_nothing(cls, value: timedelta) -> timedelta:
        return positive(value)

    @field_validator("unit", "original_unit")
    @classmethod
    def _normal(cls, text: str, info: ValidationInfo) -> str:
        return normal_unit(text or str(info.data.get("unit", "")))

    @model_validator(mode="after")
    def _factor_explained(self) -> Channel:
        if self.factor <= 0 or any(factor <= 0 for factor in self.units.values()):
            raise ValueError("factor must be above 0")
        if self.detection_limit is not None and self.kind != "number":
            raise ValueError("detection_limit belongs to numbers")
        if (self.factor != 1) != (self.original_unit != self.unit):
            raise ValueError(
                "factor and original_unit go together: the factor is 1 exactly when the units are one"
            )
        return self


def factors_of(channel: Channel) -> dict[str, Decimal]:
    """Every unit in which the source may give a channel, in its normal spelling, with its factor."""
    further = {normal_unit(unit): factor for unit, factor in channel.units.items()}
    return {channel.original_unit: channel.factor} | further


def normal_unit(text: str) -> str:
    """A unit code with one spelling of micro and of cubic: `µg/m³` (both micros) and `ug/m3` are one unit."""
    return text.strip().translate(str.maketrans("\u00b5\u03bc\u00b3\u00b2", "uu32"))
