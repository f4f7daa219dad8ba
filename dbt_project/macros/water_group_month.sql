{% macro water_group_key(group) %}{{ return("coalesce(area_code, city)" if group == 'area' else 'basin') }}{% endmacro %}

{# Areas or basins of the months that a build reaches. #}
{% macro water_reached_groups(group) -%}
    select distinct
        {{ water_group_key(group) }} as group_key,
        reached.month
    from ({{ water_reached_months() }}) as reached
    inner join ({{ water_section() }}) as section on reached.section_code = section.section_code
{%- endmacro %}

{# One row is one month of one area, or of one basin. `group` is area or basin. From five sections on by the shares of
   their classes; with fewer by the mean of each item over all sections. #}
{% macro water_group_month(group, scoped) -%}
{%- set sections = ref('water__section_month') if scoped else ref('as_of__water__section_month') -%}
{%- set month_items = ref('water__section_month_item') if scoped else ref('as_of__water__section_month_item') -%}
{%- set key = water_group_key(group) -%}
with rule as (
    select
        max(value) filter (where rule_code = 'basin_sections') as least_sections,
        max(value) filter (where rule_code = 'main_pollutants') as pollutants
    from {{ ref('water_month_rule') }}
),

level as materialized (
    {{ water_levels() }}
),
{%- if scoped %}

reached as materialized (
    {{ water_reached_groups(group) }}
),

needed as materialized (
    select
        group_key,
        month
    from reached
    union
    select
        group_key,
        (month - interval '1 month')::date
    from reached
    union
    select
        group_key,
        (month - interval '1 year')::date
    from reached
),
{%- endif %}

member as materialized (
    select
        s.*,
        {{ key }} as group_key
    from {{ sections }} as s
    {%- if scoped %}
    inner join needed on {{ key }} = needed.group_key and s.month = needed.month
    {%- endif %}
    where {{ key }} is not null
),

share as materialized (
    select
        group_key,
        month,
        {%- if group == 'area' %}
        max(city) as area_name,
        max(area_code) as area_code,
        {%- endif %}
        count(water_class)::integer as sections,
        count(*)::integer as sections_with_data,
        {%- for class in range(1, 7) %}
        count(*) filter (where water_class = {{ class }})::integer as class_{{ class }}_sections,
        {%- endfor %}
        100.0 * count(*) filter (where water_class <= 3) / nullif(count(water_class), 0) as good,
        100.0 * count(*) filter (where water_class = 6) / nullif(count(water_class), 0) as worse,
        100.0 * count(*) filter (where class_to_date <= 3) / nullif(count(class_to_date), 0) as good_to_date,
        count(*) filter (where meets_target is not null)::integer as sections_with_target,
        count(*) filter (where meets_target)::integer as sections_meeting_target,
        max(standard) as standard,
        max(standard_mark) as standard_mark,
        max(known_at) as known_at,
        bool_or(synthetic) as synthetic
    from member
    group by group_key, month
),

-- Fewer sections than the rule asks for: the mean of each item over all of them, judged as one section.
judged as (
    select
        m.group_key,
        m.month,
        i.property,
        item.sort_order,
        case when bool_and(m.water_type = 'lake') then 'lake' else 'river' end as water_type,
        {{ round_half_even(
            "(case item.mean_method when 'hydrogen_ion' then -log(avg(power(10::numeric, -i.mean_unrounded)))"
            ~ " else avg(i.mean_unrounded) end)",
            'item.mean_decimals'
        ) }} as value,
        (m.month + interval '1 month')::date - 1 as day
    from member as m
    inner join {{ month_items }} as i on m.section_code = i.section_code and m.month = i.month
    inner join {{ ref('water_item') }} as item on i.property = item.property and item.in_class = 1
    group by m.group_key, m.month, i.property, item.sort_order, item.mean_method, item.mean_decimals
),

classed as materialized (
    {{ water_item_class('judged') }}
),

by_mean as materialized (
    select
        group_key,
        month,
        case
            when count(item_class) = (select count(*) from {{ ref('water_item') }} where in_class = 1) then max(item_class)
        end as water_class
    from classed
    group by group_key, month
),

-- Of a group with many sections: the items by the share of sections where they are worse than III.
exceeding as (
    select
        m.group_key,
        m.month,
        named.property,
        count(*) as sections
    from member as m
    cross join lateral unnest(string_to_array(m.main_pollutants, ',')) as named (property)
    group by m.group_key, m.month, named.property
),

pollutant as (
    select
        group_key,
        month,
        string_agg(property, ',' order by place) as main_pollutants
    from (
        select
            e.*,
            row_number() over (partition by e.group_key, e.month order by e.sections desc, e.property) as place
        from exceeding as e
    ) as ordered
    where place <= (select pollutants from rule)
    group by group_key, month
),

evaluated as (
    select
        s.*,
        case when s.sections >= rule.least_sections then 'ratio' else 'mean' end as method,
        case when s.sections < rule.least_sections then m.water_class end as water_class,
        case
            when s.sections >= rule.least_sections then (
                select l.category_cn
                from {{ ref('water_basin_levels') }} as l
                where
                    l."order" > 0
                    and s.good >= coalesce(l.good_share_ge, 0)
                    and s.good < coalesce(l.good_share_lt, 101)
                    and s.worse >= coalesce(l.worse_v_share_ge, 0)
                    and s.worse < coalesce(l.worse_v_share_lt, 101)
                order by l."order"
                limit 1
            )
            else level.quality_level
        end as quality_level,
        level.level_rank
    from share as s
    cross join rule
    left join by_mean as m on s.group_key = m.group_key and s.month = m.month
    left join level on m.water_class = level.class and s.sections < rule.least_sections
),

compared as (
    select
        e.*,
        max(good) over a_month_ago as good_previous_month,
        max(good) over a_year_ago as good_last_year,
        max(good_to_date) over a_year_ago as good_to_date_last_year,
        case
            when method = 'ratio' and max(method) over a_month_ago = 'ratio'
                then (good - max(good) over a_month_ago) - (worse - max(worse) over a_month_ago)
        end as points_previous_month,
        case
            when method = 'ratio' and max(method) over a_year_ago = 'ratio'
                then (good - max(good) over a_year_ago) - (worse - max(worse) over a_year_ago)
        end as points_last_year,
        max(level_rank) over a_month_ago - level_rank as steps_previous_month,
        max(level_rank) over a_year_ago - level_rank as steps_last_year
    from evaluated as e
    window
        a_month_ago as (
            partition by group_key order by month
            range between interval '1 month' preceding and interval '1 month' preceding
        ),
        a_year_ago as (
            partition by group_key order by month
            range between interval '1 year' preceding and interval '1 year' preceding
        )
)

select
    {%- if group == 'area' %}
    c.group_key as area_key,
    c.month,
    c.area_code,
    c.area_name,
    {%- else %}
    c.group_key as basin,
    c.month,
    {%- endif %}
    c.sections,
    c.sections_with_data,
    {%- for class in range(1, 7) %}
    c.class_{{ class }}_sections,
    {%- endfor %}
    {{ round_half_even('c.good', '1') }} as good_share,
    {{ round_half_even('c.worse', '1') }} as worse_v_share,
    c.method,
    c.water_class,
    c.quality_level,
    p.main_pollutants,
    c.sections_with_target,
    c.sections_meeting_target,
    {{ round_half_even('c.good_to_date', '1') }} as good_share_to_date,
    {{ round_half_even('c.good_previous_month', '1') }} as good_share_previous_month,
    coalesce(
        {{ water_change_label('c.points_previous_month', 'ratio change') }},
        {{ water_change_label('c.steps_previous_month', 'grade change') }}
    ) as change_previous_month,
    {{ round_half_even('c.good_last_year', '1') }} as good_share_last_year,
    coalesce(
        {{ water_change_label('c.points_last_year', 'ratio change') }},
        {{ water_change_label('c.steps_last_year', 'grade change') }}
    ) as change_last_year,
    {{ round_half_even('c.good_to_date_last_year', '1') }} as good_share_to_date_last_year,
    c.standard,
    c.standard_mark,
    c.known_at,
    c.synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from compared as c
{%- if scoped %}
inner join reached on c.group_key = reached.group_key and c.month = reached.month
{%- endif %}
left join pollutant as p on c.group_key = p.group_key and c.month = p.month
{%- endmacro %}
