"""Whose values may be corrected here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from ecowarehouse.decisions.problems import DecisionRefused

if TYPE_CHECKING:
    from ecowarehouse.contracts import Contract
    from ecowarehouse.settings import Settings


def require_own(settings: Settings, contract: Contract) -> None:
    """Return if the feed's values may be corrected here.

    Raises:
        DecisionRefused: they are another authority's: what it says comes to be only by receiving it again.
    """
    correctable = contract.correctable
    if correctable is None:
        correctable = _is_local(settings, contract.department)
    if not correctable:
        raise DecisionRefused(
            f"{contract.feed} is a feed of {contract.authority}, which is not the city's own department: its values"
            " can't be corrected here, only received again (eco load). A value that must not count is reviewed"
            f" (eco review); what the city owns says `correctable: true` in the contract · {contract.feed}"
            f" 属于{contract.authority}，本市只能重新接收，不能更正"
        )


def _is_local(settings: Settings, department: str) -> bool:
    path = settings.city / "departments.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return bool((content or {}).get(department, {}).get("local", False))
