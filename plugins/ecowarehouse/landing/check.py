"""The landing check: which received rows and cells can be used at all: a function of content and contract.

It judges no value: a negative concentration lands, and core's tests say what they think of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ecowarehouse.contracts import ObservationContract
from ecowarehouse.contracts.period import Period
from ecowarehouse.contracts.site import CODE_JOINT
from ecowarehouse.contracts.values import factors_of
from ecowarehouse.formats.model import Rejected, as_csv
from ecowarehouse.landing.long import Mask, Meant, Numbers, meant

NUMBER = r"^[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?$"
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)
_DIRECTIVES = {"Y": r"\d{4}", "m": r"\d{2}", "d": r"\d{2}", "H": r"\d{2}", "M": r"\d{2}", "S": r"\d{2}"}
_NONE = np.int64(np.iinfo(np.int64).min)  # no period
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Checked:
    """What lands and what doesn't.

    `table` has `row_number`, `rejected_columns` (a PostgreSQL array literal, null when no cell is rejected)
    and the columns that land. `period_to` is the end of the newest period; without a usable row
    both are None. `periods` are those that rows came of, adjoining ones as one.
    """

    table: pa.Table
    rejects: list[Rejected]
    period_from: datetime | None
    period_to: datetime | None
    newest_period_sites: int
    fullest_period_sites: int
    partial: bool
    partial_reason: str | None = None
    periods: tuple[tuple[datetime, datetime], ...] = ()


def check(
    contract: ObservationContract, table: pa.Table, known_sites: set[str] | None = None, *, known_at: datetime
) -> Checked:
    """Judge one received content.

    `known_at` is when the source said it: a period may end no later than `ahead` after it. `known_sites` is
    the register, asked only when the contract says `sites: register`.
    """
    table = table.combine_chunks()
    sites = _Codes.of(_site_codes(contract, table))
    starts, unaligned = _starts(contract, table[contract.period.column])
    rejects = _RowRejects(contract, table)
    if contract.period.empty == "no_reading":
        silent = _Codes.of(_trimmed(table[contract.period.column], contract)).member_of(
            contract.missing_marks
        )
        rejects.add(silent, "no_reading", "the source gives no period: there is no reading")
    rejects.add(_without_key(contract, table), "key_missing", f"no value in one of {', '.join(contract.key)}")
    rejects.add(_with_nul(contract, table), "not_text", "holds a NUL character")
    rejects.add(
        starts == _NONE, "period_unparsable", f"{contract.period.column} is no {contract.period.format}"
    )
    earliest, latest = _plausible(contract, known_at)
    rejects.add(starts < earliest, "period_implausible", f"before {contract.period.plausible.start}")
    late = f"ends more than {contract.period.plausible.ahead} after {known_at.isoformat()}"
    rejects.add(starts > latest, "period_implausible", late)
    grid = contract.period.grid or contract.averaging
    rejects.add(
        unaligned, "period_unaligned", f"begins at none of the moments that lie {grid} apart from midnight"
    )
    if contract.sites == "register" and known_sites is not None:
        rejects.add(~sites.member_of(known_sites), "unknown_site", "not in the register")
    long = meant(contract, contract.long, table) if contract.long else None
    if long is not None:
        _add_unknown(contract, rejects, long)
    rejects.add_repetitions([sites.codes, starts, *([long.channels] if long else [])])
    return _checked(contract, table, rejects, _Places(contract, sites, starts, long), long)


def _add_unknown(contract: ObservationContract, rejects: _RowRejects, long: Meant) -> None:
    """Rows of which nobody can say what they are a value of, or in which unit."""
    codes = ", ".join(code for name in contract.channels for code in contract.codes_of(name))
    rejects.add(long.channels < 0, "unknown_property", f"no channel has this code; there are: {codes}")
    for place, (name, channel) in enumerate(contract.channels.items()):
        units = " or ".join(factors_of(channel)) or "no unit"
        wrong = ~long.unit_known & (long.channels == place)
        rejects.add(
            wrong, "unknown_unit", f"{name} may come in {units}; name another in channels.{name}.units"
        )


def period_start(period: Period, label: str) -> datetime | None:
    """The start of the period that a label names, None when it can't be read."""
    moment = _parse(period, label)
    if moment is None:
        return None
    return moment - period.averaging if period.label == "end" else moment


