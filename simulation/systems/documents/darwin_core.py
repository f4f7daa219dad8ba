"""Darwin Core archives: a core file of occurrences and the meta.xml that says how to read it."""

from __future__ import annotations

import io
import zipfile

import pyarrow as pa

from simulation.systems.documents.cells import rows, text

_TERMS = "http://rs.tdwg.org/dwc/terms/"
_TIME = (2026, 1, 1, 0, 0, 0)


def archive(table: pa.Table) -> bytes:
    """An archive of a table whose columns are named as Darwin Core terms; the first one is the record's identity."""
    fields = "\n".join(
        f'    <field index="{place}" term="{_TERMS}{name}"/>' for place, name in enumerate(table.column_names)
    )
    meta = f"""<?xml version="1.0" encoding="UTF-8"?>
<archive xmlns="http://rs.tdwg.org/dwc/text/">
  <core encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" ignoreHeaderLines="1"
        rowType="{_TERMS}Occurrence">
    <files><location>occurrence.txt</location></files>
    <id index="0"/>
{fields}
  </core>
</archive>
"""
    lines = ["\t".join(table.column_names)]
    lines += [
        "\t".join(text(cell).replace("\t", " ").replace("\n", " ") for cell in row) for row in rows(table)
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in (("meta.xml", meta), ("occurrence.txt", "\n".join(lines) + "\n")):
            zipped.writestr(zipfile.ZipInfo(name, _TIME), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
