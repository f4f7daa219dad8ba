"""Flags beside values: what the tests say of the versions that hold (QARTOD scale; no row is good).

The thresholds are rows of `vocabulary.quality_rule`; what a flag does to validity is `vocabulary.flag_effect`.
"""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import Any, Final

import psycopg

JUDGES: Final = ("judge_missing.sql", "judge_range.sql", "judge.sql", "judge_part.sql")

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

# `offset 0`: range by range, as judge_missing.sql. A guess by the length of the history would have all of it read.
_STANDING = """
    select f.element, f.series_id, f.period_start, f.known_at, f.test, f.rule_version, f.flag, f.detail
    from judging
    cross join lateral (
        select standing.*
        from core.quality_flag as standing
        where standing.series_id = judging.series_id
            and standing.period_start between judging.judge_from and judging.judge_to
        offset 0
    ) as f
"""

_REMOVE_STALE = f"""
with standing as ({_STANDING}),
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


def sql_file(name: str) -> str:
    """Text of one statement of this package."""
    return files(__package__).joinpath("sql", name).read_text(encoding="utf-8")


def judge(conn: psycopg.Connection[Any], element: str, step: timedelta) -> int:
    """Bring the flags of everything in reach of the temporary relation `touched` up to date; `step` is one period.

    Leaves the flags that changed in the temporary relation `reflagged (series_id, period_start, flag, change)`; both
    end with the transaction. Returns how many flags were added.
    """
    conn.execute(_RANGES, {"step": step})
    conn.execute("analyze judging")
    conn.execute(
        "create temporary table judged on commit drop as "
        + " union all ".join(f"({sql_file(name)})" for name in JUDGES),
        {"element": element},
    )
    conn.execute(
        "create temporary table reflagged (series_id integer, period_start timestamptz, flag smallint, change smallint)"
        " on commit drop"
    )
    conn.execute("analyze judged")
    conn.execute(_REMOVE_STALE)
    added = conn.execute(_ADD_FRESH).rowcount
    return int(added)
