{# Areas that have a code, by name and level: the first name of the seed is the one shown. #}
{% macro air_area() -%}
    select
        area_code,
        min(area_name) as area_name,
        min(area_level) as area_level
    from {{ ref('area_alias') }}
    group by area_code
{%- endmacro %}

{# One row is one natural day of one area: means of its participating stations' daily values, the index from the means. #}
{% macro air_area_day(scoped) -%}
{%- set days = ref('air__station_day') if scoped else ref('as_of__air__station_day') -%}
with site as (
    {{ site_with_area('air') }}
),

area as (
    {{ air_area() }}
),

station_day as (
    select d.*
    from {{ days }} as d
    {%- if scoped %}
    inner join ({{ scope_area_days('air') }}) as scope on d.area_code = scope.area_code and d.day = scope.day
    {%- endif %}
    where d.takes_part and d.area_code is not null
),

edition as materialized (
    {{ edition_by_area('site') }}
),

total as (
    select
        area_code,
        day,
        max(known_at) as known_at,
        bool_or(synthetic) as synthetic,
        {%- for item in air_items() %}
        {%- set column = 'o3_mda8' if item == 'o3' else item %}
        avg({{ column }}_unrounded) as {{ column }}_mean,
        count({{ column }}_unrounded)::integer as {{ item }}_points,
        count(*) filter (where {{ item }}_suspect > 0)::integer as {{ item }}_suspect{{ ',' if not loop.last }}
        {%- endfor %}
    from station_day
    group by area_code, day
),

point as (
    select
        t.area_code,
        t.day,
        count(distinct s.site_code)::integer as expected_points
    from total as t
    inner join site as s
        on
            t.area_code = s.area_code
            and s.takes_part
            and s.valid_from < {{ local_start('t.day + 1') }}
            and s.valid_to > {{ local_start('t.day') }}
    group by t.area_code, t.day
),

valid as (
    select
        t.area_code,
        t.day,
        t.known_at,
        t.synthetic,
        p.expected_points,
        e.aqi_standard,
        e.aqi_minimum,
        e.missing_planned_rule,
        e.day_mark,
        share.points_percent,
        {%- for item in air_items() %}
        {%- set column = 'o3_mda8' if item == 'o3' else item %}
        t.{{ item }}_points,
        t.{{ item }}_suspect,
        case
            when
                t.{{ item }}_points * 100 >= p.expected_points * share.points_percent
                then t.{{ column }}_mean
        end as {{ column }}_unrounded{{ ',' if not loop.last }}
        {%- endfor %}
    from total as t
    inner join point as p on t.area_code = p.area_code and t.day = p.day
    left join edition as e on t.area_code = e.area_key and t.day between e.judges_from and e.judges_to
    cross join lateral (
        select
            case when p.expected_points < e.few_points then e.few_points_percent else e.points_percent end
                as points_percent
        offset 0
    ) as share
),

{{ air_day_index('valid', ['area_code', 'day']) }}

select
    e.area_code,
    e.day,
    coalesce(a.area_name, e.area_code) as area_name,
    coalesce(a.area_level, 'unknown') as area_level,
    {%- for item in air_items() %}
    e.{{ 'o3_mda8' if item == 'o3' else item }},
    {%- endfor %}
    e.aqi,
    e.primary_pollutant,
    l.category_cn as category,
    e.aqi_standard as standard,
    e.day_mark as standard_mark,
    {%- for item in air_items() %}
    e.iaqi_{{ item }},
    {%- endfor %}
    {%- for item in air_items() %}
    e.{{ 'o3_mda8' if item == 'o3' else item }}_unrounded,
    {%- endfor %}
    e.expected_points,
    {%- for item in air_items() %}
    e.{{ item }}_points,
    e.{{ item }}_suspect,
    {%- endfor %}
    nullif(concat_ws(
        '; '
        {%- for item in air_items() %}
        {%- set column = 'o3_mda8' if item == 'o3' else item %},
        case
            when e.{{ column }}_unrounded is null
                then '{{ column }}: ' || coalesce(
                    e.{{ item }}_points || ' of ' || e.expected_points || ' points, ' || e.points_percent || ' % needed',
                    '{{ no_rule() }}'
                )
        end
        {%- endfor %}
    ), '') as reason,
    e.aqi_reason,
    e.known_at,
    e.synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from evaluated as e
left join area as a on e.area_code = a.area_code
left join {{ ref('air_aqi_levels') }} as l
    on e.aqi_standard = l.standard and e.aqi >= l.aqi_lo and e.aqi <= coalesce(l.aqi_hi, 2147483647)
{%- endmacro %}

{# One row is one month, or one year, of one area. `grain` is month or year. Means from daily values; percentiles
   k = 1 + (n - 1) p of HJ 663, each as its column's name says (so2_p98): another percentile is another column; the composite index of the ranking rule of 2014/2018; days by category. #}
{% macro air_area_period(grain, scoped) -%}
{%- set days = ref('air__area_day') if scoped else ref('as_of__air__area_day') -%}
{%- set statistics = [
    ('so2', 'so2', 0.98), ('no2', 'no2', 0.98), ('co', 'co', 0.95), ('o3', 'o3_mda8', 0.90),
    ('pm10', 'pm10', 0.95), ('pm2_5', 'pm2_5', 0.95),
] -%}
with area_day as (
    select
        d.*,
        date_trunc('{{ grain }}', d.day)::date as start
    from {{ days }} as d
    {%- if scoped %}
    inner join (
        select distinct
            area_code,
            date_trunc('{{ grain }}', day)::date as start
        from ({{ scope_area_days('air') }}) as touched
    ) as scope
        on
            d.area_code = scope.area_code
            and d.day >= scope.start
            and d.day < (scope.start + interval '1 {{ grain }}')::date
    {%- endif %}
),

edition as materialized (
    {{ edition_by_area('area_day') }}
),

-- Long form, one row a day and pollutant.
cell as (
    select
        d.area_code,
        d.start,
        d.day,
        c.item,
        c.value,
        c.share,
        row_number() over (partition by d.area_code, d.start, c.item order by c.value) as place,
        count(*) over (partition by d.area_code, d.start, c.item) as n
    from area_day as d
    cross join lateral (
        values
        {%- for item, column, share in statistics %}
        ('{{ item }}', d.{{ column }}_unrounded, {{ share }}::numeric){{ ',' if not loop.last }}
        {%- endfor %}
    ) as c (item, value, share)
    where c.value is not null
),

statistic as (
    select
        area_code,
        start,
        item,
        avg(value) as mean,
        count(*)::integer as days,
        max(value) filter (where place = floor(1 + (n - 1) * share))
        + coalesce(
            max(value) filter (where place = floor(1 + (n - 1) * share) + 1)
            - max(value) filter (where place = floor(1 + (n - 1) * share)), 0
        ) * max((1 + (n - 1) * share) - floor(1 + (n - 1) * share)) as percentile
    from cell
    group by area_code, start, item
),

month_of_item as (
    select
        area_code,
        start,
        item,
        date_trunc('month', day)::date as month,
        count(*) as days
    from cell
    group by area_code, start, item, date_trunc('month', day)
),

period as (
    select
        d.area_code,
        d.start,
        max(d.area_name) as area_name,
        max(d.area_level) as area_level,
        ((d.start + interval '1 {{ grain }}')::date - d.start) as expected_days,
        count(d.aqi)::integer as aqi_days,
        count(*) filter (where d.aqi <= e.good_day_aqi)::integer as good_days,
        max(d.known_at) as known_at,
        bool_or(d.synthetic) as synthetic
    from area_day as d
    left join edition as e on d.area_code = e.area_key and d.day between e.judges_from and e.judges_to
    group by d.area_code, d.start
),

-- By which edition an aggregate is judged: a row may name one; else the one in force at its end, or at its start.
policy as (
    select
        period_from,
        period_to,
        rule,
        edition
    from {{ ref('evaluation_policy') }}
    where indicator = 'air' and period_kind = '{{ grain }}'
),

judged_by as (
    select
        p.*,
        e.edition,
        e.limit_standard,
        e.evaluation_standard,
        e.statistic_decimals,
        e.statistic_decimals_co,
        e.percent_decimals,
        e.year_days,
        e.month_days,
        e.february_days,
        e.mark,
        (p.start + interval '1 {{ grain }}')::date - 1 as last_day
    from period as p
    left join policy as rule
        on p.start >= coalesce(rule.period_from, '-infinity') and p.start <= coalesce(rule.period_to, 'infinity')
    left join edition as e
        on
            p.area_code = e.area_key
            and (
                e.edition = rule.edition
                or (
                    rule.edition is null
                    and case
                        when rule.rule = 'in_force_at_start' then p.start
                        else (p.start + interval '1 {{ grain }}')::date - 1
                    end between e.judges_from and e.judges_to
                )
                or {{ judge_by() }} is not null
            )
),

enough as (
    select
        j.area_code,
        j.start,
        s.item,
        s.days,
        {%- if grain == 'month' %}
        s.days >= case when extract(month from j.start) = 2 then j.february_days else j.month_days end as is_valid
        {%- else %}
        s.days >= j.year_days
        and (
            select
                count(*) = 12
                and bool_and(
                    m.days >= case when extract(month from m.month) = 2 then j.february_days else j.month_days end
                )
            from month_of_item as m
            where m.area_code = j.area_code and m.start = j.start and m.item = s.item
        ) as is_valid
        {%- endif %}
    from judged_by as j
    inner join statistic as s on j.area_code = s.area_code and j.start = s.start
),

index_rule as (
    select
        p.property,
        c.statistic,
        c.standard_value,
        c.weight,
        c.decimals,
        c.version
    from {{ ref('air_composite_index') }} as c
    inner join {{ ref('standard_pollutant') }} as p on c.pollutant = p.pollutant
    where c.basis = 'fixed'
),

air_limit as (
    select
        p.property,
        l.avg_period,
        l.standard,
        l."limit",
        l.judges_from,
        l.judges_to
    from (
        {{ limit_by_standard('pollutant', "'annual'") }}
        union all
        {{ limit_by_standard('pollutant', "'24h'") }}
        union all
        {{ limit_by_standard('pollutant', "'MDA8'") }}
    ) as l
    inner join {{ ref('standard_pollutant') }} as p on l.pollutant = p.pollutant
),

-- Rounded once, at the end.
figure as (
    select
        j.area_code,
        j.start,
        s.item,
        s.days,
        n.is_valid,
        rounded.mean,
        rounded.percentile,
        case when s.item in ('co', 'o3') then rounded.percentile else rounded.mean end / i.standard_value * i.weight
            as single_index,
        rounded.percentile <= daily."limit"
        and (s.item in ('co', 'o3') or rounded.mean <= annual."limit") as compliant
    from judged_by as j
    inner join statistic as s on j.area_code = s.area_code and j.start = s.start
    inner join enough as n on j.area_code = n.area_code and j.start = n.start and s.item = n.item
    inner join index_rule as i on s.item = i.property
    cross join lateral (
        select case when s.item = 'co' then j.statistic_decimals_co else j.statistic_decimals end as decimals offset 0
    ) as d
    cross join lateral (
        select
            {{ round_half_even('s.mean', 'd.decimals') }} as mean,
            {{ round_half_even('s.percentile', 'd.decimals') }} as percentile
        offset 0
    ) as rounded
    left join air_limit as annual
        on
            j.limit_standard = annual.standard and s.item = annual.property and annual.avg_period = 'annual'
            and j.last_day between annual.judges_from and annual.judges_to
    left join air_limit as daily
        on
            j.limit_standard = daily.standard and s.item = daily.property
            and daily.avg_period = case s.item when 'o3' then 'MDA8' else '24h' end
            and j.last_day between daily.judges_from and daily.judges_to
),

wide as (
    select
        area_code,
        start,
        {%- for item, column, share in statistics %}
        max(mean) filter (where item = '{{ item }}' and is_valid) as {{ column }}_mean,
        max(percentile) filter (where item = '{{ item }}' and is_valid) as {{ column }}_p{{ (share * 100) | round | int }},
        coalesce(max(days) filter (where item = '{{ item }}'), 0)::integer as {{ item }}_days,
        max(single_index) filter (where item = '{{ item }}' and is_valid) as index_{{ item }},
        bool_and(compliant) filter (where item = '{{ item }}' and is_valid) as {{ item }}_compliant,
        {%- endfor %}
        count(*) filter (where is_valid) as valid_items,
        sum(single_index) filter (where is_valid) as index_sum,
        max(single_index) filter (where is_valid) as index_max
    from figure
    group by area_code, start
)

select
    j.area_code,
    {%- if grain == 'month' %}
    j.start as month,
    {%- else %}
    extract(year from j.start)::integer as year,
    {%- endif %}
    j.area_name,
    j.area_level,
    {%- for item, column, share in statistics %}
    {%- set percentile = column ~ '_p' ~ ((share * 100) | round | int) %}
    w.{{ column }}_mean,
    w.{{ percentile }},
    {%- endfor %}
    case when w.valid_items = 6 then {{ round_half_even('w.index_sum', 'rule.decimals') }} end as composite_index,
    {%- for item, column, share in statistics %}
    {{ round_half_even('w.index_' ~ item, 'rule.decimals') }} as index_{{ item }},
    {%- endfor %}
    case
        when w.valid_items = 6 then concat_ws(
            ','
            {%- for item, column, share in statistics %},
            case when w.index_{{ item }} = w.index_max then '{{ item }}' end
            {%- endfor %}
        )
    end as main_pollutant,
    j.aqi_days,
    j.good_days,
    {{ round_half_even('good.ratio', 'j.percent_decimals') }} as good_day_percent,
    j.expected_days,
    {%- for item, column, share in statistics %}
    coalesce(w.{{ item }}_days, 0) as {{ item }}_days,
    {%- endfor %}
    {%- if grain == 'year' %}
    {%- for item, column, share in statistics %}
    w.{{ item }}_compliant,
    {%- endfor %}
    case
        when {% for item, column, share in statistics %}not w.{{ item }}_compliant{{ ' or ' if not loop.last }}{% endfor %}
            then false
        when w.valid_items = 6 then true
    end as compliant,
    {%- endif %}
    nullif(concat_ws(
        '; '
        {%- for item, column, share in statistics %},
        case
            when w.{{ column }}_mean is null
                then '{{ column }}: ' || coalesce(w.{{ item }}_days, 0) || ' of ' || j.expected_days || ' days'
        end
        {%- endfor %}
    ), '') as reason,
    j.limit_standard as standard,
    j.evaluation_standard,
    rule.version as index_rule,
    j.mark as standard_mark,
    j.known_at,
    j.synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from judged_by as j
left join wide as w on j.area_code = w.area_code and j.start = w.start
cross join (
    select
        min(version) as version,
        max(decimals) as decimals
    from index_rule
) as rule
cross join lateral (
    select j.good_days * 100.0 / nullif(j.aqi_days, 0) as ratio offset 0
) as good
{%- endmacro %}
