-- No value: the source sent a sentinel, or nothing.
select
    version.element, version.series_id, version.period_start, version.known_at,
    case when version.source_mark is null then 'missing' else 'sentinel' end as test,
    1 as rule_version, 9::smallint as flag, coalesce('source sent ' || version.source_mark, 'empty') as detail
from judging
inner join core.observation as version
    on version.element = %(element)s
    and version.series_id = judging.series_id
    and version.period_start between judging.judge_from and judging.judge_to
where version.value is null and version.value_text is null
