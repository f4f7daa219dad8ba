-- Values outside of what an instrument can give (fail) or usually gives (suspect). Every version is judged, not only the
-- one that holds: a failed value is invalid, and has to stay so in the answer to a question as of its time.
with rule as (
    select property, averaging_period::interval as averaging_period, rule_version, fail_min, fail_max, suspect_min,
        suspect_max
    from vocabulary.quality_rule
    where test = 'range'
)
select series.element, outside.series_id, outside.period_start, outside.known_at, 'range' as test, rule.rule_version,
    (case when outside.value < rule.fail_min or outside.value > rule.fail_max then 4 else 3 end)::smallint as flag,
    'value ' || trim_scale(outside.value) as detail
from judging
inner join core.series as series on series.series_id = judging.series_id
inner join rule
    on rule.property = series.property and rule.averaging_period = series.averaging_period
    and series.procedure = 'measured'
-- `offset 0`: range by range, as judge_missing.sql.
cross join lateral (
    select version.*
    from core.observation as version
    where version.element = %(element)s
        and version.series_id = judging.series_id
        and version.period_start between judging.judge_from and judging.judge_to
        and (
            version.value < greatest(rule.fail_min, rule.suspect_min)
            or version.value > least(rule.fail_max, rule.suspect_max)
        )
    offset 0 -- noqa: AM09
) as outside
