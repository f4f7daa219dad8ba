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
with section as (
    {{ water_section() }}
),

level as (
    {{ water_levels() }}
),
{%- if scoped %}

reached as materialized (
    {{ water_reached_months() }}
),

reach as (
    select
        section_code,
        date_trunc('year', min(month))::date - interval '1 year' as first_month
    from reached
    group by section_code
),
{%- endif %}

month_item as materialized (
    select i.*
    from {{ month_items }} as i
    {%- if scoped %}
    inner join reach on i.section_code = reach.section_code and i.month >= reach.first_month
    {%- endif %}
),

-- The month itself, and the months of its year so far: the mean of their means.
mean as (
    select
        section_code,
        month,
        'month' as basis,
        property,
        sort_order,
        mean_unrounded,
        mean_decimals,
        1 as months
    from month_item
    union all
    select
        here.section_code,
        here.month,
        'to_date',
        past.property,
        past.sort_order,
        case item.mean_method
            when 'hydrogen_ion' then -log(avg(power(10::numeric, -past.mean_unrounded)))
            else avg(past.mean_unrounded)
        end,
        past.mean_decimals,
        count(*)::integer
    from (select distinct section_code, month from month_item) as here
    inner join month_item as past
        on
            here.section_code = past.section_code
            and past.month <= here.month
            and past.month >= date_trunc('year', here.month)::date
    inner join {{ ref('water_item') }} as item on past.property = item.property
    group by here.section_code, here.month, past.property, past.sort_order, past.mean_decimals, item.mean_method
),

long as (
    select
        m.section_code,
        m.month,
        m.basis,
        m.property,
        m.sort_order,
        m.months,
        {{ round_half_even('m.mean_unrounded', 'm.mean_decimals') }} as value,
        section.water_type,
        (m.month + interval '1 month')::date - 1 as day
    from mean as m
    left join section on m.section_code = section.section_code
),

judged as (
    select long.*
    from long
    inner join {{ ref('water_item') }} as item on long.property = item.property and item.in_class = 1
),

classed as (
    {{ water_item_class('judged') }}
),

required as (
    select
        property,
        sort_order
    from {{ ref('water_item') }}
    where in_class = 1
),

worst as (
    select
        w.*,
        (
            select string_agg(r.property, ',' order by r.sort_order)
            from required as r
            where r.property <> all(w.there)
        ) as missing
    from (
        select
            section_code,
            month,
            basis,
            max(item_class) as worst_class,
            max(months) as months,
            max(standard) as standard,
            max(limit_mark) as limit_mark,
            array_agg(property) as there
        from classed
        group by section_code, month, basis
    ) as w
),

result as (
    select
        w.*,
        case when w.missing is null then w.worst_class end as water_class
    from worst as w
),

-- Worse than III: the worst items first, ties by the over-standard multiple, three of them.
pollutant as (
    select
        section_code,
        month,
        string_agg(property, ',' order by place) as main_pollutants,
        string_agg(property || coalesce(' ' || multiple, ''), ',' order by place) as over_standard_multiples
    from (
        select
            c.section_code,
            c.month,
            c.property,
            case
                when item.has_multiple = 1 then {{ round_half_even('((c.value - c.limit_iii) / c.limit_iii)', '2') }}
            end as multiple,
            row_number() over (
                partition by c.section_code, c.month
                order by
                    c.item_class desc,
                    case when item.has_multiple = 1 then (c.value - c.limit_iii) / c.limit_iii end desc nulls last,
                    c.sort_order
            ) as place
        from classed as c
        inner join {{ ref('water_item') }} as item on c.property = item.property
        where c.basis = 'month' and c.item_class > 3
    ) as ordered
    where place <= (select value from {{ ref('water_month_rule') }} where rule_code = 'main_pollutants')
    group by section_code, month
),

wide as (
    select
        l.section_code,
        l.month,
        {%- for item in items %}
        max(l.value) filter (where l.property = '{{ item }}') as {{ item }},
        max(i.days) filter (where l.property = '{{ item }}') as {{ item }}_days,
        max(i.source) filter (where l.property = '{{ item }}') as {{ item }}_source,
        {%- endfor %}
        max(i.known_at) as known_at,
        bool_or(i.synthetic) as synthetic
    from long as l
    inner join month_item as i
        on l.section_code = i.section_code and l.month = i.month and l.property = i.property
    where l.basis = 'month'
    group by l.section_code, l.month
),

target as (
    select distinct on (section_code, year)
        section_code,
        year,
        level,
        target_class,
        document
    from {{ source('core', 'section_target') }}
    where known_at <= core.as_of()
    order by section_code, year, level = 'national' desc, level = 'region' desc, known_at desc
),

compared as (
    select
        w.section_code,
        w.month,
        now.water_class,
        now.missing,
        now.standard,
        now.limit_mark,
        to_date.water_class as class_to_date,
        to_date.months as months_to_date,
        before.water_class as class_previous_month,
        last_year.water_class as class_last_year,
        last_to_date.water_class as class_to_date_last_year,
        level_before.level_rank - level_now.level_rank as steps_previous_month,
        level_last_year.level_rank - level_now.level_rank as steps_last_year,
        level_now.class_cn,
        level_now.quality_level
    from wide as w
    left join result as now on w.section_code = now.section_code and w.month = now.month and now.basis = 'month'
    left join result as to_date
        on w.section_code = to_date.section_code and w.month = to_date.month and to_date.basis = 'to_date'
    left join result as before
        on
            w.section_code = before.section_code
            and before.month = (w.month - interval '1 month')::date
            and before.basis = 'month'
    left join result as last_year
        on
            w.section_code = last_year.section_code
            and last_year.month = (w.month - interval '1 year')::date
            and last_year.basis = 'month'
    left join result as last_to_date
        on
            w.section_code = last_to_date.section_code
            and last_to_date.month = (w.month - interval '1 year')::date
            and last_to_date.basis = 'to_date'
    left join level as level_now on now.water_class = level_now.class
    left join level as level_before on before.water_class = level_before.class
    left join level as level_last_year on last_year.water_class = level_last_year.class
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
        when c.missing is not null then 'missing:' || c.missing
        else 'no_judged_items'
    end as class_reason,
    t.target_class,
    t.level as target_level,
    t.document as target_document,
    c.water_class <= t.target_class as meets_target,
    c.class_to_date,
    c.months_to_date,
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
inner join compared as c on w.section_code = c.section_code and w.month = c.month
left join section on w.section_code = section.section_code
left join pollutant as p on w.section_code = p.section_code and w.month = p.month
left join target as t on w.section_code = t.section_code and extract(year from w.month)::integer = t.year
{%- endmacro %}
