-- PM2.5 above PM10 beyond the precision: both are suspect, never invalid (with sound instruments it is valid data).
with tolerance as (
    select max(tolerance) as tolerance, max(rule_version) as rule_version
    from vocabulary.quality_rule
    where test = 'pm_inversion'
),
pair as (
    select
        fine.feed, fine.site_code, fine.element, fine.series_id as fine_id, coarse.series_id as coarse_id,
        min(judging.judge_from) as judge_from, max(judging.judge_to) as judge_to
    from core.series as fine
    inner join core.series as coarse
        on coarse.feed = fine.feed and coarse.site_code = fine.site_code
        and coarse.averaging_period = fine.averaging_period and coarse.procedure = fine.procedure
        and coarse.series_kind = fine.series_kind
        and coarse.property = 'pm10'
    inner join judging on judging.series_id in (fine.series_id, coarse.series_id)
    where fine.property = 'pm2_5' and fine.procedure = 'measured'
    group by fine.feed, fine.site_code, fine.element, fine.series_id, coarse.series_id
),
inverted as (
    select
        pair.element, pair.fine_id, pair.coarse_id, fine.period_start, fine.known_at as fine_known_at,
        coarse.known_at as coarse_known_at, tolerance.rule_version,
        'PM2.5 ' || trim_scale(fine.value) || ' above PM10 ' || trim_scale(coarse.value) as detail
    from pair
    cross join tolerance
    cross join lateral (
        select distinct on (period_start) period_start, known_at, value
        from core.observation
        where element = pair.element and series_id = pair.fine_id
            and period_start between pair.judge_from and pair.judge_to
        order by period_start, known_at desc
    ) as fine
    cross join lateral (
        select known_at, value
        from core.observation
        where element = pair.element and series_id = pair.coarse_id and period_start = fine.period_start
        order by known_at desc
        limit 1
    ) as coarse
    where fine.value > coarse.value + tolerance.tolerance
)
select element, fine_id as series_id, period_start, fine_known_at as known_at, 'pm_inversion' as test, rule_version,
    3::smallint as flag, detail
from inverted
union all
select element, coarse_id, period_start, coarse_known_at, 'pm_inversion', rule_version, 3::smallint, detail
from inverted
