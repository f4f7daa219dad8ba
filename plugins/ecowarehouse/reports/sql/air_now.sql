-- The newest released hour of the stations of the area.
select
    coalesce(s.site_name, h.station_code) as station_name,
    h.period_start,
    h.aqi,
    h.category,
    (
        select string_agg(p.name_zh, '、' order by p.sort_order)
        from vocabulary.property as p
        where p.property = any(string_to_array(h.primary_pollutant, ','))
    ) as primary_pollutant,
    h.pm2_5,
    h.pm10,
    h.o3,
    h.no2,
    h.so2,
    h.co,
    h.standard,
    h.synthetic
from shared.air_station_hour as h
left join core.site_current as s on h.feed = s.feed and h.station_code = s.site_code
where
    h.area_code = any(%(areas)s)
    and h.period_start = (select max(period_start) from shared.air_station_hour where area_code = any(%(areas)s))
order by h.aqi desc nulls last, station_name
