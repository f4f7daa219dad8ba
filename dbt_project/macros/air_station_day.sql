{# One row is one natural day of one station: means of valid hours, MDA8, the daily AQI of six items (MDA8 for ozone). #}
{% macro air_station_day(scoped) -%}
{%- set hours = ref('air__station_hour') if scoped else ref('as_of__air__station_hour') -%}
{%- set means = ['so2', 'no2', 'co', 'pm10', 'pm2_5'] -%}
with hour as (
    select
        h.*,
        {{ local_date('h.period_start') }} as day,
        extract(hour from h.period_start at time zone '{{ var("timezone") }}')::integer as hour_of_day
    from {{ hours }} as h
    {%- if scoped %}
    inner join ({{ scope_days('air') }}) as scope
        on
            h.station_code = scope.station_code
            and h.period_start >= {{ local_start('scope.day') }}
            and h.period_start < {{ local_start('scope.day + 1') }}
    {%- endif %}
),

-- Attributes of the day: those of its last hour.
station as (
    select distinct on (station_code, day)
        station_code,
        day,
        area_code,
        area_name,
        site_type,
        takes_part
    from hour
    order by station_code, day, period_start desc
),

edition as materialized (
    {{ edition_by_area('station') }}
),

judged_by as (
    select
        s.*,
        e.aqi_standard,
        e.limit_standard,
        e.aqi_minimum,
        e.missing_planned_rule,
        e.day_hours,
        e.o3_window_hours,
        e.mda8_windows,
        e.day_mark
    from station as s
    left join edition as e
        on coalesce(s.area_code, '') = e.area_key and s.day between e.judges_from and e.judges_to
),

total as (
    select
        station_code,
        day,
        max(o3) as o3_1h_max,
        max(known_at) as known_at,
        bool_or(synthetic) as synthetic,
        {%- for item in air_items() %}
        avg({{ item }}) as {{ item }}_mean,
        count({{ item }})::integer as {{ item }}_hours,
        count(*) filter (where '{{ item }}' = any(string_to_array(suspect_items, ',')))::integer
            as {{ item }}_suspect{{ ',' if not loop.last }}
        {%- endfor %}
    from hour
    group by station_code, day
),

-- 17 running means, ending at 8:00 to 24:00, from hours of the same day.
ozone_window as (
    select
        hour.station_code,
        hour.day,
        ends.at,
        avg(hour.o3) as mean,
        count(hour.o3) as hours
    from hour
    inner join generate_series(8, 24) as ends (at)
        on hour.hour_of_day >= ends.at - 8 and hour.hour_of_day < ends.at
    group by hour.station_code, hour.day, ends.at
),

ozone as (
    select
        w.station_code,
        w.day,
        max(w.mean) as o3_mda8_mean,
        count(*)::integer as o3_windows
    from ozone_window as w
    inner join judged_by as j on w.station_code = j.station_code and w.day = j.day
    where w.hours >= j.o3_window_hours
    group by w.station_code, w.day
),

ozone_limit as (
    {{ limit_by_standard("'O3'", "'MDA8'") }}
),

-- What the validity rules leave: null where too few hours or windows were valid.
valid as (
    select
        j.*,
        t.o3_1h_max,
        t.known_at,
        t.synthetic,
        {%- for item in air_items() %}
        t.{{ item }}_hours,
        t.{{ item }}_suspect,
        {%- endfor %}
        case when j.o3_window_hours is not null then coalesce(o.o3_windows, 0) end as o3_windows,
        {%- for item in means %}
        case when t.{{ item }}_hours >= j.day_hours then t.{{ item }}_mean end as {{ item }}_unrounded,
        {%- endfor %}
        case
            when
                o.o3_windows >= j.mda8_windows
                or {{ round_half_even('o.o3_mda8_mean', 'l.decimals') }} > l."limit"
                then o.o3_mda8_mean
        end as o3_mda8_unrounded
    from judged_by as j
    inner join total as t on j.station_code = t.station_code and j.day = t.day
    left join ozone as o on j.station_code = o.station_code and j.day = o.day
    left join ozone_limit as l
        on j.limit_standard = l.standard and j.day between l.judges_from and l.judges_to
),

{{ air_day_index('valid', ['station_code', 'day']) }}

select
    e.station_code,
    e.day,
    e.area_code,
    e.area_name,
    e.site_type,
    e.takes_part,
    {%- for item in air_items() %}
    e.{{ 'o3_mda8' if item == 'o3' else item }},
    {%- endfor %}
    e.o3_1h_max,
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
    24 as expected_hours,
    {%- for item in air_items() %}
    e.{{ item }}_hours,
    e.{{ item }}_suspect,
    {%- endfor %}
    17 as expected_windows,
    e.o3_windows,
    nullif(concat_ws(
        '; '
        {%- for item in means %},
        case
            when e.{{ item }}_unrounded is null
                then '{{ item }}: ' || coalesce(e.{{ item }}_hours || ' of ' || e.day_hours || ' hours', '{{ no_rule() }}')
        end
        {%- endfor %},
        case
            when e.o3_mda8_unrounded is null
                then 'o3_mda8: ' || coalesce(e.o3_windows || ' of ' || e.mda8_windows || ' windows', '{{ no_rule() }}')
        end
    ), '') as reason,
    e.aqi_reason,
    e.known_at,
    e.synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from evaluated as e
left join {{ ref('air_aqi_levels') }} as l
    on e.aqi_standard = l.standard and e.aqi >= l.aqi_lo and e.aqi <= coalesce(l.aqi_hi, 2147483647)
{%- endmacro %}
