-- Stations that were heard of within seven days and not in the newest hours of their network, by the network's own clock.
select
    'air' as element,
    coalesce(max(s.site_name), h.station_code) as name,
    max(h.period_start) filter (where h.valid_count > 0) as last_heard,
    count(*) filter (where h.valid_count > 0) as periods
from shared.air_station_hour as h
left join core.site_current as s on h.feed = s.feed and h.station_code = s.site_code
where
    h.area_code = any(%(areas)s)
    and h.period_start > (select max(period_start) from shared.air_station_hour) - interval '7 days'
group by h.station_code
having
    coalesce(max(h.period_start) filter (where h.valid_count > 0), '-infinity')
    < (select max(period_start) from shared.air_station_hour) - interval '3 hours'
union all
select
    'water',
    section_name,
    max(sampled_at) filter (where ph is not null),
    count(*) filter (where ph is not null)
from shared.water_section_sample
where
    area_code = any(%(areas)s)
    and is_current
    and sampled_at > (select max(sampled_at) from shared.water_section_sample) - interval '7 days'
group by section_code, section_name
having
    coalesce(max(sampled_at) filter (where ph is not null), '-infinity')
    < (select max(sampled_at) from shared.water_section_sample) - interval '12 hours'
order by 1, 3 nulls first
