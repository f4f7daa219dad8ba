"""What changed lately: a value that was readable, the one that took its place, and since when.

Air keeps its former rows in the history of releases alone (a manifest may be gone, and an export into an empty folder
must say the same), water keeps every version in its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from ecowarehouse.checksum import identifier, period_expression
from ecowarehouse.datasets import Dataset
from ecowarehouse.exports import retracted
from ecowarehouse.exports.page.newest import WATER_ITEMS, Near
from ecowarehouse.exports.page.rows import Row
from ecowarehouse.exports.published import published_columns
from ecowarehouse.release import relations

#: Counted back from the newest release, for the wall's clock would change bytes without a cause.
_LATELY: Final = "7 days"
_MOST: Final = 100

_AIR: Final = ("so2", "no2", "co", "o3", "o3_mda8", "pm10", "pm2_5", "aqi", "primary_pollutant", "category")
_WATER: Final = (*WATER_ITEMS, "water_class_cn", "deciding_items")


def of_releases(
    conn: psycopg.Connection[Any], dataset: Dataset, names: Sequence[str], zone: str, near: Near
) -> list[dict[str, Any]]:
    """Rows that a release closed while it brought their successor, newest first.

    Args:
        conn: reads `published`, `governance` and `decision`.
        dataset: the dataset; only its open columns are told.
        names: columns that say of what a row is, beside the key.
        zone: the city's zone.
        near: whether a row belongs on the page.
    """
    there = {column.name for column in published_columns(conn, dataset)} & set(dataset.open_columns)
    told = [name for name in _AIR if name in there]
    shown = [
        name
        for name in dict.fromkeys((*dataset.key, *names))
        if name in there and name != dataset.period_column
    ]
    if not told or not {*dataset.key, "known_at"} <= there:
        return []
    cells = ", ".join(
        [f"n.{identifier(name)}::text" for name in shown]
        + [f"{side}.{identifier(name)}::text" for side in ("o", "n") for name in told]
    )
    same, holds = (
        " and ".join(f"{side}.{identifier(name)} = n.{identifier(name)}" for name in dataset.key)
        for side in ("o", "h")
    )
    keys = ", ".join(f"n.{identifier(name)}" for name in dataset.key)
    other = " or ".join(f"o.{identifier(name)} is distinct from n.{identifier(name)}" for name in told)
    period = period_expression(f"n.{identifier(dataset.period_column)}", dataset.grain, zone)
    table = relations.published_name(dataset)
    rows = conn.execute(
        f"""
        select n.known_at, {period}, {cells}
        from {table} o
        join {table} n on {same} and n.release_from = o.release_to
        -- What was withdrawn since, or is held back now, is not told by the way of its corrections.
        join {table} h on {holds} and h.release_to is null
        join governance.release r on r.release_id = o.release_to
        where r.released_at > (
            select max(released_at) - interval '{_LATELY}' from governance.release join governance.release_period
            using (release_id) where dataset = %(dataset)s and inserted + closed > 0
        ) and ({other})
        order by n.known_at desc, {period} desc, n.release_from desc, {keys}
        """.encode(),
        {"dataset": dataset.dataset},
    ).fetchall()
    # A number that was retracted is nowhere, as a former value neither.
    gone = retracted.retractions(conn, dataset.dataset)
    found = []
    for known_at, start, *texts in rows:
        names_of, before = texts[: len(shown)], texts[len(shown) : len(shown) + len(told)]
        row: Row = dict(zip(shown, names_of, strict=True))
        if near(row) and not any(one.period_from <= start < one.period_to for one in gone):
            after = texts[len(shown) + len(told) :]
            found.append(
                {
                    "dataset": dataset.dataset,
                    "known_at": known_at.astimezone(ZoneInfo(zone)).isoformat(),
                    "what": row,
                    "period": start.astimezone(ZoneInfo(zone)).isoformat(),
                    "changes": _changes(told, before, after),
                }
            )
    return found


def of_versions(dataset: str, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Samples of which a file has several versions: each with the one before it."""
    by_sample: dict[tuple[str | None, ...], list[Row]] = {}
    for row in rows:
        by_sample.setdefault((row["section_code"], row["sampled_at"]), []).append(row)
    found = []
    for versions in by_sample.values():
        versions.sort(key=lambda row: int(row["version"] or 0))
        for before, after in pairwise(versions):
            changes = _changes(
                _WATER, [before.get(name) for name in _WATER], [after.get(name) for name in _WATER]
            )
            if changes:
                what = {
                    name: after.get(name)
                    for name in ("section_code", "section_name", "province", "synthetic")
                }
                found.append(
                    {
                        "dataset": dataset,
                        "known_at": after["known_at"],
                        "what": what,
                        "period": after["sampled_at"],
                        "changes": changes,
                    }
                )
    return sorted(found, key=lambda one: (one["known_at"], one["period"], str(one["what"])), reverse=True)


def told(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many there are, and the newest of them."""
    return {"count": len(found), "rows": list(found[:_MOST])}


def _changes(
    names: Sequence[str], before: Sequence[str | None], after: Sequence[str | None]
) -> list[dict[str, str | None]]:
    return [
        {"column": name, "before": old, "after": new}
        for name, old, new in zip(names, before, after, strict=True)
        if old != new
    ]
