"""What the rows of a feed with one value a row are values of (`contracts/shape.py`, `Long`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ecowarehouse.contracts.values import factors_of, normal_unit

if TYPE_CHECKING:
    from ecowarehouse.contracts import ObservationContract
    from ecowarehouse.contracts.shape import Long

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Meant:
    """Of each row: the place of its channel in the contract (-1: no channel has its code), whether its value must be a
    number, and whether the channel can come in its unit.
    """

    channels: Numbers
    is_number: Mask
    unit_known: Mask


def meant(contract: ObservationContract, long: Long, table: pa.Table) -> Meant:
    """What each row of a table that is about to land is a value of; texts are compared as `trim` leaves them."""
    places = {code: place for place, name in enumerate(contract.channels) for code in contract.codes_of(name)}
    codes, texts = _encoded(contract, table, long.channel)
    channels = np.array([places.get(text, -1) for text in texts], dtype=np.int64)[codes]
    numbers = np.array([channel.kind == "number" for channel in contract.channels.values()] + [False])
    return Meant(channels, numbers[channels], _unit_known(contract, long, table, channels))


def _unit_known(contract: ObservationContract, long: Long, table: pa.Table, channels: Numbers) -> Mask:
    if long.unit is None:
        return np.ones(len(table), dtype=np.bool_)
    units, texts = _encoded(contract, table, long.unit)
    factors = [factors_of(channel) for channel in contract.channels.values()]
    known = np.array(
        [[normal_unit(text) in units for text in texts] for units in [*factors, {}]], dtype=np.bool_
    )
    found: Mask = known[channels, units] if len(texts) else np.ones(len(table), dtype=np.bool_)
    return found


def _encoded(contract: ObservationContract, table: pa.Table, name: str) -> tuple[Numbers, list[str]]:
    """A column as numbers of its different texts; an empty table has no text, and nothing is looked up."""
    column = pc.fill_null(table[name], "")
    if contract.trim:
        column = pc.utf8_trim(column, characters="".join(contract.trim))
    encoded = pc.dictionary_encode(pa.chunked_array(column.chunks, pa.string()).combine_chunks())
    return np.asarray(
        encoded.indices.to_numpy(zero_copy_only=False), np.int64
    ), encoded.dictionary.to_pylist()
