{# One row is one hour of one station: measured values, the hourly AQI of the edition in force, what was reported. #}
{% macro air_station_hour(scoped) -%}
{%- set six = air_items() -%}
{%- set wanted = [
    ('so2', 'so2', 'measured', 'PT1H'), ('no2', 'no2', 'measured', 'PT1H'), ('co', 'co', 'measured', 'PT1H'),
    ('o3', 'o3', 'measured', 'PT1H'), ('pm10', 'pm10', 'measured', 'PT1H'), ('pm2_5', 'pm2_5', 'measured', 'PT1H'),
    ('o3_8h', 'o3', 'running_mean', 'PT8H'), ('aqi', 'aqi', 'reported', 'PT1H'),
    ('primary_pollutant', 'primary_pollutant', 'reported', 'PT1H'), ('category', 'aqi_category', 'reported', 'PT1H'),
] -%}
with site as (
    {{ site_with_area('air') }}
),

edition as materialized (
    {{ edition_by_area('site') }}
),

scale as materialized (
    select * from {{ ref('air_iaqi_scale') }} where avg_period = '1h'
),

-- A pollutant is planned at a station that has a series of it (HJ 633-2026 5.3.1).
plan as (
    select
        feed,
        site_code,
        array_agg(distinct property) as planned
    from {{ source('core', 'series') }}
    where
        element = 'air'
        and procedure = 'measured'
        and averaging_period = interval 'PT1H'
        and property in ({% for item in six %}'{{ item }}'{{ ', ' if not loop.last }}{% endfor %})
    group by feed, site_code
),

cell as (
    {{ cells('air', wanted, scoped) }}
),

hour as (
    select
        r.feed,
        r.site_code,
        r.period_start,
        {%- for item in six + ['o3_8h', 'aqi'] %}
        max(r.value) filter (where r.item = '{{ item }}') as {{ item }}{{ '_reported' if item == 'aqi' }},
        {%- endfor %}
        max(r.value_text) filter (where r.item = 'primary_pollutant') as primary_label,
        max(r.value_text) filter (where r.item = 'category') as category_reported,
        max(r.reference_state) as reference_state,
        max(r.known_at) as known_at,
        count(r.value) filter (where r.item not in ('o3_8h', 'aqi'))::integer as valid_count,
        count(*) filter (where r.suspect and r.item not in ('o3_8h', 'aqi'))::integer as suspect_count,
        nullif(concat_ws(
            ','
            {%- for item in six %},
            max('{{ item }}') filter (where r.suspect and r.item = '{{ item }}')
            {%- endfor %}
        ), '') as suspect_items,
        {{ review_columns('r') }},
        bool_or(r.synthetic) as synthetic
    from cell as r
    group by 1, 2, 3
),

-- Site and edition of an hour, not of each of its cells: the planner expects few cells, and may read all editions for each.
judged as (
    select
        hour.*,
        site.area_code,
        site.area_name,
        site.site_type,
        site.takes_part,
        edition.aqi_standard,
        edition.aqi_minimum,
        edition.missing_planned_rule,
        edition.hour_mark as edition_mark,
        scored.*
    from hour
    left join site
        on hour.feed = site.feed
        and hour.site_code = site.site_code
        and hour.period_start >= site.valid_from
        and hour.period_start < site.valid_to
    left join edition
        on coalesce(site.area_code, '') = edition.area_key
        and {{ local_date('hour.period_start') }} between edition.judges_from and edition.judges_to
    cross join lateral (
        select
            {%- for item in six %}
            max(indexed.iaqi) filter (where one.item = '{{ item }}') as iaqi_{{ item }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (
            values
            {%- for item in six %}
            ('{{ item }}', hour.{{ item }}){{ ',' if not loop.last }}
            {%- endfor %}
        ) as one (item, value)
        inner join scale as s on edition.aqi_standard = s.standard and one.item = s.property
        {{ iaqi_of('one.value', 's') }}
    ) as scored
),

evaluated as (
    select
        h.*,
        p.planned,
        h.aqi_reported = trunc(h.aqi_reported) and h.aqi_reported between 0 and 2147483647 as reported_is_index,
        evaluated.aqi,
        evaluated.primary_pollutant,
        evaluated.aqi_reason
    from judged as h
    left join plan as p on h.feed = p.feed and h.site_code = p.site_code
    {{ air_evaluated('h', {}, 'p.planned') }}
)

select
    i.site_code as station_code,
    i.period_start,
    i.period_start + interval '1 hour' as period_end,
    {%- for item in ['so2', 'no2', 'co', 'o3', 'o3_8h', 'pm10', 'pm2_5'] %}
    i.{{ item }},
    {%- endfor %}
    i.aqi,
    i.primary_pollutant,
    l.category_cn as category,
    i.aqi_standard as standard,
    -- What is no whole number that the column holds disagrees with every index, and says so instead of ending the build.
    case when i.reported_is_index then i.aqi_reported::integer end as aqi_reported,
    case when not i.reported_is_index then 'no_index:' || i.aqi_reported end as aqi_reported_reason,
    reported.primary_pollutant as primary_pollutant_reported,
    i.category_reported,
    i.area_code,
    i.area_name,
    i.site_type,
    i.takes_part,
    i.reference_state,
    {%- for item in six %}
    i.iaqi_{{ item }},
    {%- endfor %}
    i.known_at,
    i.valid_count,
    i.suspect_count,
    i.suspect_items,
    coalesce(cardinality(i.planned), 0) as expected_count,
    i.aqi_reason,
    -- What people decided is no longer what the source reported on: there is nothing to agree with.
    case
        when i.aqi_reported is not null and i.reviewed_items is null then i.aqi is not distinct from i.aqi_reported
    end as aqi_agrees,
    case
        when i.aqi_reported is not null and i.reviewed_items is null
            then i.primary_pollutant is not distinct from reported.primary_pollutant
    end as primary_agrees,
    case
        when i.category_reported is not null and i.reviewed_items is null
            then l.category_cn is not distinct from i.category_reported
    end as category_agrees,
    i.edition_mark as standard_mark,
    i.review_stage,
    i.reviewed_items,
    i.synthetic,
    i.feed
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from evaluated as i
left join {{ ref('air_aqi_levels') }} as l
    on i.aqi_standard = l.standard and i.aqi >= l.aqi_lo and i.aqi <= coalesce(l.aqi_hi, 2147483647)
-- Labels of the source as property names in the order of the seed; a label that no seed knows stays as it is.
left join lateral (
    select string_agg(coalesce(p.property, label.text), ',' order by p.sort_order, label.text) as primary_pollutant
    from regexp_split_to_table(i.primary_label, '\s*[,，、;]\s*') as label (text)
    left join {{ ref('air_primary_label') }} as k on label.text = k.label
    left join {{ ref('property') }} as p on k.property = p.property
) as reported on true
{%- endmacro %}
