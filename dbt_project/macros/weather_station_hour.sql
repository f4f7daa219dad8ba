{# One row is one hour of one weather station. #}
{% macro weather_station_hour(scoped) -%}
{%- set items = [
    'air_temperature', 'relative_humidity', 'air_pressure', 'wind_speed', 'wind_direction', 'precipitation'
] -%}
{%- set wanted = [] -%}
{%- for item in items -%}
    {%- do wanted.append((item, item, 'sum' if item == 'precipitation' else 'measured', 'PT1H')) -%}
{%- endfor -%}
with site as (
    {{ site_with_area('weather') }}
),

plan as (
    select
        feed,
        site_code,
        count(distinct property)::integer as expected_count
    from {{ source('core', 'series') }}
    where element = 'weather' and averaging_period = interval 'PT1H'
    group by feed, site_code
),

cell as (
    {{ cells('weather', wanted, scoped) }}
),

hour as (
    select
        feed,
        site_code,
        period_start,
        {%- for item in items %}
        max(value) filter (where item = '{{ item }}') as {{ item }},
        {%- endfor %}
        count(value)::integer as valid_count,
        count(*) filter (where suspect)::integer as suspect_count,
        max(known_at) as known_at,
        {{ review_columns('cell') }},
        bool_or(synthetic) as synthetic
    from cell
    group by feed, site_code, period_start
)

select
    h.site_code as station_code,
    h.period_start,
    h.period_start + interval '1 hour' as period_end,
    {%- for item in items %}
    h.{{ item }},
    {%- endfor %}
    s.site_name as station_name,
    s.area_code,
    s.area_name,
    h.valid_count,
    h.suspect_count,
    p.expected_count,
    h.known_at,
    h.review_stage,
    h.reviewed_items,
    h.synthetic,
    h.feed
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from hour as h
left join site as s
    on h.feed = s.feed and h.site_code = s.site_code and h.period_start >= s.valid_from and h.period_start < s.valid_to
left join plan as p on h.feed = p.feed and h.site_code = p.site_code
{%- endmacro %}
