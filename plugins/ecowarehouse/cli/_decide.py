"""What the commands that record decisions share: periods, datasets, contracts, and one line of answer."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ecowarehouse.contracts import ObservationContract
    from ecowarehouse.datasets import Dataset
    from ecowarehouse.settings import Settings

PERIOD = "2019, 2019-07, 2019-07-18 or 2019-07-18T08, by the city's clock."


def settings() -> Settings:
    """Settings of this process."""
    from ecowarehouse.settings import Settings

    return Settings.load()


def periods(first: str, last: str | None, zone: str) -> tuple[datetime, datetime]:
    """From the start of the first to the end of the last, which is included; one period without a last."""
    from ecowarehouse.decisions import DecisionRefused
    from ecowarehouse.gate.store import GateError
    from ecowarehouse.gate.waivers import parse_period

    try:
        return parse_period(f"{first}/{last}" if last else first, zone)
    except GateError as error:
        raise DecisionRefused(str(error)) from error


def moment(text: str, zone: str) -> datetime:
    """An ISO date or moment; without an offset, by the city's clock."""
    from zoneinfo import ZoneInfo

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no ISO date or moment", param_hint="--until") from error
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def dataset(name: str, given: Settings) -> Dataset:
    """The dataset of this name."""
    from ecowarehouse.datasets import load_datasets
    from ecowarehouse.decisions import DecisionRefused

    found = {one.dataset: one for one in load_datasets(given)}
    if name not in found:
        raise DecisionRefused(f"unknown dataset {name!r}; known: {', '.join(sorted(found))}")
    return found[name]


def contract(feed: str, given: Settings) -> ObservationContract:
    """The contract of this feed."""
    from ecowarehouse.contracts import load_contracts
    from ecowarehouse.decisions import DecisionRefused

    found = load_contracts(given.city)
    if feed not in found.contracts:
        raise DecisionRefused(found.unknown(feed))
    if feed not in found.observations:
        raise DecisionRefused(f"{feed} is a register; decisions are about values: mend the register itself")
    return found.observations[feed]


def subject(name: str) -> None:
    """Refuse what is neither a dataset nor a feed: of it there is nothing to list."""
    from ecowarehouse.contracts import load_contracts
    from ecowarehouse.datasets import load_datasets
    from ecowarehouse.decisions import DecisionRefused

    given = settings()
    known = {one.dataset for one in load_datasets(given)} | set(load_contracts(given.city).contracts)
    if name not in known:
        raise DecisionRefused(
            f"{name!r} is neither a dataset nor a feed; there are {', '.join(sorted(known))}"
        )


def tell(reference: Any, element: str, as_json: bool, **more: Any) -> None:
    """The decision's id and what makes it show."""
    import json

    if as_json:
        typer.echo(
            json.dumps({"decision": reference, "element": element, **more}, default=str, ensure_ascii=False)
        )
        return
    said = "".join(f"  {name} {value}" for name, value in more.items() if value is not None)
    typer.echo(f"decision {reference} recorded.{said}  Next: eco cycle {element}, or the next run does it")
