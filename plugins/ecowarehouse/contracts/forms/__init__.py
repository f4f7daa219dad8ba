"""The forms in which a feed may arrive."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field, model_validator

from ecowarehouse.contracts.fields import Strict
from ecowarehouse.contracts.forms.base import Form, HeadedForm
from ecowarehouse.contracts.forms.geographic import FeaturesForm, GeojsonForm, GeopackageForm
from ecowarehouse.contracts.forms.recognise import kinds
from ecowarehouse.contracts.forms.species import DarwinCoreForm
from ecowarehouse.contracts.forms.text import CsvForm, EncodedForm, EurdepForm, FixedWidthForm, LinesForm
from ecowarehouse.contracts.forms.tree import JsonForm, WatermlForm, XmlForm
from ecowarehouse.contracts.forms.workbook import WorkbookForm

__all__ = [
    "CsvForm", "DarwinCoreForm", "EncodedForm", "EurdepForm", "FeaturesForm", "FixedWidthForm", "Form", "Forms",
    "GeojsonForm", "GeopackageForm", "HeadedForm", "JsonForm", "LinesForm", "WatermlForm", "WorkbookForm", "XmlForm",
]  # fmt: skip


class Forms(Strict):
    """The forms in which the feed may arrive."""

    xml: XmlForm | None = None
    csv: CsvForm | None = None
    json_: JsonForm | None = Field(default=None, alias="json")
    fixed_width: FixedWidthForm | None = None
    workbook: WorkbookForm | None = None
    eurdep: EurdepForm | None = None
    waterml: WatermlForm | None = None
    darwin_core: DarwinCoreForm | None = None
    geojson: GeojsonForm | None = None
    geopackage: GeopackageForm | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Forms:
        if not self.by_name:
            raise ValueError(f"name at least one of {', '.join(sorted(_names()))}")
        return self

    @cached_property
    def by_name(self) -> dict[str, Form]:
        """The forms that the contract has, by name."""
        found = {name: getattr(self, field) for name, field in _names().items()}
        return {name: form for name, form in found.items() if form is not None}

    def of(self, source: str, media: str = "", head: bytes = b"") -> str:
        """The form of a delivery: by its media type, its name, what it begins with; else the first form."""
        media = media.partition(";")[0].strip().lower()
        for name, form in self.by_name.items():
            if media and media in form.media:
                return name
        file_name = source.partition("?")[0].rpartition("/")[2].lower()
        for name, form in self.by_name.items():
            if any(file_name.endswith(suffix) for suffix in form.suffixes):
                return name
        guesses = [kind for kind in kinds(head) if kind in self.by_name]
        return guesses[0] if guesses else next(iter(self.by_name))


def _names() -> dict[str, str]:
    """Each form's name in a contract, and the field that holds it."""
    return {field.alias or name: name for name, field in Forms.model_fields.items()}
