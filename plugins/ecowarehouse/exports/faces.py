"""Two faces: what the public gets and what departments get. Declared in the exposures and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal, get_args

from ecowarehouse.datasets import Dataset, Text

Face = Literal["open", "shared"]
FACES: Final[tuple[Face, ...]] = get_args(Face)


class ExportError(RuntimeError):
    """A dataset cannot be exported as it stands; the message names it and the mend."""


def is_shown(dataset: Dataset, face: Face) -> bool:
    """Whether a face has the dataset at all: departments read all of them, the public those that are open."""
    return face == "shared" or dataset.publishing.open


def withheld(dataset: Dataset, face: Face, today: date) -> Text | None:
    """Why the authority's word does not cover publication on this day; None if it does.

    Args:
        dataset: the dataset, with the validity of its publishing.
        face: departments do not depend on it.
        today: the city's date.
    """
    known = dataset.publishing
    if face != "open":
        return None
    if known.valid_from is not None and today < known.valid_from:
        return Text(
            zh=f"发布依据自 {known.valid_from} 起生效",
            en=f"the ground for publishing holds from {known.valid_from} on",
        )
    if known.valid_to is not None and today > known.valid_to:
        return Text(
            zh=f"发布依据已于 {known.valid_to} 期满",
            en=f"the ground for publishing ended with {known.valid_to}",
        )
    return None


def columns_shown(dataset: Dataset, face: Face, published: Sequence[str]) -> list[str]:
    """The columns that a face has, in the order of the published table.

    Raises:
        ExportError: an open column or a part of the key was never published.
    """
    if face == "shared":
        return list(published)
    if unknown := [name for name in dataset.open_columns if name not in published]:
        raise ExportError(
            f"{dataset.dataset}: open column {', '.join(unknown)} was never released. Mend: eco cycle {dataset.element}"
        )
    if closed := [name for name in dataset.key if name not in dataset.open_columns]:
        raise ExportError(f"{dataset.dataset}: key column {', '.join(closed)} is not among open_columns")
    return [name for name in published if name in dataset.open_columns]
