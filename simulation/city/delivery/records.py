"""Feeds without measured series: registers, yearly tables, polygons; their rows are written out as the source has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulation.city.delivery.block import Property, ordered
from simulation.city.delivery.feed import Draft, constant, local, number, text
from simulation.city.delivery.truth import Plant
from simulation.city.places.geography import Site


def listed(
    name: str,
    department: str,
    title: str,
    records: Sequence[Mapping[str, Any]],
    label: str,
    sites: Sequence[Site] = (),
    properties: Sequence[Property] = (),
    modified: str | None = None,
    phenomena: Sequence[Plant] = (),
) -> Draft:
    """A feed whose columns are the keys of its records, in their order.

    Each record has `time` (what the row is about) and `ready` (when the source shows it), seconds since 1970, which are
    no columns, and `site` (number in `sites`) where faults may name it. `label` is the column that says synthetic,
    `modified` that of the last change.
    """
    hidden = ("time", "site", "ready")
    rows = [{"site": 0, **record} for record in records]
    numbers = {p.name for p in properties}
    columns = [
        number(key, key) if key in numbers else text(key)
        for key in (rows[0] if rows else ())
        if key not in hidden
    ]
    if modified:
        columns.append(local(modified, "changed"))
    return Draft(
        name=name, department=department, title=title, step=None, day_boundary=0, properties=properties,
        columns=(*columns, constant(label, "synthetic")), clean=ordered(sites or (_CITY,), rows, properties),
        phenomena=phenomena,
    )  # fmt: skip


_CITY = Site("450881", "桂平市（合成）", "city", "450881118", 110.08, 23.39)
