{# What a `reason` says where no validity rule is in force that day: nothing may be counted against a guess. #}
{% macro no_rule() %}{{ return('no validity rule in force') }}{% endmacro %}

{# Limits of grade 2 by standard and date. Outside its own dates a standard judges by its nearest stage, because
   eco.judge_by may ask it for any day. #}
{% macro limit_by_standard(pollutant, period) -%}
    select
        standard,
        pollutant,
        avg_period,
        "limit",
        coalesce(decimals, 0) as decimals,
        case when valid_from = min(valid_from) over (partition by standard, pollutant) then '-infinity'::date else valid_from end
            as judges_from,
        case
            when row_number() over (partition by standard, pollutant order by valid_from desc) = 1 then 'infinity'::date
            else valid_to
        end as judges_to
    from {{ ref('air_limits') }}
    where pollutant = {{ pollutant }} and avg_period = {{ period }} and grade = 2
{%- endmacro %}

{# The daily index from *_unrounded (24 h means of five, MDA8 of ozone): CTEs `scored` and `evaluated`. #}
{% macro air_day_index(relation, key) -%}
scale as materialized (
    select * from {{ ref('air_iaqi_scale') }} where avg_period in ('24h', 'MDA8')
),

scored as (
    select
        {%- for column in key %}
        v.{{ column }},
        {%- endfor %}
        {%- for item in air_items() %}
        max(rounded.concentration) filter (where c.item = '{{ item }}') as {{ 'o3_mda8' if item == 'o3' else item }},
        {%- endfor %}
        {%- for item in air_items() %}
        max(indexed.iaqi) filter (where c.item = '{{ item }}') as iaqi_{{ item }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }} as v
    cross join lateral (
        values
        {%- for item in air_items() %}
        {%- set column = 'o3_mda8' if item == 'o3' else item %}
        ('{{ item }}', '{{ "MDA8" if item == "o3" else "24h" }}', v.{{ column }}_unrounded){{ ',' if not loop.last }}
        {%- endfor %}
    ) as c (item, avg_period, value)
    left join scale as s
        on v.aqi_standard = s.standard and c.item = s.property and c.avg_period = s.avg_period
    {{ iaqi_of('c.value', 's') }}
    group by {% for column in key %}v.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
),

evaluated as (
    select
        r.*,
        evaluated.aqi,
        evaluated.primary_pollutant,
        evaluated.aqi_reason
    from (
        select
            v.*,
            {%- for item in air_items() %}
            s.{{ 'o3_mda8' if item == 'o3' else item }},
            s.iaqi_{{ item }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ relation }} as v
        inner join scored as s
            on {% for column in key %}v.{{ column }} = s.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    ) as r
    {{ air_evaluated('r', {'o3': 'o3_mda8'}) }}
)
{%- endmacro %}
