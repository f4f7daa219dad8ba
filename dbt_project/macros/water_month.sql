{# Local months that a build of water touches, per section. #}
{% macro water_scope_months() -%}
    select distinct
        station_code as section_code,
        date_trunc('month', day)::date as month
    from ({{ scope_days('water') }}) as days
{%- endmacro %}

{# Months whose row depends on what a build touches: the month itself, the rest of its year (to date), and the same months
   a year later (change against last year). #}
{% macro water_reached_months() -%}
    select distinct
        touched.section_code,
        reached.month::date as month
    from ({{ water_scope_months() }}) as touched
    cross join lateral generate_series(
        touched.month, make_date(extract(year from touched.month)::integer + 1, 12, 1), interval '1 month'
    ) as reached (month)
{%- endmacro %}

{# One row is one item of one section in one month: from which kind of data, of how many days, and the mean. Automatic
   data first; manual samples where there is none of them. The mean of pH is that of the hydrogen ion. #}
{% macro water_section_month_item(scoped) -%}
{%- set samples = ref('water__section_sample') if scoped else ref('as_of__water__section_sample') -%}
with sample as (
    select
        s.*,
        date_trunc('month', s.sampled_on)::date as month
    from {{ samples }} as s
    {%- if scoped %}
    inner join ({{ water_scope_months() }}) as scope
        on
            s.section_code = scope.section_code
            and s.sampled_on >= scope.month
            and s.sampled_on < (scope.month + interval '1 month')::date
    {%- endif %}
    where s.is_current
),

reading as (
    select
        s.section_code,
        s.month,
        s.sampled_on,
        s.sample_kind,
        s.known_at,
        s.synthetic,
        i.property,
        i.sort_order,
        i.mean_method,
        i.mean_decimals,
        case i.mean_method when 'hydrogen_ion' then power(10::numeric, -cell.value) else cell.value end as value
    from sample as s
    cross join lateral (
        values
        {%- for item in water_month_items() %}
        ('{{ item }}', s.{{ item }}_reading){{ ',' if not loop.last }}
        {%- endfor %}
    ) as cell (property, value)
    inner join {{ ref('water_item') }} as i on cell.property = i.property
    where cell.value is not null
),

day_mean as (
    select
        section_code,
        month,
        sampled_on,
        sample_kind,
        property,
        sort_order,
        mean_method,
        mean_decimals,
        avg(value) as value,
        count(*) as readings,
        max(known_at) as known_at,
        bool_or(synthetic) as synthetic
    from reading
    group by section_code, month, sampled_on, sample_kind, property, sort_order, mean_method, mean_decimals
),

month_mean as (
    select
        section_code,
        month,
        sample_kind,
        property,
        sort_order,
        mean_method,
        mean_decimals,
        avg(value) as value,
        count(*)::integer as days,
        sum(readings)::integer as readings,
        max(known_at) as known_at,
        bool_or(synthetic) as synthetic
    from day_mean
    group by section_code, month, sample_kind, property, sort_order, mean_method, mean_decimals
),

first_source as (
    select distinct on (section_code, month, property) *
    from month_mean
    order by section_code, month, property, sample_kind = 'auto' desc
)

select
    section_code,
    month,
    property,
    case mean_method when 'hydrogen_ion' then -log(value) else value end as mean_unrounded,
    sample_kind as source,
    days,
    readings,
    sort_order,
    mean_decimals,
    known_at,
    synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from first_source
{%- endmacro %}
