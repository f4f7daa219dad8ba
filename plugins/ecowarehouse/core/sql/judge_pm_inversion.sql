-- PM2.5 above PM10 beyond the precision: both are suspect, never invalid (with sound instruments it is valid data).
with tolerance as (
    select
        max(tolerance) as tolerance,
        max(rule_version) as rule_version
    from vocabulary.quality_rule
    where test = 'pm_inversion'
),
pair as (
    select
        fine.element, fine.series_id as fine_id, coarse.series_id as coarse_id, judging.judge_from, judging.judge_to
    from judging
    inner join core.series as fine on fine.series_id = judging.series_id
    inner join core.series as coarse
        on coarse.feed = fine.feed and coarse.site_code = fine.site_code
        and coarse.averaging_period = fine.averaging_period and coarse.procedure = fine.procedure
        and coarse.series_kind = fine.series_kind
        and coarse.property = 'pm10'
    where fine.property = 'pm2_5' and fine.procedure = 'measured'
),
inverted as (
    select
        pair.element, pair.fine_id, pair.coarse_id, both_held.period_start, both_held.fine_known_at,
        both_held.coarse_known_at, tolerance.rule_version,
        'PM2.5 ' || trim_scale(both_held.fine) || ' above PM10 ' || trim_scale(both_held.coarse) as detail
    from pair
    cross join tolerance
    cross join lateral (
        select
            fine.period_start, fine.known_at as fine_known_at, fine.value as fine, coarse.known_at as coarse_known_at,
            coarse.value as coarse
        from (
            select distinct on (period_start) period_start, known_at, value
            from core.observation
            where element = pair.element and series_id = pair.fine_id
                and period_start between pair.judge_from and pair.judge_to
            order by period_start, known_at desc
        ) as fine
        inner join (
            select distinct on (period_start) period_start, known_at, value
            from core.observation
            where element = pair.element and series_id = pair.coarse_id
                and period_start between pair.judge_from and pair.judge_to
            order by period_start, known_at desc
        ) as coarse on coarse.period_start = fine.period_start
        where fine.value > coarse.value + tolerance.tolerance
    ) as both_held
)
select element, fine_id as series_id, period_start, fine_known_at as known_at, 'pm_inversion' as test, rule_version,
    3::smallint as flag, detail
from inverted
union all
select element, coarse_id, period_start, coarse_known_at, 'pm_inversion', rule_version, 3::smallint, detail
from inverted
