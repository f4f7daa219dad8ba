"""Delimited text, in the encoding of the department's programs."""

from __future__ import annotations

import csv
import io

import pyarrow as pa

from simulation.systems.documents.cells import rows, text


def csv_of(table: pa.Table, encoding: str = "utf-8") -> bytes:
    """A table with its header line."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(table.column_names)
    writer.writerows([text(cell) for cell in row] for row in rows(table))
    return lines.getvalue().encode(encoding)
