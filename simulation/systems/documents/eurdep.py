r"""EURDEP 2.1 messages: localities and gamma dose rates of one day."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from simulation.systems.documents.cells import rows

_HEAD = r"""\BEGIN_EURDEP;
\BEGIN_HEADER;
\IMPORTANCE NORMAL;
\ORIGINATOR synthetic radiation station of Guiping;
\SENT {sent};
\FORMAT_VERSION 2.1;
\MESSAGE_ID {name};
\FILENAME {name}.EUR;
\END_HEADER;
"""


def message(
    table: pa.Table, localities: dict[str, tuple[str, float, float]], name: str, sent: datetime
) -> bytes:
    """A message of `locality_code, begin, end, value, unit`; localities by code: name, latitude, longitude."""
    lines = [_HEAD.format(name=name, sent=f"{sent:%Y-%m-%dT%H:%MZ}")]
    lines.append("\\BEGIN_LOCALITY;\n\\FIELD_LIST LOCALITY_CODE,LOCALITY_NAME,LATITUDE,LONGITUDE;\n")
    used = sorted(set(table["locality_code"].to_pylist()))
    lines += [
        f'\\{code},"{localities[code][0]}",{localities[code][1]},{localities[code][2]};\n' for code in used
    ]
    lines.append("\\END_LOCALITY;\n\\BEGIN_RADIOLOGICAL;\n")
    lines.append("\\FIELD_LIST LOCALITY_CODE,BEGIN,END,SAMPLE_TYPE,NUCLIDE,UNIT,VALUE,VALIDATED;\n")
    asked = table.select(["locality_code", "begin", "end", "unit", "value"])
    for code, begin, end, unit, value in rows(asked):
        shown = "" if value is None else value
        lines.append(f"\\{code},{begin},{end},A5,T-GAMMA,{unit},{shown},N;\n")
    lines.append("\\END_RADIOLOGICAL;\n\\END_EURDEP;\n")
    return "".join(lines).encode()
