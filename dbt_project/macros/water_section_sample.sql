{# One row is one version of one sample of one section: what was known of it from known_at on. #}
{% macro water_section_sample(scoped) -%}
{%- set items = water_items() -%}
with section as materialized (
    {{ water_section() }}
),

version as (
    select
        v.*,
        coalesce(
            lead(v.known_at) over (partition by v.series_id, v.period_start order by v.known_at), 'infinity'
        ) as known_until
    from ({{ held_versions('water', ['real_time', 'reviewed'], all_versions=true, scoped=scoped) }}) as v
    where v.averaging_period = interval 'PT4H'
),

moment as (
    select distinct
        feed,
        site_code,
        period_start,
        known_at
    from version
),

-- What holds at each moment; where a reviewed value stands beside a real-time one, the reviewed one counts.
held as (
    select distinct on (m.feed, m.site_code, m.period_start, m.known_at, v.property, v.procedure)
        m.feed,
        m.site_code,
        m.period_start,
        m.known_at,
        v.property,
        v.property as item,
        v.procedure,
        case when not v.invalid then v.value end as value,
        case when not v.invalid then v.value_text end as value_text,
        v.value is not null and v.invalid as invalid,
        v.value is not null and v.suspect as suspect,
        v.qualifier,
        case
            when v.invalid then null
            when v.qualifier = '<' then v.detection_limit * rule.value
            else v.value
        end as reading,
        v.review_stage,
        v.synthetic
    from moment as m
    inner join version as v
        on
            m.feed = v.feed
            and m.site_code = v.site_code
            and m.period_start = v.period_start
            and m.known_at >= v.known_at
            and m.known_at < v.known_until
            -- A correction that was taken back leaves the value to the source.
            and not (v.series_kind = 'reviewed' and v.source_mark is not distinct from 'revoked')
    cross join (
        select value from {{ ref('water_evaluation_rules') }} where topic = 'below detection limit'
    ) as rule
    order by m.feed, m.site_code, m.period_start, m.known_at, v.property, v.procedure, v.series_kind = 'reviewed' desc
),

sample as (
    select
        feed,
        site_code,
        period_start,
        known_at,
        {%- for item in items %}
        max(value) filter (where property = '{{ item }}' and procedure = 'reported') as {{ item }},
        coalesce(
            max(reading) filter (where property = '{{ item }}' and procedure = 'measured'),
            max(reading) filter (where property = '{{ item }}' and procedure = 'reported')
        ) as {{ item }}_reading,
        {%- endfor %}
        max(value_text) filter (where property = 'water_class') as class_label,
        max(value_text) filter (where property = 'station_state') as station_state,
        string_agg(distinct property, ',' order by property) filter (where qualifier in ('<', 'nd')) as censored_items,
        string_agg(distinct property, ',' order by property) filter (where invalid) as invalid_items,
        string_agg(distinct property, ',' order by property) filter (where suspect) as suspect_items,
        {{ review_columns('shown') }},
        bool_or(synthetic) as synthetic
    from held as shown
    group by feed, site_code, period_start, known_at
),

placed as materialized (
    select
        s.*,
        section.section_name,
        section.province,
        section.basin,
        section.river,
        section.city,
        section.area_code,
        section.water_type,
        section.water_type_evidence,
        {{ local_date('s.period_start') }} as day
    from sample as s
    left join section on s.feed = section.feed and s.site_code = section.section_code
),

-- By the value as shown: rounded before it is compared, by GB/T 8170.
long as (
    select
        p.feed,
        p.site_code,
        p.period_start,
        p.known_at,
        p.day,
        p.water_type,
        i.property,
        i.sort_order,
        {{ round_half_even('cell.value', 'i.decimals') }} as value
    from placed as p
    cross join lateral (
        values
        {%- for item in items %}
        ('{{ item }}', p.{{ item }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as cell (property, value)
    inner join {{ ref('water_item') }} as i on cell.property = i.property and i.in_class = 1
),

classed as materialized (
    {{ water_item_class('long') }}
),

ranked as (
    select
        classed.*,
        max(item_class) over (partition by feed, site_code, period_start, known_at) as worst_class
    from classed
),

decided as (
    select
        feed,
        site_code,
        period_start,
        known_at,
        max(standard) as standard,
        max(limit_mark) as limit_mark,
        string_agg(property, ',' order by sort_order) filter (where value is null) as missing,
        case when count(value) = count(*) then max(worst_class) end as water_class,
        case
            when count(value) = count(*)
                then string_agg(property, ',' order by sort_order) filter (where item_class = worst_class and worst_class > 1)
        end as deciding_items
    from ranked
    group by feed, site_code, period_start, known_at
)

select
    p.site_code as section_code,
    p.day as sampled_on,
    p.period_start as sampled_at,
    p.known_at,
    p.section_name,
    p.province,
    p.basin,
    p.river,
    p.city,
    p.area_code,
    'auto'::text as sample_kind,
    p.station_state,
    p.water_type,
    p.water_type_evidence,
    {%- for item in items %}
    p.{{ item }},
    {%- endfor %}
    d.water_class,
    label.class_cn as water_class_cn,
    d.deciding_items,
    d.standard,
    d.limit_mark as standard_mark,
    reported.class as water_class_reported,
    case
        -- What people decided is no longer what the source reported on: there is nothing to agree with.
        when reported.class is not null and p.reviewed_items is null then coalesce(d.water_class, 0) = reported.class
    end as class_agrees,
    case
        when d.water_class is not null then null
        when d.standard is null then 'no_edition_in_force'
        else 'missing:' || d.missing
    end as class_reason,
    {%- for item in items %}
    p.{{ item }}_reading,
    {%- endfor %}
    p.censored_items,
    p.invalid_items,
    p.suspect_items,
    p.review_stage,
    p.reviewed_items,
    (row_number() over (partition by p.site_code, p.period_start order by p.known_at))::integer as version,
    p.known_at = max(p.known_at) over (partition by p.site_code, p.period_start) as is_current,
    p.synthetic,
    p.feed
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from placed as p
inner join decided as d
    on
        p.feed = d.feed
        and p.site_code = d.site_code
        and p.period_start = d.period_start
        and p.known_at = d.known_at
left join {{ ref('water_class_label') }} as reported on p.class_label = reported.label
left join {{ ref('water_class_label') }} as label on d.water_class = label.class and label.source = 'national feed'
{%- endmacro %}
