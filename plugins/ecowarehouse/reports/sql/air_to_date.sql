-- Month and year up to the day before, beside the same days of last year and what is asked for. Days that still may be
-- polluted: of all days of the year, less those that must be good, less those that were not.
with span as (
    select
        'month' as span,
        date_trunc('month', %(day)s::date - 1)::date as first_day,
        %(day)s::date - 1 as last_day
    union all
    select
        'year',
        date_trunc('year', %(day)s::date - 1)::date,
        %(day)s::date - 1
),

day as (
    select
        area_name,
        area_code,
        day,
        aqi,
        pm2_5_unrounded
    from shared.air_area_day
    where area_code = any(%(areas)s)
),

figure as (
    select
        d.area_name,
        d.area_code,
        s.span,
        s.first_day,
        s.last_day,
        which.year_back,
        count(d.aqi) as days,
        count(*) filter (where d.aqi <= r.good_day_aqi) as good_days,
        round(avg(d.pm2_5_unrounded), 1) as pm2_5
    from span as s
    cross join (values (0), (1)) as which (year_back)
    inner join day as d
        on d.day between (s.first_day - which.year_back * interval '1 year')::date
        and (s.last_day - which.year_back * interval '1 year')::date
    cross join (select max(good_day_aqi) as good_day_aqi from standards.air_edition) as r
    group by d.area_name, d.area_code, s.span, s.first_day, s.last_day, which.year_back
),

target as (
    select
        t.*
    from unnest(
        %(target_areas)s::text[], %(target_years)s::integer[], %(target_indicators)s::text[], %(target_values)s::numeric[]
    ) as t (area_code, year, indicator, value)
)

select
    now.area_name,
    now.span,
    now.first_day,
    now.last_day,
    now.days,
    now.good_days,
    round(100.0 * now.good_days / nullif(now.days, 0), 1) as good_share,
    round(100.0 * before.good_days / nullif(before.days, 0), 1) as good_share_last_year,
    good.value as good_share_target,
    now.pm2_5,
    before.pm2_5 as pm2_5_last_year,
    fine.value as pm2_5_target,
    case
        when now.span = 'year' and good.value is not null
            then floor((1 - good.value / 100) * (make_date(extract(year from now.last_day)::integer + 1, 1, 1) - now.first_day))
                - (now.days - now.good_days)
    end as polluted_days_left
from figure as now
left join figure as before
    on now.area_code = before.area_code and now.span = before.span and before.year_back = 1
left join target as good
    on now.area_code = good.area_code and extract(year from now.last_day) = good.year and good.indicator = 'air_good_share'
left join target as fine
    on now.area_code = fine.area_code and extract(year from now.last_day) = fine.year and fine.indicator = 'air_pm2_5_mean'
where now.year_back = 0
order by now.area_name, now.span
