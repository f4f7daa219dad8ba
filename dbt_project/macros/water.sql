{# Items of surface water in the order of standards.water_item (a test compares). #}
{% macro water_items() %}
    {{- return([
        'water_temperature', 'ph', 'dissolved_oxygen', 'conductivity', 'turbidity', 'codmn', 'ammonia_nitrogen',
        'total_phosphorus', 'total_nitrogen', 'chlorophyll_a', 'algae_density'
    ]) -}}
{% endmacro %}

{# Items of which a monthly value is worked out: the nine of the national programme. #}
{% macro water_month_items() %}{{ return(water_items()[:9]) }}{% endmacro %}

{# Sections: what their feed says last, an empty statement being none, and what the city's register says beside it.
   River or lake: the register, else the first rule of vocabulary.water_body_rule that a name meets. Never the class. #}
{% macro water_section() -%}
    select
        site.feed,
        site.site_code as section_code,
        coalesce(register.section_name, site.site_name) as section_name,
        site.area_name as city,
        coalesce(register.area_code, area.area_code) as area_code,
        said.province,
        coalesce(register.basin, said.basin) as basin,
        coalesce(register.river, said.river) as river,
        coalesce(register.water_type, told.water_type) as water_type,
        case when register.water_type is not null then 'register' else told.evidence end as water_type_evidence
    from {{ source('core', 'site_current') }} as site
    cross join lateral (
        select
            (array_agg(s.attributes ->> 'province' order by s.known_at desc)
                filter (where s.attributes ? 'province'))[1] as province,
            (array_agg(s.attributes ->> 'basin' order by s.known_at desc) filter (where s.attributes ? 'basin'))[1] as basin,
            (array_agg(s.attributes ->> 'river' order by s.known_at desc) filter (where s.attributes ? 'river'))[1] as river
        from {{ source('core', 'site') }} as s
        where s.feed = site.feed and s.site_code = site.site_code and s.known_at <= core.as_of()
    ) as said
    left join lateral (
        select r.*
        from {{ source('core', 'section_current') }} as r
        where r.section_code = site.site_code
        order by r.valid_from desc
        limit 1
    ) as register on true
    left join lateral (
        select
            rule.water_type,
            rule.evidence
        from {{ ref('water_body_rule') }} as rule
        where
            case rule.attribute
                when 'river' then coalesce(register.river, said.river)
                else site.site_name
            end ~ rule.pattern
        order by rule.rule_order
        limit 1
    ) as told on true
    left join {{ ref('area_alias') }} as area on site.area_name = area.area_name
    where site.element = 'water'
{%- endmacro %}

{# Values in long form with their class, 6 being worse than V, and the limit of class III. `long` names a CTE with the
   columns property, value (rounded), water_type, day. A value equal to a limit keeps the better class. #}
{% macro water_item_class(long) -%}
    select
        long.*,
        scale.standard,
        scale.mark as limit_mark,
        scale.limit_iii,
        case
            when long.value is null then null
            when scale.limits is null then case when long.value between scale.range_lo and scale.range_hi then 1 else 6 end
            else 6 - width_bucket(scale.direction * long.value, scale.limits)
        end as item_class
    from {{ long }} as long
    left join {{ ref('water_class_scale') }} as scale
        on
            long.property = scale.property
            and scale.waterbody = case long.water_type when 'lake' then 'lake' else 'river' end
            and long.day >= coalesce(scale.valid_from, '-infinity')
            and long.day <= coalesce(scale.valid_to, 'infinity')
            and ({{ judge_by() }} is null or {{ judge_by() }} = scale.standard)
{%- endmacro %}
