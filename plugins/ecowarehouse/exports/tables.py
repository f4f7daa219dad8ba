"""A part as CSV and as Parquet, the same bytes wherever the same libraries make them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ecowarehouse.exports.fields import Field

if TYPE_CHECKING:
    import pyarrow

_LEVEL: Final = 6
_BLOCK: Final = 8 << 20  # bytes of CSV that are read at once
_ROW_GROUP: Final = 128 * 1024


def write_csv(conn: psycopg.Connection[Any], query: str, path: Path) -> None:
    """The answer of a query as gzip: UTF-8, a header, empty for null; no file name and no time in the envelope."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=_LEVEL) as packed,
        conn.cursor() as cursor,
        cursor.copy(f"copy ({query}) to stdout (format csv, header true)".encode()) as rows,
    ):
        for chunk in rows:
            packed.write(chunk)


def write_parquet(
    csv: Path,
    fields: Sequence[Field],
    scales: Mapping[str, int],
    zone: str,
    metadata: Mapping[str, str],
    path: Path,
) -> None:
    """The rows of such a CSV with the dictionary's types; decimals exact, moments in the city's zone.

    Args:
        csv: what `write_csv` wrote.
        fields: its columns.
        scales: decimals of each numeric column.
        zone: the city's zone.
        metadata: what travels with the file, as text by name.
        path: where to write.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            pa.field(
                one.name,
                one.arrow(scales, zone),
                nullable=not one.constraints.get("required", False),
                metadata={"unit": one.unit, "title": one.title, "description": one.description},
            )
            for one in fields
        ],
        metadata=dict(metadata),
    )
    with pq.ParquetWriter(
        path, schema, version="2.6", compression="zstd", use_dictionary=True, write_statistics=True,
        data_page_version="1.0", coerce_timestamps="us", store_schema=True,
    ) as writer:  # fmt: skip
        for table in _groups(csv, schema):
            writer.write_table(table, row_group_size=_ROW_GROUP)


def _groups(csv: Path, schema: pyarrow.Schema) -> Iterator[pyarrow.Table]:
    """Tables of a row group each, so that a month of a nation needs no more memory than a day."""
    import pyarrow as pa

    waiting: list[pyarrow.RecordBatch] = []
    rows = 0
    for batch in _batches(csv, schema):
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= _ROW_GROUP:
            yield _table(pa.Table.from_batches(waiting), schema)
            waiting, rows = [], 0
    if waiting:
        yield _table(pa.Table.from_batches(waiting), schema)


def _batches(csv: Path, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as reader

    with pa.CompressedInputStream(pa.OSFile(str(csv)), "gzip") as stream:
        yield from reader.open_csv(
            stream,
            read_options=reader.ReadOptions(block_size=_BLOCK, use_threads=False),
            parse_options=reader.ParseOptions(newlines_in_values=True),
            convert_options=reader.ConvertOptions(
                column_types={one.name: one.type for one in schema},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["true"],
                false_values=["false"],
                timestamp_parsers=[reader.ISO8601],
            ),
        )


def _table(table: pyarrow.Table, schema: pyarrow.Schema) -> pyarrow.Table:
    import pyarrow as pa

    return pa.Table.from_arrays(table.columns, schema=schema)
