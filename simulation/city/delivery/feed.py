"""A feed as its source shows it at a moment: late rows absent, corrections only after theirs, duplicates there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.city.delivery.block import Block, Property
from simulation.city.delivery.truth import Delivered, Plant, deliver
from simulation.city.streams import Floats, Ints
from simulation.city.window import CHINA_OFFSET, moment

FOREVER = 2**61


@dataclass(frozen=True, slots=True)
class View:
    """Rows about to be shown: their numbers in the block, the values standing now, and when each last changed."""

    block: Block
    rows: Ints
    values: dict[str, Floats]
    changed: Ints
    step: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a department's own: its name there, and how it is made."""

    name: str
    of: Callable[[View], Any]


def local(name: str, at: str = "start", form: str | None = None, shift: int = 0) -> Column:
    """The time of a row in China, without a zone: of its period's `start` or `end`, or of the last change.

    A timestamp, or text in a `form` of strftime. `shift` seconds are added.
    """

    def of(view: View) -> Any:
        seconds = view.changed if at == "changed" else view.block.time[view.rows]
        seconds = seconds + (view.step if at == "end" else 0) + CHINA_OFFSET + shift
        if form is None:
            return _stamps(seconds)
        moments, which = np.unique(seconds, return_inverse=True)  # many rows share a moment, and text is slow
        return pc.strftime(_stamps(moments), format=form).take(pa.array(which))

    return Column(name, of)


def _stamps(seconds: Ints) -> Any:
    return pa.array(seconds, pa.int64()).cast(pa.timestamp("s"))


def place(name: str, attribute: str = "code") -> Column:
    """A field of the row's site: `code`, `name`, `township`, `longitude`, … or one of its attributes."""

    def of(view: View) -> Any:
        fields = [
            getattr(s, attribute) if attribute in s.__dataclass_fields__ else s.attributes.get(attribute)
            for s in view.block.sites
        ]
        return pa.array(fields).take(pa.array(view.block.site[view.rows]))

    return Column(name, of)


def number(name: str, of: str) -> Column:
    """A property's value; null is no reading."""
    return Column(name, lambda view: pa.array(view.values[of], mask=np.isnan(view.values[of])))


def text(name: str, key: str | None = None) -> Column:
    """A text (or other ready cell) that the block holds for each row."""

    def of(view: View) -> Any:
        if not len(view.block):
            return pa.nulls(0, pa.string())
        # Typed by the whole column, so that an answer without rows has the same types.
        return pa.array(list(view.block.texts[key or name])).take(pa.array(view.rows))

    return Column(name, of)


def constant(name: str, value: str) -> Column:
    """The same text in every row."""
    return Column(name, lambda view: pa.array([value] * len(view.rows), pa.string()))


def censored(name: str, form: str = "{limit}L") -> Column:
    """Results in the long form as a laboratory writes them: below the row's detection limit `0.02L`, or as `form` says.

    The block holds `detection_limit` (text or None) and `decimals` for each row.
    """

    def of(view: View) -> Any:
        if not len(view.block):
            return pa.nulls(0, pa.string())
        limits, decimals = (view.block.texts[key][view.rows] for key in ("detection_limit", "decimals"))
        return pa.array(
            [
                written(v, low, d, form)
                for v, low, d in zip(view.values["value"], limits, decimals, strict=True)
            ],
            pa.string(),
        )

    return Column(name, of)


def result(name: str, of: Property, form: str = "{limit}L") -> Column:
    """The same for a property with a column of its own."""
    low = None if of.limit is None else np.format_float_positional(of.limit, trim="-")  # no one writes 5e-05
    return Column(
        name,
        lambda view: pa.array(
            [written(v, low, of.decimals, form) for v in view.values[of.name]], pa.string()
        ),
    )


