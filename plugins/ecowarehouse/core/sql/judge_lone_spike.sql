-- A value that leaps away and back, further than any step around it, in one property alone: what happens in the air or the
-- river shows in several. Works where an absolute threshold cannot: in series with a low level.
with rule as (
    select property, rule_version, threshold_suspect, factor, tolerance, reach, min_history
    from vocabulary.quality_rule
    where test = 'lone_spike' and averaging_period::interval = %(step)s
),
held as (
    select
        series.element, series.feed, series.site_code, judging.series_id, judging.judge_from, judging.judge_to,
        rule.rule_version, rule.threshold_suspect, rule.factor, rule.tolerance, rule.min_history, version.*
    from judging
    inner join core.series as series on series.series_id = judging.series_id and series.procedure = 'measured'
    inner join rule on rule.property = series.property and series.averaging_period = %(step)s
    cross join lateral (
        select distinct on (one.period_start) one.period_start, one.known_at, one.value
        from core.observation as one
        where one.element = series.element
            and one.series_id = judging.series_id
            and one.period_start >= judging.judge_from - (rule.reach + 1) * %(step)s
            and one.period_start <= judging.judge_to + (rule.reach + 1) * %(step)s
        order by one.period_start desc, one.known_at desc
    ) as version
    where version.value is not null
),
stepped as (
    select
        *,
        case when lag(period_start) over by_period = period_start - %(step)s
            then value - lag(value) over by_period end as leap,
        case when lead(period_start) over by_period = period_start + %(step)s
            then value - lead(value) over by_period end as way_back
    from held
    window by_period as (partition by series_id order by period_start)
),
-- Steps beside the leap and its way back, as far as the rules reach.
beside as (
    select
        *,
        case when sign(leap) = sign(way_back) then least(abs(leap), abs(way_back)) end as height,
        greatest(max(abs(leap)) over earlier, max(abs(leap)) over later) as other_steps,
        count(leap) over earlier + count(leap) over later as step_count,
        (coalesce(sum(abs(value)) over before, 0) + coalesce(sum(abs(value)) over after, 0))
        / nullif(count(*) over before + count(*) over after, 0) as level
    from stepped
    window
        earlier as (
            partition by series_id order by period_start
            range between (select coalesce(max(reach), 1) from rule) * %(step)s preceding and %(step)s preceding
        ),
        later as (
            partition by series_id order by period_start
            range between 2 * %(step)s following and ((select coalesce(max(reach), 1) from rule) + 1) * %(step)s following
        ),
        before as (
            partition by series_id order by period_start
            range between (select coalesce(max(reach), 1) from rule) * %(step)s preceding and %(step)s preceding
        ),
        after as (
            partition by series_id order by period_start
            range between %(step)s following and (select coalesce(max(reach), 1) from rule) * %(step)s following
        )
),
compared as (
    select
        *,
        count(*) filter (where height > other_steps)
            over (partition by feed, site_code, period_start) as leaping_properties
    from beside
)
select element, series_id, period_start, known_at, 'lone_spike' as test, rule_version, 3::smallint as flag,
    'leaps by ' || trim_scale(height) || ' and back; other steps at most ' || trim_scale(other_steps) as detail
from compared
where period_start between judge_from and judge_to
    and step_count >= min_history
    and height > tolerance
    and height > threshold_suspect * other_steps
    and height > factor * level
    and leaping_properties = 1
