-- The day before that of the report, by area.
select
    area_name,
    day,
    aqi,
    category,
    (
        select string_agg(p.name_zh, '、' order by p.sort_order)
        from vocabulary.property as p
        where p.property = any(string_to_array(primary_pollutant, ','))
    ) as primary_pollutant,
    pm2_5,
    pm10,
    o3_mda8,
    standard,
    coalesce(aqi_reason, reason) as reason,
    synthetic
from shared.air_area_day
where area_code = any(%(areas)s) and day = %(day)s::date - 1
order by area_name
