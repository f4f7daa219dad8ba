"""Channels: what each column of a feed carries, written from the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from ecowarehouse.contracts import ObservationContract


class ChannelChanged(ValueError):
    """A channel would mean something else from now on; old and new values must not share a series."""


def apply(conn: psycopg.Connection[Any], contract: ObservationContract) -> int:
    """Write the channels of a contract; returns how many are new.

    Raises `ChannelChanged` when a known channel's property, procedure, period, unit or kind differs.
    """
    new = 0
    for name, channel in contract.channels.items():
        wanted = (
            contract.element,
            channel.property,
            channel.procedure,
            channel.averaging,
            channel.sample_part,
            channel.unit,
            channel.original_unit,
            contract.series_kind,
            channel.kind,
        )
        known = conn.execute(
            "select element, property, procedure, averaging_period, sample_part, unit, original_unit, series_kind,"
            " value_kind from core.channel where feed = %s and channel = %s",
            [contract.feed, name],
        ).fetchone()
        if known is None:
            conn.execute(
                "insert into core.channel (feed, channel, element, property, procedure, averaging_period, sample_part,"
                " unit, original_unit, series_kind, value_kind) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [contract.feed, name, *wanted],
            )
            new += 1
        elif known != wanted:
            raise ChannelChanged(
                f"{contract.feed}: channel {name} was {known} and the contract now says {wanted}."
                " Give the changed meaning a feed of its own, so that old and new values stay apart."
            )
    return new
