"""What all forms have."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ecowarehouse.contracts.fields import ColumnName, Strict


class Form(Strict):
    """What all forms have: how a delivery is told to be of this form before its bytes are."""

    may_lack_columns: ClassVar[bool] = True

    media: list[str] = Field(default=[])
    suffixes: list[Annotated[str, Field(pattern=r"^\.[a-z0-9.]+$")]] = Field(default=[])

    def named_columns(self) -> dict[str, list[str]]:
        """Columns that the form names and the contract's header must hold, by the place where it names them."""
        return {}


class HeadedForm(Form):
    """A form whose columns have headings of the source's own."""

    headings: dict[str, ColumnName] = Field(
        default={},
        description="heading as received and the column it stands for; others are columns themselves",
    )
    ignore: list[str] = Field(default=[], description="headings that are no columns of the feed")

    def named_columns(self) -> dict[str, list[str]]:
        """As of every form."""
        return {"headings": list(dict.fromkeys(self.headings.values()))}
