"""One column in all the forms that it takes: the table's schema, the cell of the CSV, the type in Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ecowarehouse.checksum import identifier
from ecowarehouse.exports.faces import ExportError

if TYPE_CHECKING:
    import pyarrow

#: Decimals of Parquet have one scale a column: the least of these that holds every value of the version.
SCALES: Final = (3, 6, 12, 24)
_PRECISION: Final = 38

_KINDS: Final = {
    "text": "string",
    "character varying": "string",
    "timestamp with time zone": "datetime",
    "date": "date",
    "boolean": "boolean",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "number",
    "double precision": "number",
    "real": "number",
}
_WHOLE: Final = "'YYYY-MM-DD\"T\"HH24:MI:SSTZH:TZM'"
_MICRO: Final = "'YYYY-MM-DD\"T\"HH24:MI:SS.USTZH:TZM'"


@dataclass(frozen=True, slots=True)
class Field:
    """A column as published, with what the dictionary says of it.

    `type` is PostgreSQL's name without precision; `unit` a UCUM code or empty; `constraints` as in Table Schema.
    """

    name: str
    type: str
    title: str
    description: str
    unit: str = ""
    constraints: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_decimal(self) -> bool:
        """Whether values are exact decimals, which need a scale in Parquet."""
        return self.type == "numeric"

    @property
    def kind(self) -> str:
        """The type in Table Schema.

        Raises:
            ExportError: a type that no file here can carry.
        """
        if self.type not in _KINDS:
            raise ExportError(
                f"column {self.name}: type {self.type} is not exported; known: {', '.join(_KINDS)}"
            )
        return _KINDS[self.type]

    def cell(self) -> str:
        """SQL of the cell in the CSV: ISO 8601 with offset, true and false, numbers as stored."""
        column = f"p.{identifier(self.name)}"
        if self.kind == "datetime":
            whole = f"date_trunc('second', {column}) = {column}"
            return f"to_char({column}, case when {whole} then {_WHOLE} else {_MICRO} end)"
        return f"{column}::text" if self.kind == "boolean" else column

    def order(self) -> str:
        """SQL to sort by: text by its bytes, so that the server's language decides nothing."""
        column = f"p.{identifier(self.name)}"
        return f'{column} collate "C"' if self.kind == "string" else column

    def described(self) -> dict[str, Any]:
        """The field of a Table Schema."""
        found: dict[str, Any] = {
            "name": self.name, "type": self.kind, "title": self.title, "description": self.description,
        }  # fmt: skip
        if self.kind == "datetime":
            found["format"] = "default"
        if self.unit:
            found["unit"] = self.unit
        if self.constraints:
            found["constraints"] = dict(self.constraints)
        return found

    def arrow(self, scales: Mapping[str, int], zone: str) -> pyarrow.DataType:
        """The type in Parquet. `scales` has the scale of each decimal column, `zone` is the city's."""
        import pyarrow as pa

        if self.is_decimal:
            return pa.decimal128(_PRECISION, scales[self.name])
        if self.kind == "integer":
            return {"smallint": pa.int16(), "integer": pa.int32()}.get(self.type, pa.int64())
        return {
            "string": pa.string(), "datetime": pa.timestamp("us", tz=zone), "date": pa.date32(),
            "boolean": pa.bool_(), "number": pa.float64(),
        }[self.kind]  # fmt: skip


def common_scales(found: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """One scale for each decimal column over all parts of a version.

    Raises:
        ExportError: a value has more decimals than Parquet can hold.
    """
    most: dict[str, int] = {}
    for scales in found:
        for name, scale in scales.items():
            most[name] = max(scale, most.get(name, 0))
    return {name: _scale(name, scale) for name, scale in sorted(most.items())}


def _scale(name: str, needed: int) -> int:
    for scale in SCALES:
        if needed <= scale:
            return scale
    raise ExportError(
        f"column {name} has a value with {needed} decimals, {SCALES[-1]} is the most. Mend: round it in the mart"
    )
