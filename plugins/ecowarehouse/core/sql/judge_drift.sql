-- Values whose median by day climbs or falls evenly for as many days as the reach, further than the threshold: what an
-- instrument does that nobody calibrates. Nature does it too (a river after a flood), so the flag takes nothing out.
with rule as (
    select property, rule_version, threshold_suspect, tolerance, reach, min_history
    from vocabulary.quality_rule
    where test = 'drift' and averaging_period::interval = %(step)s
),
held as (
    select
        series.element, judging.series_id, judging.judge_from, judging.judge_to, rule.rule_version,
        rule.threshold_suspect, rule.tolerance, rule.min_history, rule.reach * %(step)s as span, version.*,
        date_bin('1 day', version.period_start, 'epoch') as day
    from judging
    inner join core.series as series on series.series_id = judging.series_id and series.procedure = 'measured'
    inner join rule on rule.property = series.property and series.averaging_period = %(step)s
    cross join lateral (
        select distinct on (one.period_start) one.period_start, one.known_at, one.value
        from core.observation as one
        where one.element = series.element
            and one.series_id = judging.series_id
            and one.period_start >= judging.judge_from - rule.reach * %(step)s - interval '1 day'
            and one.period_start <= judging.judge_to + rule.reach * %(step)s + interval '1 day'
        order by one.period_start desc, one.known_at desc
    ) as version
    where version.value > 0
),
by_day as (
    select
        series_id, day, min(threshold_suspect) as threshold, min(tolerance) as tolerance, min(span) as span,
        min(min_history) as min_history,
        ln(percentile_cont(0.5) within group (order by value)) as level
    from held
    group by series_id, day
),
fitted as (
    select
        series_id, day, span,
        regr_r2(level, extract(epoch from day)::double precision) over days as share_explained,
        regr_slope(level, extract(epoch from day)::double precision) over days * extract(epoch from span) as change,
        count(*) over days as day_count,
        threshold, tolerance, min_history
    from by_day
    window days as (
        partition by series_id order by day
        range between (select coalesce(max(reach), 1) from rule) * %(step)s - interval '1 day' preceding and current row
    )
),
ramp as (
    select series_id, day - span + interval '1 day' as ramp_from, day + interval '1 day' as ramp_to, change
    from fitted
    where abs(change) > threshold
        and share_explained > 1 - tolerance
        and day_count >= min_history
)
select held.element, held.series_id, held.period_start, held.known_at, 'drift' as test, held.rule_version,
    3::smallint as flag,
    'within days with an even change by ' || round((exp(max(ramp.change)) - 1)::numeric * 100) || ' %%' as detail
from held
inner join ramp
    on ramp.series_id = held.series_id and held.period_start >= ramp.ramp_from and held.period_start < ramp.ramp_to
where held.period_start between held.judge_from and held.judge_to
group by held.element, held.series_id, held.period_start, held.known_at, held.rule_version
