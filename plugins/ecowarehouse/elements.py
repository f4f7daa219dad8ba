"""What a run of some elements takes up: their feeds, the elements themselves, and what it had to leave out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecowarehouse.contracts import Contract, ContractSet, load_contracts
from ecowarehouse.datasets import load_datasets
from ecowarehouse.settings import Settings


class UnknownElement(ValueError):
    """This city has neither a contract nor a dataset for the element."""


class ContractsBroken(RuntimeError):
    """Contracts could not be read, so their feeds were left out; the message says what to mend in each."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Feeds and elements of a run in a fixed order; `broken` is why it can't end well."""

    contracts: tuple[Contract, ...]
    elements: tuple[str, ...]
    broken: ContractsBroken | None

    def raise_for_broken(self) -> None:
        """Raise `ContractsBroken` when the rest is done: a run that left a feed out must not end green."""
        if self.broken is not None:
            raise self.broken


def choose(settings: Settings, names: Sequence[str] = ()) -> Choice:
    """All of the city, or some elements. A broken contract counts whatever was asked: nobody knows what it is for.

    Raises `UnknownElement`.
    """
    found = load_contracts(settings.city)
    known = elements_of(found, settings)
    if unknown := sorted(set(names) - set(known)):
        raise UnknownElement(
            f"no contract or dataset speaks of {', '.join(unknown)}; elements here: {', '.join(known)}"
        )
    elements = tuple(element for element in known if not names or element in names)
    return Choice(
        contracts=tuple(
            contract for _, contract in sorted(found.contracts.items()) if contract.element in elements
        ),
        elements=elements,
        broken=ContractsBroken("\n".join(b.message for b in found.broken.values())) if found.broken else None,
    )


def elements_of(found: ContractSet, settings: Settings) -> tuple[str, ...]:
    """Elements with a contract or a dataset, sorted: one whose every contract is broken still has its data.

    Those that follow all feeds come last, so that a cycle takes up once what the others did.
    """
    followers = following_all(settings)
    known = {*found.elements, *(dataset.element for dataset in load_datasets(settings))}
    return tuple(sorted(known, key=lambda element: (element in followers, element)))


def following_all(settings: Settings) -> frozenset[str]:
    """Elements that have no feeds of their own: their datasets follow those of all others."""
    return frozenset(dataset.element for dataset in load_datasets(settings) if not dataset.feeds)