def _checked(
    contract: ObservationContract,
    table: pa.Table,
    rejects: _RowRejects,
    places: _Places,
    long: Meant | None,
) -> Checked:
    kept = ~rejects.mask
    sites, starts = places.sites.codes[kept], places.starts[kept]
    landed = table.filter(pa.array(kept)) if rejects.mask.any() else table
    if contract.long is None or long is None:
        bad = list(_bad_cells(contract, landed, contract.number_channels))
    else:
        found = _bad_cells(contract, landed, (contract.long.value,))
        bad = [(name, mask & long.is_number[kept]) for name, mask in found]
    literals = _array_literals(bad, len(landed))
    cells = list(_cell_rejects(landed, bad, places, np.flatnonzero(kept)))
    landed = landed.select(["row_number", *contract.landed]).add_column(1, "rejected_columns", literals)
    newest, fullest, periods = _site_counts(sites, starts)
    share = contract.partial.newest_period_share
    partial = share is not None and periods > 1 and newest < share * fullest
    return Checked(
        table=landed,
        rejects=sorted([*rejects.rows(places), *cells], key=lambda r: (r.row_number or 0, r.column or "")),
        period_from=_moment(int(starts.min())) if len(starts) else None,
        period_to=_moment(int(starts.max())) + contract.averaging if len(starts) else None,
        newest_period_sites=newest,
        fullest_period_sites=fullest,
        partial=partial,
        partial_reason="caught_mid_update" if partial else None,
        periods=_periods(starts, contract) if contract.period.every is None else (),
    )


