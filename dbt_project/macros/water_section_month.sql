{# Rank of a class among the quality levels: 1 (I, II) to 5 (worse than V). #}
{% macro water_levels() -%}
    select
        class.class,
        class.class_cn,
        level.category_cn as quality_level,
        dense_rank() over (order by worst.class) as level_rank
    from {{ ref('water_quality_levels') }} as level
    inner join {{ ref('water_class_label') }} as best on level.class_best = best.label
    inner join {{ ref('water_class_label') }} as worst on level.class_worst = worst.label
    inner join {{ ref('water_class_label') }} as class
        on class.source = 'national feed' and class.class between best.class and worst.class
{%- endmacro %}

{# Words for a change of `steps` quality levels or percentage points (better is positive), by the method's own table. #}
{% macro water_change_label(steps, method) -%}
    (
        select
            case
                when {{ steps }} = 0 or l.abs_le = 10 then l.label
                when {{ steps }} > 0 then replace(l.label, '变化', '好转')
                else replace(l.label, '变化', '变差')
            end
        from {{ ref('water_change_levels') }} as l
        where
            l.method like '{{ method }}%'
            and abs({{ steps }}) >= coalesce(l.abs_ge, 0)
            and (l.abs_gt is null or abs({{ steps }}) > l.abs_gt)
            and (l.abs_le is null or abs({{ steps }}) <= l.abs_le)
    )
{%- endmacro %}

{# One row is one month of one section: means of items with source and days, class, target, year to date and changes. #}
{% macro water_section_month(scoped) -%}
{%- set month_items = ref('water__section_month_item') if scoped else ref('as_of__water__section_month_item') -%}
{%- set items = water_month_items() -%}
with section as materialized (
    {{ water_section() }}
),

level as materialized (
    {{ water_levels() }}
),
{%- if scoped %}

reached as materialized (
    {{ water_reached_months() }}
),

reach as (
    select
        section_code,
        (date_trunc('year', min(month)) - interval '1 year')::date as first_month
    from reached
    group by section_code
),
{%- endif %}

month_item as (
    select
        i.*,
        item.mean_method,
        item.in_class,
        item.has_multiple
    from {{ month_items }} as i
    inner join {{ ref('water_item') }} as item on i.property = item.property
    {%- if scoped %}
    inner join reach on i.section_code = reach.section_code and i.month >= reach.first_month
    {%- endif %}
),

-- The month itself, and the months of its year so far: the mean of their means.
mean as materialized (
    select
        m.*,
        case m.mean_method
            when 'hydrogen_ion' then -log(avg(power(10::numeric, -m.mean_unrounded)) over year_so_far)
            else avg(m.mean_unrounded) over year_so_far
        end as to_date_unrounded,
        count(*) over year_so_far as months
    from month_item as m
    window year_so_far as (
        partition by m.section_code, m.property, extract(year from m.month) order by m.month
    )
),

judged as (
    select
        m.section_code,
        m.month,
        basis.name as basis,
        m.property,
        m.sort_order,
        m.has_multiple,
        m.months,
        {{ round_half_even('basis.mean', 'm.mean_decimals') }} as value,
        section.water_type,
        (m.month + interval '1 month')::date - 1 as day
    from mean as m
    left join section on m.section_code = section.section_code
    cross join lateral (
        values ('month', m.mean_unrounded), ('to_date', m.to_date_unrounded)
    ) as basis (name, mean)
    where m.in_class = 1
),

classed as materialized (
    {{ water_item_class('judged') }}
),

-- One row is one month of a section with both classes; a class needs all items that enter it.
result as (
    select
        c.section_code,
        c.month,
        max(c.standard) as standard,
        max(c.limit_mark) as limit_mark,
        max(c.months) as months,
        case
            when count(*) filter (where c.basis = 'month') = required.items
                then max(c.item_class) filter (where c.basis = 'month')
        end as water_class,
        case
            when count(*) filter (where c.basis = 'to_date') = required.items
                then max(c.item_class) filter (where c.basis = 'to_date')
        end as class_to_date,
        array_agg(c.property) as there
    from classed as c
    cross join (select count(*) as items from {{ ref('water_item') }} where in_class = 1) as required
    group by c.section_code, c.month, required.items
),

-- Worse than III: the worst items first, ties by the over-standard multiple, three of them.
pollutant as (
    select
        section_code,
        month,
        string_agg(property, ',' order by place) as main_pollutants,
        string_agg(concat_ws(' ', property, multiple), ',' order by place) as over_standard_multiples
    from (
        select
            c.section_code,
            c.month,
            c.property,
            case
                when c.has_multiple = 1 then {{ round_half_even('((c.value - c.limit_iii) / c.limit_iii)', '2') }}
            end as multiple,
            row_number() over (
                partition by c.section_code, c.month
                order by
                    c.item_class desc,
                    case when c.has_multiple = 1 then (c.value - c.limit_iii) / c.limit_iii end desc nulls last,
                    c.sort_order
            ) as place
        from classed as c
        where c.basis = 'month' and c.item_class > 3
    ) as ordered
    where place <= (select value from {{ ref('water_month_rule') }} where rule_code = 'main_pollutants')
    group by section_code, month
),

wide as (
    select
        m.section_code,
        m.month,
        {%- for item in items %}
        max({{ round_half_even('m.mean_unrounded', 'm.mean_decimals') }}) filter (where m.property = '{{ item }}') as {{ item }},
        max(m.days) filter (where m.property = '{{ item }}') as {{ item }}_days,
        max(m.source) filter (where m.property = '{{ item }}') as {{ item }}_source,
        {%- endfor %}
        max(m.known_at) as known_at,
        bool_or(m.synthetic) as synthetic
    from mean as m
    group by m.section_code, m.month
),

target as materialized (
    select distinct on (section_code, year)
        section_code,
        year,
        level,
        target_class,
        document
    from {{ source('core', 'section_target_current') }}
    order by section_code asc, year asc, level = 'national' desc, level = 'region' desc, known_at desc
),

compared as (
    select
        ranked.*,
        max(level_rank) over a_month_ago - level_rank as steps_previous_month,
        max(level_rank) over a_year_ago - level_rank as steps_last_year,
        max(water_class) over a_month_ago as class_previous_month,
        max(water_class) over a_year_ago as class_last_year,
        max(class_to_date) over a_year_ago as class_to_date_last_year
    from (
        select
            result.*,
            level.level_rank,
            level.class_cn,
            level.quality_level,
            (
                select string_agg(item.property, ',' order by item.sort_order)
                from {{ ref('water_item') }} as item
                where item.in_class = 1 and item.property <> all(result.there)
            ) as missing
        from result
        left join level on result.water_class = level.class
    ) as ranked
    window
        a_month_ago as (
            partition by section_code order by month
            range between interval '1 month' preceding and interval '1 month' preceding
        ),
        a_year_ago as (
            partition by section_code order by month
            range between interval '1 year' preceding and interval '1 year' preceding
        )
)

select
    w.section_code,
    w.month,
    section.section_name,
    section.province,
    section.basin,
    section.river,
    section.city,
    section.area_code,
    section.water_type,
    section.water_type_evidence,
    {%- for item in items %}
    w.{{ item }},
    w.{{ item }}_days,
    w.{{ item }}_source,
    {%- endfor %}
    c.water_class,
    c.class_cn as water_class_cn,
    c.quality_level,
    case when c.water_class > 3 then p.main_pollutants end as main_pollutants,
    case when c.water_class > 3 then p.over_standard_multiples end as over_standard_multiples,
    c.standard,
    c.limit_mark as standard_mark,
    case
        when c.water_class is not null then null
        else coalesce('missing:' || c.missing, 'no_judged_items')
    end as class_reason,
    t.target_class,
    t.level as target_level,
    t.document as target_document,
    c.water_class <= t.target_class as meets_target,
    c.class_to_date,
    c.months::integer as months_to_date,
    c.class_to_date <= t.target_class as meets_target_to_date,
    c.class_previous_month,
    {{ water_change_label('c.steps_previous_month', 'grade change') }} as change_previous_month,
    c.class_last_year,
    {{ water_change_label('c.steps_last_year', 'grade change') }} as change_last_year,
    c.class_to_date_last_year,
    w.known_at,
    w.synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from wide as w
{%- if scoped %}
inner join reached on w.section_code = reached.section_code and w.month = reached.month
{%- endif %}
left join compared as c on w.section_code = c.section_code and w.month = c.month
left join section on w.section_code = section.section_code
left join pollutant as p on w.section_code = p.section_code and w.month = p.month
left join target as t on w.section_code = t.section_code and extract(year from w.month)::integer = t.year
{%- endmacro %}
