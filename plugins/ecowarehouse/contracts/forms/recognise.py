"""What bytes may be, by what they begin with."""

from __future__ import annotations

import re

_BOM = b"\xef\xbb\xbf"
_MAGIC: tuple[tuple[bytes, tuple[str, ...]], ...] = (
    (b"SQLite format 3\0", ("geopackage",)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ("workbook",)),  # an old or encrypted one: its reader says which
    (b"\x1f\x8b", ("fixed_width", "csv")),  # gzip: what is in it is seen when it is read
    (b"\\BEGIN_EURDEP", ("eurdep",)),
)
_WATERML = re.compile(rb"waterml|timeSeriesResponse", re.IGNORECASE)
_FEATURES = re.compile(rb'"type"\s*:\s*"FeatureCollection"')


def kinds(head: bytes) -> tuple[str, ...]:
    """Names of forms that may begin so, the likeliest first; none for no byte."""
    start = head.removeprefix(_BOM).lstrip()
    for magic, names in _MAGIC:
        if start.startswith(magic):
            return names
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        office = any(name in start for name in (b"[Content_Types].xml", b"docProps/", b"_rels/.rels", b"xl/"))
        return ("workbook", "darwin_core") if office else ("darwin_core", "workbook")
    if start.startswith(b"<"):
        return ("waterml", "xml") if _WATERML.search(start) else ("xml", "waterml")
    if start.startswith((b"{", b"[")):
        return ("geojson", "json") if _FEATURES.search(start) else ("json", "geojson")
    return ("csv", "fixed_width") if start else ()