def _periods(starts: Numbers, contract: ObservationContract) -> tuple[tuple[datetime, datetime], ...]:
    """The periods that begin there, adjoining and overlapping ones as one."""
    if not len(starts):
        return ()
    different = np.unique(starts)
    gaps = np.flatnonzero(np.diff(different) > contract.averaging // _MICROSECOND)
    firsts, lasts = different[np.r_[0, gaps + 1]], different[np.r_[gaps, -1]]
    return tuple(
        (_moment(int(first)), _moment(int(last)) + contract.averaging)
        for first, last in zip(firsts, lasts, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Codes:
    """A text column as small numbers: what is asked of a text is asked once for each different text."""

    codes: Numbers
    texts: pa.Array

    @classmethod
    def of(cls, column: Any) -> _Codes:
        encoded = pc.dictionary_encode(_one(column))
        return cls(np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64), encoded.dictionary)

    def spread(self, answers: Any) -> Any:
        """Answers for the different texts, as answers for the rows."""
        return (
            np.asarray(answers)[self.codes]
            if len(self.texts)
            else np.zeros(0, dtype=np.asarray(answers).dtype)
        )

    def member_of(self, texts: Iterable[str]) -> Mask:
        """Which rows hold one of these texts."""
        found: Mask = self.spread(_mask(pc.is_in(self.texts, value_set=pa.array(list(texts), pa.string()))))
        return found


@dataclass(frozen=True, slots=True)
class _Places:
    """Of which value a received row is."""

    contract: ObservationContract
    sites: _Codes
    starts: Numbers
    long: Meant | None

    def of(self, row: int) -> tuple[str | None, str | None, datetime | None]:
        """Site, channel (only where rows have one value) and start of the period, None where it can't be read."""
        site = self.sites.texts[int(self.sites.codes[row])].as_py() or None
        place = -1 if self.long is None else int(self.long.channels[row])
        start = int(self.starts[row])
        return (
            None if site is None or "\0" in site else site,
            list(self.contract.channels)[place] if place >= 0 else None,
            None if start == _NONE else _moment(start),
        )


class _RowRejects:
    """Rows that don't land, each with the first reason found."""

    def __init__(self, contract: ObservationContract, table: pa.Table) -> None:
        self._contract = contract
        self._table = table
        self._found: list[tuple[Numbers, str, str]] = []
        self.mask: Mask = np.zeros(len(table), dtype=np.bool_)

    def add(self, mask: Mask, reason: str, detail: str) -> None:
        """Reject the rows of a mask that no earlier reason has taken."""
        new = mask & ~self.mask
        if new.any():
            self._found.append((np.flatnonzero(new), reason, detail))
            self.mask |= new

    def add_repetitions(self, keys: list[Numbers]) -> None:
        """Of rows with one key the last stays; the others are the same (duplicate) or not (conflicting)."""
        rows = np.flatnonzero(~self.mask)
        group = _group(keys, rows)
        order = np.argsort(group, kind="stable")
        ordered = group[order]
        repeated = np.flatnonzero(ordered[1:] == ordered[:-1])
        if not len(repeated):
            return
        last_of = np.searchsorted(ordered, ordered[repeated], side="right") - 1
        losers, kept = rows[order[repeated]], rows[order[last_of]]
        same = self._same(losers, kept)
        numbers = self._table["row_number"].to_numpy()
        for is_same, reason in ((True, "duplicate_row"), (False, "conflicting_row")):
            chosen = losers[same == is_same]
            if len(chosen):
                detail = "the same key stands in a later row, which was kept"
                example = self._contract.received_row(int(numbers[kept[same == is_same][0]]))
                self._found.append(
                    (chosen, reason, f"{detail}: row {example}" if len(chosen) == 1 else detail)
                )
        self.mask[losers] = True

    def _same(self, losers: Numbers, kept: Numbers) -> Mask:
        same: Mask = np.ones(len(losers), dtype=np.bool_)
        for name in self._contract.landed:
            if name not in self._contract.key:
                column = _one(self._table[name])
                same &= _mask(pc.equal(column.take(pa.array(losers)), column.take(pa.array(kept))))
        return same

    def rows(self, places: _Places) -> Iterator[Rejected]:
        """One reject for each row."""
        for indices, reason, detail in self._found:
            part = self._table.take(pa.array(indices))
            for index, number, text in zip(
                indices, part["row_number"].to_pylist(), _texts(self._contract, part), strict=True
            ):
                yield Rejected(number, None, reason, detail, text, *places.of(int(index)))


def _texts(contract: ObservationContract, table: pa.Table) -> Iterator[str]:
    columns = [table[name].to_pylist() for name in contract.landed]
    for cells in zip(*columns, strict=True):
        yield as_csv(cells)


def _site_codes(contract: ObservationContract, table: pa.Table) -> pa.Array:
    texts = [_trimmed(table[name], contract) for name in contract.site.code_columns]
    return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, CODE_JOINT)


def _group(keys: list[Numbers], rows: Numbers) -> Numbers:
    """One number for each different key, the same for the same key."""
    group: Numbers = np.zeros(len(rows), dtype=np.int64)
    for key in keys:
        different, codes = np.unique(key[rows], return_inverse=True)
        group = group * (len(different) or 1) + codes
    return group


def _without_key(contract: ObservationContract, table: pa.Table) -> Mask:
    missing: Mask = np.zeros(len(table), dtype=np.bool_)
    for name in contract.key:
        missing |= _Codes.of(_trimmed(table[name], contract)).member_of(contract.missing_marks)
    return missing


def _with_nul(contract: ObservationContract, table: pa.Table) -> Mask:
    found: Mask = np.zeros(len(table), dtype=np.bool_)
    for name in contract.landed:
        column = _one(table[name])
        # One look at the bytes of the column costs nothing; only a hit asks row by row.
        data = column.buffers()[2]
        if data is not None and b"\0" in memoryview(data).tobytes():
            found |= _mask(pc.match_substring(column, "\0"))
    return found


def _bad_cells(
    contract: ObservationContract, table: pa.Table, columns: Iterable[str]
) -> Iterator[tuple[str, Mask]]:
    censored = contract.censored
    for name in columns:
        cells = _Codes.of(_trimmed(table[name], contract))
        number = _mask(pc.match_substring_regex(cells.texts, NUMBER))
        mark = _mask(pc.is_in(cells.texts, value_set=pa.array(contract.missing_marks, pa.string())))
        ok = (
            number
            | mark
            | _mask(pc.is_in(cells.texts, value_set=pa.array(censored.not_detected, pa.string())))
        )
        if censored.pattern is not None:
            ok |= _mask(pc.match_substring_regex(cells.texts, censored.pattern))
        if not ok.all():
            yield name, cells.spread(~ok)


def _array_literals(bad: list[tuple[str, Mask]], rows: int) -> pa.Array:
    literals = np.full(rows, None, dtype=object)
    for name, mask in bad:
        before = literals[mask]
        literals[mask] = [name if text is None else f"{text},{name}" for text in before]
    filled = pa.array(literals, pa.string())
    return pc.binary_join_element_wise(pa.scalar("{"), filled, pa.scalar("}"), "")


def _cell_rejects(
    table: pa.Table, bad: list[tuple[str, Mask]], places: _Places, rows: Numbers
) -> Iterator[Rejected]:
    detail = "neither a number nor a mark of the contract"
    for name, mask in bad:
        part = table.filter(pa.array(mask))
        for index, number, cell in zip(
            rows[mask], part["row_number"].to_pylist(), part[name].to_pylist(), strict=True
        ):
            site, channel, start = places.of(int(index))
            yield Rejected(number, name, "not_a_number", detail, cell, site, channel or name, start)


def _site_counts(sites: Numbers, starts: Numbers) -> tuple[int, int, int]:
    """Sites of the newest period, of the fullest period, and the number of periods."""
    if not len(starts):
        return 0, 0, 0
    periods, codes = np.unique(starts, return_inverse=True)
    width = int(sites.max()) + 1
    counts = np.bincount(np.unique(codes * width + sites) // width, minlength=len(periods))
    return int(counts[-1]), int(counts.max()), len(periods)


def _starts(contract: ObservationContract, column: Any) -> tuple[Numbers, Mask]:
    """Starts of the periods in microseconds since 1970 UTC, `_NONE` where the label can't be read, and which of them
    lie beside the grid.
    """
    labels = _Codes.of(_trimmed(column, contract))
    moments = [period_start(contract.period, text) for text in labels.texts.to_pylist()]
    answers = np.array([_NONE if m is None else _microseconds(m) for m in moments], dtype=np.int64)
    beside = np.array([m is not None and not _aligned(contract.period, m) for m in moments], dtype=np.bool_)
    return labels.spread(answers), labels.spread(beside)


def _aligned(period: Period, start: datetime) -> bool:
    try:
        return period.aligned(start)
    except OverflowError:  # the first or last day that Python knows, which is implausible anyway
        return True


def _plausible(contract: ObservationContract, known_at: datetime) -> tuple[int, int]:
    rule = contract.period.plausible
    first = datetime(rule.start.year, rule.start.month, rule.start.day, tzinfo=contract.period.zone)
    return _microseconds(first), _microseconds(known_at + rule.ahead - contract.averaging)


def _parse(period: Period, label: str) -> datetime | None:
    try:
        if period.format != "iso8601":
            pattern = re.sub(r"%(.)", lambda m: _DIRECTIVES[m.group(1)], re.escape(period.format))
            if not re.fullmatch(pattern, label, re.ASCII):
                return None
            return datetime.strptime(label, period.format).replace(tzinfo=period.zone).astimezone(UTC)
        match = _ISO.fullmatch(label)
        moment = datetime.fromisoformat(label) if match else None
        if moment is None:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=period.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _trimmed(column: Any, contract: ObservationContract) -> Any:
    return pc.utf8_trim(_one(column), characters="".join(contract.trim)) if contract.trim else _one(column)


def _one(column: Any) -> Any:
    """A column as one array without nulls."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return pc.fill_null(column, "") if column.null_count else column


def _mask(answers: Any) -> Mask:
    mask: Mask = np.asarray(answers.to_numpy(zero_copy_only=False), dtype=np.bool_)
    return mask
