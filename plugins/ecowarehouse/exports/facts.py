"""What a version says of itself beside its rows: who, on which ground, from which source, under which licence."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecowarehouse.contracts import Contract, ObservationContract
from ecowarehouse.datasets import Dataset
from ecowarehouse.exports.faces import ExportError, Face
from ecowarehouse.settings import City


@dataclass(frozen=True, slots=True)
class Facts:
    """The declared facts of one dataset on one face; all of them stand in exposures, contracts and city.yml."""

    dataset: Dataset
    face: Face
    city: City
    sources: tuple[Contract, ...]

    @property
    def name(self) -> str:
        """`air_station_hour`, which is also the name of its folder."""
        return folder_name(self.dataset)

    @property
    def licences(self) -> list[dict[str, str]]:
        """One for each feed, as its contract words it."""
        return [{"name": _slug(f"as-stated-{one.feed}"), "title": one.licence} for one in self.sources]

    def declared(self) -> dict[str, Any]:
        """For the manifest, and for the metadata that travel with each Parquet file."""
        known = self.dataset.publishing
        return {
            "dataset": self.dataset.dataset,
            "titles": {"zh": self.dataset.title.zh, "en": self.dataset.title.en},
            "face": self.face,
            "open": known.open,
            "city": {"code": self.city.code, "zh": self.city.name, "en": self.city.name_en},
            "timezone": self.city.timezone,
            "grain": self.dataset.grain,
            "period_column": self.dataset.period_column,
            "authority": known.authority,
            "legal_basis": known.legal_basis,
            "valid_from": known.valid_from.isoformat() if known.valid_from else None,
            "valid_to": known.valid_to.isoformat() if known.valid_to else None,
            "note": {"zh": known.note.zh, "en": known.note.en},
            "sources": [
                {
                    "title": f"{one.authority}: {one.title.zh} · {one.title.en}",
                    "feed": one.feed,
                    "authority": one.authority,
                    "legal_basis": one.legal_basis,
                    "licence": one.licence,
                    "series_kind": one.series_kind if isinstance(one, ObservationContract) else "register",
                    "synthetic": one.synthetic,
                }
                for one in self.sources
            ],
            "licenses": self.licences,
        }


def folder_name(dataset: Dataset) -> str:
    """The folder of a dataset on each face, which is also the name of its relations."""
    return dataset.dataset.replace(".", "_")


def of_city(datasets: Sequence[Dataset], known: Collection[str]) -> list[Dataset]:
    """The datasets that a city has, each with the feeds that it has: another city's dataset is none of its own.

    `known`: feeds of the city's valid contracts, and feeds that ever delivered. Of such a feed there may be rows, so it
    stays a source of the dataset and without a valid contract an error of `facts_of`.
    """
    found = []
    for dataset in datasets:
        here = tuple(feed for feed in dataset.feeds if feed in known)
        if here or not dataset.feeds:
            found.append(dataset.model_copy(update={"feeds": here}))
    return found


def facts_of(dataset: Dataset, face: Face, city: City, contracts: Mapping[str, Contract]) -> Facts:
    """Gather them.

    Raises:
        ExportError: a feed of the dataset has no valid contract, so nobody can say its source and licence.
    """
    if missing := [feed for feed in dataset.feeds if feed not in contracts]:
        raise ExportError(
            f"{dataset.dataset}: no valid contract says source and licence of {', '.join(missing)}."
            " Mend: eco source check"
        )
    return Facts(dataset, face, city, tuple(contracts[feed] for feed in dataset.feeds or sorted(contracts)))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-")
