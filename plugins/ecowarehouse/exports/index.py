"""The index of a face: every dataset with its newest version, its age and its state at the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ecowarehouse.datasets import Text
from ecowarehouse.exports import manifest
from ecowarehouse.exports.facts import Facts
from ecowarehouse.exports.gate_state import GateState
from ecowarehouse.settings import City

INDEX: Final = "index.json"


def entry(facts: Facts, gate: GateState, folder: Path, withheld: Text | None) -> dict[str, Any]:
    """What the index says of one dataset, read from its newest manifest; without a version most of it is null."""
    found = manifest.latest(folder) if withheld is None else None
    known = facts.declared()
    told: dict[str, Any] = {
        "dataset": known["dataset"],
        "title": known["titles"],
        "latest_version": found["version"] if found else None,
        "last_updated": found["last_updated"] if found else None,
        "rows": found["rows"] if found else 0,
        "period_from": found["period_from"] if found else None,
        "period_to": found["period_to"] if found else None,
        "synthetic": found["synthetic"] if found else False,
        "editions": found["editions"] if found else [],
        "open": known["open"] and withheld is None,
        "withheld": withheld.model_dump() if withheld else None,
        "licence": "; ".join(dict.fromkeys(one["title"] for one in known["licenses"])),
        "gate": gate.told(),
    }
    told |= {
        name: known[name] for name in ("grain", "authority", "legal_basis", "valid_from", "valid_to", "note")
    }
    told |= {
        "latest": f"{facts.name}/{manifest.LATEST}" if found else None,
        "datapackage": f"{facts.name}/{found['version']}{manifest.PACKAGE}" if found else None,
    }
    return told


def index(city: City, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The whole: `last_updated` is the newest release or judgement that it tells of, never the wall's clock."""
    moments = [one["last_updated"] for one in entries] + [one["gate"]["judged_at"] for one in entries]
    return {
        "last_updated": max(
            (moment for moment in moments if moment), default=None, key=datetime.fromisoformat
        ),
        "city": {"code": city.code, "zh": city.name, "en": city.name_en, "timezone": city.timezone},
        "licence": "; ".join(dict.fromkeys(one["licence"] for one in entries)),
        "datasets": list(entries),
    }
