-- One row is one edition with the counts that its validity rules ask for.
with rule as (
    select
        standard,
        pollutant,
        avg_period,
        "window",
        min_count
    from {{ ref('air_validity_rules') }}
    where min_count is not null
)

select
    e.edition,
    e.limit_standard,
    e.aqi_standard,
    e.evaluation_standard,
    e.valid_from,
    e.valid_to,
    e.statistic_decimals,
    e.statistic_decimals_co,
    e.aqi_minimum,
    e.missing_planned_rule,
    e.mark,
    (
        select concat_ws('; ', e.mark, 'breakpoints: ' || string_agg(distinct b.mark, '; ' order by b.mark))
        from {{ ref('air_iaqi_breakpoints') }} as b
        where b.standard = e.aqi_standard and b.avg_period = '1h'
    ) as hour_mark,
    (
        select concat_ws('; ', e.mark, 'breakpoints: ' || string_agg(distinct b.mark, '; ' order by b.mark))
        from {{ ref('air_iaqi_breakpoints') }} as b
        where b.standard = e.aqi_standard and b.avg_period in ('24h', 'MDA8')
    ) as day_mark,
    (
        select r.min_count from rule as r
        where r.standard = e.limit_standard and r.pollutant like 'SO2;%' and r.avg_period = '24h'
            and r."window" = 'natural day'
    ) as day_hours,
    (
        select r.min_count from rule as r
        where r.standard = e.limit_standard and r.pollutant = 'O3' and r.avg_period = '8h sliding'
    ) as o3_window_hours,
    (
        select r.min_count from rule as r where r.standard = e.validity_standard and r.avg_period = 'MDA8'
    ) as mda8_windows,
    (
        select r.min_count from rule as r
        where r.standard = e.validity_standard and r.pollutant = 'city' and r."window" = 'all points'
    ) as points_percent,
    (
        select r.min_count from rule as r
        where r.standard = e.validity_standard and r.pollutant = 'city' and r."window" = 'fewer than 4 points'
    ) as few_points_percent,
    (
        select r.min_count from rule as r
        where r.standard = e.limit_standard and r.pollutant like 'SO2;%' and r.avg_period = 'annual'
            and r."window" = 'year'
    ) as year_days,
    (
        select r.min_count from rule as r
        where r.standard = e.limit_standard and r.pollutant like 'SO2;%' and r.avg_period = 'annual'
            and r."window" = 'month'
    ) as month_days,
    (
        select r.min_count from rule as r
        where r.standard = e.limit_standard and r.pollutant like 'SO2;%' and r.avg_period = 'annual'
            and r."window" = 'February'
    ) as february_days
from {{ ref('air_edition') }} as e
