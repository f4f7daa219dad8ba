"""The forms in which a feed may arrive."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ecowarehouse.contracts.fields import ColumnName, Strict


class Form(Strict):
    """What all forms have."""

    media: list[str] = Field(default=[])
    suffixes: list[Annotated[str, Field(pattern=r"^\.[a-z0-9.]+$")]] = Field(default=[])


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
