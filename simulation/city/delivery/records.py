"""Feeds without measured series: registers, yearly tables, polygons; rows are written as the source has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulation.city.delivery.block import Property, ordered
from simulation.city.delivery.feed import Draft, constant, local, number, text
from simulation.city.delivery.truth import Plant
from simulation.city.places.geography import Site

NEVER = 2**62


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
    no columns, and `site` (number in `sites`) where faults may name it; `gone` where another row takes its place (see
    `until`). `label` is the column that says synthetic, `modified` that of the last change.
    """
    hidden = ("time", "site", "ready", "gone")
    rows = [{"site": 0, "gone": NEVER, **record} for record in records]
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


def until(record: Mapping[str, Any], moment: int | None, **changes: Any) -> list[dict[str, Any]]:
    """A record that stands as it is until a moment (seconds since 1970), and from then on with changes.

    A register doesn't know on the day a device is installed when it will be removed.
    """
    if moment is None:
        return [dict(record)]
    return [{**record, "gone": moment}, {**record, "ready": moment, **changes}]


_CITY = Site("450881", "桂平市（合成）", "city", "450881118", 110.08, 23.39)
