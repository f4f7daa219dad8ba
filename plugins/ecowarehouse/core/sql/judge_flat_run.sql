-- All of a run of equal values that is too long by the series' own habit: with p the share of equal neighbours in the time
-- before it, a run of n is suspect when p^(n - 1) is below the threshold, or n reaches the length that is always one. Beside
-- it, flat_line speaks from the n-th value on and knows no habit.
with rule as (
    select property, rule_version, threshold_suspect, threshold_fail, min_run, tolerance, detection_limit, reach, min_history
    from vocabulary.quality_rule
    where test = 'flat_run' and averaging_period::interval = %(step)s
),
held as (
    select
        series.element, judging.series_id, judging.judge_from, judging.judge_to, rule.rule_version,
        rule.threshold_suspect, rule.threshold_fail, rule.min_run, rule.tolerance, rule.min_history,
        coalesce(version.held_limit, rule.detection_limit, -1) as exempt_to, version.*
    from judging
    inner join core.series as series on series.series_id = judging.series_id and series.procedure = 'measured'
    inner join rule on rule.property = series.property and series.averaging_period = %(step)s
    cross join lateral (
        select distinct on (one.period_start)
            one.period_start, one.known_at, one.value, one.qualifier, one.detection_limit as held_limit
        from core.observation as one
        where one.element = series.element
            and one.series_id = judging.series_id
            and one.period_start >= judging.judge_from - (rule.threshold_fail + rule.reach) * %(step)s
            and one.period_start <= judging.judge_to + rule.threshold_fail * %(step)s
        order by one.period_start desc, one.known_at desc
    ) as version
    where version.value is not null
),
stepped as (
    select
        *,
        case when lag(period_start) over by_period = period_start - %(step)s
            then abs(value - lag(value) over by_period) end as leap
    from held
    window by_period as (partition by series_id order by period_start)
),
-- The habit before a run is told at its first value.
habitual as (
    select
        *,
        count(*) filter (where leap > tolerance or leap is null) over by_period as run,
        count(*) filter (where leap <= tolerance) over before as repeats,
        count(leap) over before as steps
    from stepped
    window
        by_period as (partition by series_id order by period_start),
        before as (
            partition by series_id order by period_start
            range between ((select coalesce(max(reach), 1) from rule) - 1) * %(step)s preceding and current row
        )
),
measured as (
    select
        *,
        count(*) over whole as length,
        first_value(repeats) over in_order as repeats_before,
        first_value(steps) over in_order as steps_before
    from habitual
    window
        whole as (partition by series_id, run),
        in_order as (partition by series_id, run order by period_start)
)
select element, series_id, period_start, known_at, 'flat_run' as test, rule_version, 3::smallint as flag,
    'one of ' || case when length < threshold_fail then length::text else 'at least ' || trim_scale(threshold_fail) end
    || ' equal values, ' || trim_scale(value) as detail
from measured
where period_start between judge_from and judge_to
    and length >= min_run
    and qualifier not in ('<', 'nd')
    and abs(value) > exempt_to
    and (
        length >= threshold_fail
        -- The habit of fewer steps than this is nobody's.
        or (
            steps_before >= min_history
            and (length - 1) * ln((repeats_before + 1.0) / (steps_before + 2.0)) < ln(threshold_suspect)
        )
    )