def written(value: float, limit: str | None, decimals: int, form: str) -> str | None:
    """A result as text: `form` with the limit where it is below (and no sentinel), else the number."""
    if np.isnan(value):
        return None
    if limit is not None and 0 <= value < float(limit):
        return form.format(limit=limit)
    return f"{value:.{decimals}f}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A feed before its faults: who delivers what, in which columns, and what nature holds in store for it.

    `step` is the period in seconds, None for samples and registers; `day_boundary` the hour at which the department's
    day begins; `phenomena` what happens in the clean rows themselves,
    `months` the aggregates of the whole clean series.
    """

    name: str
    department: str
    title: str
    step: int | None
    day_boundary: int
    properties: Sequence[Property]
    columns: Sequence[Column]
    clean: Block
    phenomena: Sequence[Plant] = ()
    months: Callable[[], pa.Table] | None = None


@dataclass(slots=True)
class Feed:
    """A department's table as its system holds it, at any moment."""

    draft: Draft
    plants: Sequence[Plant]
    _delivered: Delivered = field(init=False)

    def __post_init__(self) -> None:
        self._delivered = deliver(self.draft.clean, self.draft.properties, self.plants)

    @property
    def name(self) -> str:
        """The feed's name."""
        return self.draft.name

    @property
    def units(self) -> dict[str, str]:
        """UCUM units by property, as delivered."""
        return {p.name: p.unit for p in self.draft.properties}

    def rows(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        known_at: datetime | None = None,
        changed_after: datetime | None = None,
    ) -> pa.Table:
        """What the source shows at `known_at` (None: when all has arrived) of periods that begin in [since, until).

        `changed_after` leaves only rows that appeared or changed after that moment: what a reader with a cursor gets.
        Rows are in order of time and place; copies stand behind the row they copy.
        """
        known = moment(known_at) if known_at else FOREVER
        rows = self._between(since, until)
        delivered = self._delivered
        rows = rows[~delivered.absent[rows] & (delivered.ready[rows] <= known)]
        if self.draft.clean.gone is not None:
            rows = rows[self.draft.clean.gone[rows] > known]
        values = {name: column[rows] for name, column in delivered.values.items()}
        changed = delivered.ready[rows]
        for at, revised, column, new in delivered.revisions:
            if at > known:
                break
            here, there = _meet(rows, revised)
            values[column][here] = new[there]
            changed[here] = np.maximum(changed[here], at)
        rows, values, changed = self._repeated(rows, values, changed, known)
        if changed_after is not None:
            fresh = changed > moment(changed_after)
            rows, changed = rows[fresh], changed[fresh]
            values = {name: column[fresh] for name, column in values.items()}
        return self._show(View(self.draft.clean, rows, values, changed, self.draft.step or 0))

    def clean(self, since: datetime | None = None, until: datetime | None = None) -> pa.Table:
        """The same rows without any fault: what the instruments would have told."""
        block, rows = self.draft.clean, self._between(since, until)
        if block.gone is not None:
            rows = rows[block.gone[rows] > FOREVER]
        values = {name: column[rows] for name, column in block.values.items()}
        return self._show(View(block, rows, values, block.ready[rows], self.draft.step or 0))

    def standing(self) -> dict[str, Floats]:
        """Values by column as they stand in the end, row by row of the clean block; NaN in rows never shown."""
        found = {
            name: np.where(self._delivered.absent, np.nan, v) for name, v in self._delivered.values.items()
        }
        for _, rows, column, new in self._delivered.revisions:
            found[column][rows] = new
        return found

    def first(self) -> dict[str, Floats]:
        """Values by column as they were first shown, row by row of the clean block; those of rows never shown too."""
        return self._delivered.values

    def next_change(self, after: datetime) -> int | None:
        """The next moment (seconds since 1970) at which the source shows something else; None if never."""
        moments = [
            self._delivered.ready[~self._delivered.absent],
            np.array([r[0] for r in self._delivered.revisions], np.int64),
            np.array([r[0] for r in self._delivered.repeats], np.int64),
        ]
        later = np.concatenate(moments)
        later = later[later > moment(after)]
        return int(later.min()) if len(later) else None

    def _between(self, since: datetime | None, until: datetime | None) -> Ints:
        edges = (moment(since) if since else -FOREVER, moment(until) if until else FOREVER)
        first, last = np.searchsorted(self.draft.clean.time, edges)
        return np.arange(first, last)

    def _repeated(
        self, rows: Ints, values: dict[str, Floats], changed: Ints, known: int
    ) -> tuple[Ints, dict[str, Floats], Ints]:
        more, copied = np.ones(len(rows), np.int64), np.zeros(len(rows), np.int64)
        for at, repeated, copies in self._delivered.repeats:
            if at <= known:
                here, _ = _meet(rows, repeated)
                more[here] += copies
                copied[here] = at
        if (more == 1).all():
            return rows, values, changed
        old = np.concatenate(([0], np.cumsum(more)[:-1]))
        moments = np.repeat(np.maximum(copied, changed), more)
        moments[old] = changed  # the row itself stays as old as it was
        return np.repeat(rows, more), {n: np.repeat(c, more) for n, c in values.items()}, moments

    def _show(self, view: View) -> pa.Table:
        shown = pa.table({column.name: column.of(view) for column in self.draft.columns})
        return shown.replace_schema_metadata(
            {"data": "synthetic", "feed": self.draft.name, "department": self.draft.department}
        )


def _meet(rows: Ints, others: Ints) -> tuple[Ints, Ints]:
    """Positions in `rows` and in `others` of what both hold; `rows` are sorted."""
    if not len(rows):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    spot = np.minimum(np.searchsorted(rows, others), len(rows) - 1)
    there = np.flatnonzero(rows[spot] == others)
    return spot[there], there
