"""Flags beside values: what the tests say of the versions that hold (QARTOD scale; no row is good).

The thresholds are rows of `vocabulary.quality_rule`; what a flag does to validity is `vocabulary.flag_effect`.
"""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import Any, Final

import psycopg

JUDGES: Final = ("judge_missing.sql", "judge_range.sql", "judge.sql", "judge_part.sql", "judge_device.sql")

# Tests that look at more than the next values, each of a file of its own: judged after the others, in wider ranges.
AROUND: Final = ("lone_spike", "flat_run", "unit_error", "drift")
AROUND_JUDGES: Final = tuple(f"judge_{test}.sql" for test in AROUND)

# A changed value can change what is said of its predecessor (spike) and of those after it, as far as the longest run
# that a flat-line rule knows; and tests compare properties of a site (PM2.5 with PM10). So all series of a touched
# site are judged again, from one period before to one run after.
_RANGES = """
create temporary table judging on commit drop as
with reach as (
    select %(step)s * (coalesce(max(greatest(min_run, threshold_fail)), 1) + 1)::integer as ahead
    from vocabulary.quality_rule
    where test = 'flat_line'
),
site as (
    select series.feed, series.site_code, min(touched.period_from) as period_from, max(touched.period_to) as period_to
    from touched
    inner join core.series using (series_id)
    group by series.feed, series.site_code
)
select series.series_id, site.period_from - %(step)s as judge_from, site.period_to + reach.ahead as judge_to
from site
cross join reach
inner join core.series using (feed, site_code)
"""

# How far before and after a changed value each of the tests of AROUND may change its mind, by what it reads: a run
# as far as it is long, its habit, the level before it. The widest of a site's series holds for all of them.
_WIDER_RANGES = """
create temporary table judging on commit drop as
with reach as (
    select
        property,
        max(case test
            when 'flat_run' then threshold_fail * %(step)s
            when 'lone_spike' then (reach + 1) * %(step)s
            when 'unit_error' then min_run * %(step)s
            when 'drift' then reach * %(step)s + interval '1 day'
        end) as behind,
        max(case test
            when 'flat_run' then (threshold_fail + reach) * %(step)s
            when 'lone_spike' then (reach + 1) * %(step)s
            when 'unit_error' then (2 * reach + min_run) * %(step)s
            when 'drift' then reach * %(step)s + interval '1 day'
        end) as ahead
    from vocabulary.quality_rule
    where test = any(%(tests)s) and averaging_period::interval = %(step)s
    group by property
),
site as (
    select series.feed, series.site_code, min(touched.period_from) as period_from, max(touched.period_to) as period_to
    from touched
    inner join core.series using (series_id)
    group by series.feed, series.site_code
)
select series.series_id,
    site.period_from - max(reach.behind) over of_site as judge_from,
    site.period_to + max(reach.ahead) over of_site as judge_to
from site
inner join core.series using (feed, site_code)
inner join reach on reach.property = series.property
window of_site as (partition by site.feed, site.site_code)
"""

# `offset 0`: range by range, as judge_missing.sql. A guess by the length of the history would have all of it read.
_STANDING = """
    select f.element, f.series_id, f.period_start, f.known_at, f.test, f.rule_version, f.flag, f.detail
    from judging
    cross join lateral (
        select standing.*
        from core.quality_flag as standing
        where standing.series_id = judging.series_id
            and standing.period_start between judging.judge_from and judging.judge_to{tests}
        offset 0
    ) as f
"""

_REMOVE_STALE = """
with standing as ({standing}),
stale as (select * from standing except select * from judged),
removed as (
    delete from core.quality_flag as f using stale
    where (f.series_id, f.period_start, f.known_at, f.test)
        = (stale.series_id, stale.period_start, stale.known_at, stale.test)
    returning f.series_id, f.period_start, f.flag
)
insert into reflagged select series_id, period_start, flag, -1 from removed
"""

_ADD_FRESH = """
with added as (
    insert into core.quality_flag (element, series_id, period_start, known_at, test, rule_version, flag, detail)
    select element, series_id, period_start, known_at, test, rule_version, flag, detail from judged
    on conflict do nothing
    returning series_id, period_start, flag
)
insert into reflagged select series_id, period_start, flag, 1 from added
"""


# Values whose flags came to matter or ceased to are to be built again.
NOTE_REFLAGGED: Final = """
    insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)
    select series.element, series.feed, series.site_code, min(reflagged.period_start),
        max(reflagged.period_start + series.averaging_period), %(batch_id)s, %(step)s
    from reflagged inner join core.series using (series_id)
    where reflagged.flag in (3, 4)
    group by series.element, series.feed, series.site_code
"""


def sql_file(name: str) -> str:
    """Text of one statement of this package."""
    return files(__package__).joinpath("sql", name).read_text(encoding="utf-8")


def judge(conn: psycopg.Connection[Any], element: str, step: timedelta) -> int:
    """Bring the flags of everything in reach of the temporary relation `touched` up to date; `step` is one period.

    Leaves the flags that changed in the temporary relation `reflagged (series_id, period_start, flag, change)`; both
    end with the transaction. Returns how many flags were added.
    """
    _begin(conn)
    conn.execute(_RANGES, {"step": step})
    _work_out(conn, JUDGES, element, step)
    near = _replace(conn, tests=" and standing.test <> all(%(tests)s)")
    conn.execute("drop table judging, judged")
    conn.execute(_WIDER_RANGES, {"step": step, "tests": list(AROUND)})
    _work_out(conn, AROUND_JUDGES, element, step)
    return near + _replace(conn, tests=" and standing.test = any(%(tests)s)")


def judge_devices(conn: psycopg.Connection[Any], sites: list[str]) -> int:
    """Bring the flags that come from records of devices up to date at these sites, over all their history.

    Leaves `reflagged` and returns as `judge`; the caller keeps core steps of the feeds concerned away.
    """
    conn.execute(
        """
        create temporary table judging on commit drop as
        select series.series_id, reach.judge_from, reach.judge_to
        from core.series as series
        cross join lateral (
            select min(period_start) as judge_from, max(period_start) as judge_to
            from core.observation
            where element = series.element and series_id = series.series_id
        ) as reach
        where series.site_code = any(%s) and reach.judge_from is not null
        """,
        [sites],
    )
    _begin(conn)
    conn.execute("analyze judging")
    conn.execute(f"create temporary table judged on commit drop as {sql_file('judge_device.sql')}")
    return _replace(conn, tests=" and standing.test like 'device\\_%%'")


def _begin(conn: psycopg.Connection[Any]) -> None:
    conn.execute(
        "create temporary table reflagged (series_id integer, period_start timestamptz, flag smallint, change smallint)"
        " on commit drop"
    )


def _work_out(conn: psycopg.Connection[Any], judges: tuple[str, ...], element: str, step: timedelta) -> None:
    """Fill the temporary relation `judged` with what these say of the ranges of `judging`."""
    conn.execute("analyze judging")
    conn.execute(
        "create temporary table judged on commit drop as "
        + " union all ".join(f"({sql_file(name)})" for name in judges),
        {"element": element, "step": step},
    )


def _replace(conn: psycopg.Connection[Any], *, tests: str) -> int:
    """Make the flags in the ranges of `judging`, of these tests, be those of `judged`; returns how many were added."""
    conn.execute("analyze judged")
    conn.execute(_REMOVE_STALE.format(standing=_STANDING.format(tests=tests)), {"tests": list(AROUND)})
    return int(conn.execute(_ADD_FRESH).rowcount)
