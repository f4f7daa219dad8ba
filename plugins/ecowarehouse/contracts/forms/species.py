"""Records of species."""

from __future__ import annotations

from pydantic import Field

from ecowarehouse.contracts.forms.base import HeadedForm


class DarwinCoreForm(HeadedForm):
    """A Darwin Core archive: a zip with meta.xml; one record of the chosen file is one row.

    Columns are the terms' names in snake case (`scientificName`: scientific_name) unless `headings` says otherwise,
    and `id`, by which the records of an extension name the one of the core that they belong to.
    """

    row_type: str = Field(
        default="", description="type of the records, such as VernacularName; empty: those of the core file"
    )
    short_rows: bool = Field(
        default=False, description="true: a row may end before its last columns, which are then empty"
    )
    line_ends_in_cells: bool = Field(default=False, description="true: an enclosed cell may hold line ends")
    undeclared_quotes: bool = Field(
        default=False, description="true: cells are enclosed in quotes though meta.xml says that they are not"
    )
