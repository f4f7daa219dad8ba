"""Releases and decisions by which rows go, as the tests of exports make them."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.integration.exports.export_house import ExportHouse


def take_away(house: ExportHouse, period: datetime) -> None:
    """A release by which the rows of one hour no longer hold, and nothing else changes."""
    house.feed.admin.execute(
        """
        with r as (
            insert into governance.release (element, build_id, step_id, known_at, inputs)
            select element, build_id, step_id, known_at, '{}' from governance.release order by release_id desc limit 1
            returning release_id
        ), gone as (
            update published.air_station_hour p set release_to = r.release_id from r
            where p.release_to is null and p.period_start = %(period)s returning 1
        )
        insert into governance.release_period (release_id, dataset, period_start, verdict, inserted, closed)
        select r.release_id, 'air.station_hour', %(period)s, 'publish', 0, (select count(*) from gone) from r
        """,
        {"period": period},
    )


def retract(house: ExportHouse, kind: str, period: datetime, up_to: int = 3) -> None:
    """A person's decision on one hour, decided before the newest of the first releases."""
    house.feed.admin.execute(
        "insert into decision.decision (kind, element, dataset, period_from, period_to, withdrawal, reason, decided_by,"
        " decided_at, step_id) select 'withdrawal', 'air', 'air.station_hour', %s, %s, %s, 'wrong inlet', 'Chen',"
        " max(released_at) - interval '1 millisecond', 1 from governance.release where release_id <= %s",
        [period, period + timedelta(hours=1), kind, up_to],
    )
