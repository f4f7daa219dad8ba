-- What the tests that look at neighbours say of the values that hold, in the ranges to judge.
-- Each test is a pure function of the versions that hold now, so the order of arrival can't matter.
with rule as (
    select
        property,
        averaging_period::interval as averaging_period,
        max(rule_version) as rule_version,
        max(threshold_suspect) filter (where test = 'spike') as spike_suspect,
        max(threshold_fail) filter (where test = 'spike') as spike_fail,
        max(threshold_suspect) filter (where test = 'rate_of_change') as rate_suspect,
        max(min_run) filter (where test = 'flat_line') as flat_suspect,
        max(threshold_fail) filter (where test = 'flat_line') as flat_fail,
        max(tolerance) filter (where test = 'flat_line') as flat_tolerance,
        max(detection_limit) filter (where test = 'flat_line') as detection_limit
    from vocabulary.quality_rule
    where test in ('spike', 'rate_of_change', 'flat_line')
    group by property, averaging_period
),
target as (
    select
        judging.series_id, series.element, series.averaging_period as step, judging.judge_from, judging.judge_to,
        coalesce(greatest(rule.flat_suspect, rule.flat_fail), 1) * series.averaging_period as run,
        rule.*
    from judging
    inner join core.series as series on series.series_id = judging.series_id
    inner join rule
        on rule.property = series.property and rule.averaging_period = series.averaging_period
        and series.procedure = 'measured'
),
neighboured as (
    select target.*, beside.*
    from target
    cross join lateral (
        select
            ordered.*,
            max(case when changed then period_start end) over (order by period_start rows unbounded preceding) as unchanged_since
        from (
            select
                stepped.*,
                (
                    leap is null or leap > coalesce(target.flat_tolerance, 0)
                    or qualifier in ('<', 'nd')
                    or value <= coalesce(held_limit, target.detection_limit, -1)
                ) as changed
            from (
                select
                    holds.period_start, holds.known_at, holds.value, holds.qualifier,
                    holds.detection_limit as held_limit,
                    case when lag(holds.period_start) over by_period = holds.period_start - target.step
                        then lag(holds.value) over by_period end as previous,
                    case when lag(holds.period_start) over by_period = holds.period_start - target.step
                        then abs(holds.value - lag(holds.value) over by_period) end as leap,
                    case when lead(holds.period_start) over by_period = holds.period_start + target.step
                        then lead(holds.value) over by_period end as next
                from (
                    -- Backwards, as the index lies: nothing has to be sorted to find the version that holds.
                    select distinct on (version.period_start)
                        version.period_start, version.known_at, version.value, version.qualifier, version.detection_limit
                    from core.observation as version
                    where version.element = target.element
                        and version.series_id = target.series_id
                        and version.period_start >= target.judge_from - target.run
                        and version.period_start <= target.judge_to + target.step
                    order by version.period_start desc, version.known_at desc
                ) as holds
                window by_period as (order by holds.period_start)
            ) as stepped
        ) as ordered
    ) as beside
    where beside.value is not null
        and beside.period_start between target.judge_from and target.judge_to
),
judged as (
    select
        series_id, element, period_start, known_at, rule_version, value, previous, next,
        case
            when spike_suspect is null then null
            when previous is null or next is null then 2
            when leap <= spike_suspect and leap <= coalesce(spike_fail, leap) then null
            when sign(value - previous) <> sign(value - next) then null
            when least(leap, abs(value - next)) > spike_fail then 4
            when least(leap, abs(value - next)) > spike_suspect then 3
        end as spike_flag,
        case when leap > rate_suspect then 3 end as rate_flag,
        case
            when changed then null
            when period_start - unchanged_since >= (flat_fail - 1) * step then 4
            when period_start - unchanged_since >= (flat_suspect - 1) * step then 3
        end as flat_flag
    from neighboured
)
select judged.element, judged.series_id, judged.period_start, judged.known_at, verdict.test, judged.rule_version,
    verdict.flag::smallint as flag, verdict.detail
from judged
cross join lateral (
    values
        ('spike', spike_flag, case when spike_flag = 2 then 'a neighbour is missing'
            else trim_scale(previous) || ' → ' || trim_scale(value) || ' → ' || trim_scale(next) end),
        ('rate_of_change', rate_flag, trim_scale(previous) || ' → ' || trim_scale(value)),
        ('flat_line', flat_flag, 'unchanged at ' || trim_scale(value))
) as verdict (test, flag, detail)
where coalesce(spike_flag, rate_flag, flat_flag) is not null
    and verdict.flag is not null
