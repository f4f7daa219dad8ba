-- One row is one edition with the counts that its validity rules ask for; a rule that is not there is null.
with rule as (
    select
        standard,
        rule_code,
        min_count
    from {{ ref('air_validity_rules') }}
    where rule_code is not null
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
    e.percent_decimals,
    e.aqi_minimum,
    e.missing_planned_rule,
    e.few_points,
    e.good_day_aqi,
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
    ) as day_mark
    {%- for code, standard in [
        ('day_hours', 'limit_standard'), ('o3_window_hours', 'limit_standard'), ('year_days', 'limit_standard'),
        ('month_days', 'limit_standard'), ('february_days', 'limit_standard'), ('mda8_windows', 'validity_standard'),
        ('points_percent', 'validity_standard'), ('few_points_percent', 'validity_standard'),
    ] %},
    (select r.min_count from rule as r where r.standard = e.{{ standard }} and r.rule_code = '{{ code }}') as {{ code }}
    {%- endfor %}
from {{ ref('air_edition') }} as e
