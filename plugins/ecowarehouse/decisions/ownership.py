"""Whose values may be corrected here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ecowarehouse.decisions.problems import DecisionRefused
from ecowarehouse.duties import Duties, departments

if TYPE_CHECKING:
    from ecowarehouse.contracts import ObservationContract
    from ecowarehouse.settings import Settings


def require_own(settings: Settings, contract: ObservationContract) -> None:
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


def require_duty(settings: Settings, contract: ObservationContract, department: str | None) -> str:
    """The department for which somebody decides about values of the feed, if it may; by default the house's own.

    Who leads an element, alone or jointly, decides about all its values; who delivers, about its own.

    Raises:
        DecisionRefused: it has no such duty today.
    """
    named = department or settings.department
    duties = Duties.read(settings.city)
    today = datetime.now(ZoneInfo(settings.timezone)).date()
    own = named == contract.department and duties.delivers(named, contract.element, today)
    if own or duties.may_decide(named, contract.element, today):
        return named
    raise DecisionRefused(
        f"{named} may not decide about {contract.feed}: today it neither leads {contract.element}, alone or jointly,"
        f" nor delivers the feed as {contract.department} does; name the department that does by --department, or write"
        f" the duty with its document into duties.csv · {named} 对 {contract.element} 无审核职责"
    )


def _is_local(settings: Settings, department: str) -> bool:
    return bool(departments(settings.city).get(department, {}).get("local", False))
