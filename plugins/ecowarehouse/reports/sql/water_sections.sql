-- The newest sample of each section of the area, with the class of the year to date and its target: those that miss it,
-- or are worse than III, first.
with newest as (
    select distinct on (section_code)
        section_code,
        section_name,
        river,
        sampled_at,
        water_class,
        water_class_cn,
        deciding_items,
        class_reason,
        station_state,
        synthetic
    from shared.water_section_sample
    where area_code = any(%(areas)s) and is_current and sampled_on <= %(day)s::date
    order by section_code asc, sampled_at desc
),

month as (
    select distinct on (section_code)
        section_code,
        month,
        water_class as class_of_month,
        class_to_date,
        target_class,
        meets_target_to_date,
        main_pollutants
    from shared.water_section_month
    where area_code = any(%(areas)s) and month <= %(day)s::date
    order by section_code asc, month desc
)

select
    n.section_name,
    n.river,
    n.sampled_at,
    n.water_class_cn,
    (
        select string_agg(p.name_zh, '、' order by p.sort_order)
        from vocabulary.property as p
        where p.property = any(string_to_array(n.deciding_items, ','))
    ) as deciding_items,
    n.class_reason,
    n.station_state,
    m.class_of_month,
    m.class_to_date,
    m.target_class,
    m.meets_target_to_date,
    n.water_class > coalesce(m.target_class, 3) as below_target,
    n.synthetic
from newest as n
left join month as m on n.section_code = m.section_code
order by n.water_class > coalesce(m.target_class, 3) desc nulls last, n.water_class desc nulls last, n.section_name
