-- A run of values that stand to the series' own earlier level as another unit does (mg for ug: a thousandth, or all zeros
-- after rounding), and that leapt there: nature climbs, a changed unit does not. The level of a value is the median of what
-- came in the reach before it, so that a run up to half as long cannot hide itself. The leap has to be that of the factor
-- within the tolerance (in powers of ten), what follows may lie twice as far off: it has its own ups and downs.
with rule as (
    select property, rule_version, factor, tolerance, min_run, reach, min_history
    from vocabulary.quality_rule
    where test = 'unit_error' and averaging_period::interval = %(step)s
),
target as (
    select
        series.element, judging.series_id, judging.judge_from, judging.judge_to, rule.rule_version, rule.factor,
        rule.min_run, rule.reach, rule.min_history, 10 ^ rule.tolerance as slack, 10 ^ (2 * rule.tolerance) as wide
    from judging
    inner join core.series as series on series.series_id = judging.series_id and series.procedure = 'measured'
    inner join rule on rule.property = series.property and series.averaging_period = %(step)s
),
-- Only series whose values lie that far apart can hold such a run; of others no median has to be worked out.
odd as (
    select target.*
    from target
    cross join lateral (
        select max(abs(one.value)) as greatest, min(abs(one.value)) as least
        from core.observation as one
        where one.element = target.element
            and one.series_id = target.series_id
            and one.period_start >= target.judge_from - (target.reach + target.min_run) * %(step)s
            and one.period_start <= target.judge_to + target.min_run * %(step)s
    ) as extremes
    where extremes.greatest * target.wide >= target.factor * extremes.least
),
held as (
    select odd.*, version.*, abs(version.value) as size, date_bin('1 day', version.period_start, 'epoch') as day
    from odd
    cross join lateral (
        select distinct on (one.period_start) one.period_start, one.known_at, one.value
        from core.observation as one
        where one.element = odd.element
            and one.series_id = odd.series_id
            and one.period_start >= odd.judge_from - (2 * odd.reach + odd.min_run) * %(step)s
            and one.period_start <= odd.judge_to + odd.min_run * %(step)s
        order by one.period_start desc, one.known_at desc
    ) as version
    where version.value is not null
),
-- The same thought for each value, by days: a few rows instead of a median for each.
by_day as (
    select series_id, day, max(size) as greatest, min(size) as least
    from held
    group by series_id, day
),
extremes as (
    select series_id, day, max(greatest) over before as greatest, min(least) over before as least
    from by_day
    window before as (
        partition by series_id order by day
        range between (select coalesce(max(reach), 1) from rule) * %(step)s + interval '1 day' preceding and current row
    )
),
displaced as (
    select
        held.series_id, held.period_start,
        case
            when held.size * held.wide >= held.factor * earlier.level
                and held.size <= held.factor * held.wide * earlier.level then 1
            when held.size * held.factor <= held.wide * earlier.level then -1
        end as direction
    from held
    inner join extremes on extremes.series_id = held.series_id and extremes.day = held.day
    cross join lateral (
        select percentile_disc(0.5) within group (order by abs(before.value)) as level, count(*) as held_count
        from (
            select distinct on (one.period_start) one.value
            from core.observation as one
            where one.element = held.element
                and one.series_id = held.series_id
                and one.period_start >= held.period_start - held.reach * %(step)s
                and one.period_start < held.period_start
            order by one.period_start desc, one.known_at desc
        ) as before
        where before.value is not null
    ) as earlier
    where (held.size * held.wide >= held.factor * extremes.least or held.size * held.factor <= held.wide * extremes.greatest)
        and earlier.held_count >= held.min_history
        and earlier.level > 0
),
followed as (
    select
        held.*, displaced.direction,
        lag(held.size) over by_period as previous_size,
        lag(held.period_start) over by_period as previous_start,
        lag(displaced.direction) over by_period as previous_direction
    from held
    left join displaced on displaced.series_id = held.series_id and displaced.period_start = held.period_start
    window by_period as (partition by held.series_id order by held.period_start)
),
begun as (
    select
        *,
        coalesce(direction <> previous_direction, true) or previous_start < period_start - reach * %(step)s as begins,
        case direction
            when 1 then size * slack >= factor * previous_size and size <= factor * slack * previous_size
            when -1 then size * factor <= slack * previous_size and previous_size > 0
        end as leapt
    from followed
),
numbered as (
    select *, count(*) filter (where begins) over (partition by series_id order by period_start) as run
    from begun
),
measured as (
    select
        *,
        count(*) over (partition by series_id, run) as length,
        bool_or(begins and leapt) over (partition by series_id, run) as run_leapt
    from numbered
)
select element, series_id, period_start, known_at, 'unit_error' as test, rule_version, 3::smallint as flag,
    'stands to what came before as '
    || case direction when 1 then trim_scale(factor) || ' to 1' else '1 to ' || trim_scale(factor) end as detail
from measured
where direction is not null
    and run_leapt
    and length >= min_run
    and period_start between judge_from and judge_to
