"""A recorded answer tried on a contract: read, shaped and checked as landing would, and nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from ecowarehouse.connectors import Delivery
from ecowarehouse.contracts import Contract, EntityContract, ObservationContract
from ecowarehouse.formats import FormatProblem
from ecowarehouse.landing import parts, shaping
from ecowarehouse.landing.check import Checked, check
from ecowarehouse.landing.check_entities import check as check_entities


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would land of one file: rows, rejected rows and cells by reason, or why none would."""

    rows: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    problem: str | None = None

    def __str__(self) -> str:
        if self.problem is not None:
            return self.problem
        rejected = ", ".join(f"{count} {reason}" for reason, count in sorted(self.rejects.items()))
        return f"{self.rows} rows would land" + (f", rejected: {rejected}" if rejected else "")


def rehearse(contract: Contract, path: Path, known_at: datetime | None = None) -> Rehearsal:
    """Try a file on a contract, as known at a moment (default: now). The register of sites is not asked."""
    moment = known_at or datetime.now(UTC)
    rows, rejects = 0, Counter[str]()
    delivery = Delivery(source=path.as_uri() if path.is_absolute() else path.name, payload=path)
    try:
        for one in parts.of(contract, delivery, None):
            form = contract.form_of(one.source, head=path.read_bytes()[:4096])
            received = list(shaping.read(contract, form, path, one.part))
            table = parts.only(contract, pa.concat_tables(found.table for found in received), one.part)
            checked = _checked(contract, table, moment)
            rows += len(checked.table)
            rejects.update(reject.reason for found in received for reject in found.rejects)
            rejects.update(reject.reason for reject in checked.rejects)
    except FormatProblem as problem:
        return Rehearsal(problem=str(problem))
    if rows == 0:
        return Rehearsal(
            0, dict(rejects), f"no row would land of {sum(rejects.values())} rejects: {dict(rejects)}"
        )
    return Rehearsal(rows, dict(rejects))


def _checked(contract: Contract, table: pa.Table, moment: datetime) -> Checked:
    if isinstance(contract, EntityContract):
        return check_entities(contract, table)
    assert isinstance(contract, ObservationContract)
    return check(contract, table, known_at=moment)
