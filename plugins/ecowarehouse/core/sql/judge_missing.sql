-- No value: the source sent a sentinel, or nothing. There is no threshold, so the rule and its version stand here.
select
    missing.element, missing.series_id, missing.period_start, missing.known_at,
    case when missing.source_mark is null then 'missing' else 'sentinel' end as test,
    1 as rule_version, 9::smallint as flag, coalesce('source sent ' || missing.source_mark, 'empty') as detail
from judging
-- `offset 0`: range by range. The planner expects few rows without value, and would compare each with every range.
cross join lateral (
    select version.*
    from core.observation as version
    where version.element = %(element)s
        and version.series_id = judging.series_id
        and version.period_start between judging.judge_from and judging.judge_to
        and version.value is null and version.value_text is null
    offset 0 -- noqa: AM09
) as missing
