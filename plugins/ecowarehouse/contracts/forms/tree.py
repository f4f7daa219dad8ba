"""Forms made of nested elements."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ecowarehouse.contracts.forms.base import Form, HeadedForm


class XmlForm(Form):
    """XML; one element is one row, its children are the columns."""

    may_lack_columns: ClassVar[bool] = False

    rows: str = Field(description="path from the root's children to a row; {*} stands for any namespace")
    total: str | None = Field(default=None, description="path to the number of rows that it says it serves")
    columns: Literal["lower_local_name"] = "lower_local_name"
    ignore: list[str] = Field(default=[], description="elements of a row, lower-cased, that are no columns")
    html_names: bool = Field(default=False, description="it writes HTML names such as &mdash; undeclared")


class JsonForm(HeadedForm):
    """JSON; an envelope with a list of objects, whose fields are the columns."""

    may_lack_columns: ClassVar[bool] = False

    items: str = Field(description="JSON pointer to the list of rows")
    total: str | None = Field(
        default=None, description="pointer to the number of rows that it says it serves"
    )


class WatermlForm(Form):
    """WaterML 2.0 or 1.1; one value of a time series is one row.

    Its columns are series, site_code, site_name, longitude, latitude, property, property_name, unit, time, value and
    qualifier; the header names those that the feed needs.
    """
