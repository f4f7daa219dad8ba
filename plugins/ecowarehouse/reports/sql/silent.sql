-- Stations that were heard of within seven days and not in the newest hours of their network, by the network's own clock.
with air as (
    select
        coalesce(max(s.site_name), h.station_code) as name,
        max(h.period_start) filter (where h.valid_count > 0) as last_heard,
        count(*) filter (where h.valid_count > 0) as periods,
        max(network.newest) as newest
    from shared.air_station_hour as h
    cross join (select max(period_start) as newest from shared.air_station_hour) as network
    left join core.site_current as s on h.feed = s.feed and h.station_code = s.site_code
    where h.area_code = any(%(areas)s) and h.period_start > network.newest - interval '7 days'
    group by h.station_code
),

water as (
    select
        w.section_name as name,
        max(w.sampled_at) filter (where w.ph is not null) as last_heard,
        count(*) filter (where w.ph is not null) as periods,
        max(network.newest) as newest
    from shared.water_section_sample as w
    cross join (select max(sampled_at) as newest from shared.water_section_sample) as network
    where w.area_code = any(%(areas)s) and w.is_current and w.sampled_at > network.newest - interval '7 days'
    group by w.section_code, w.section_name
)

select
    'air' as element,
    name,
    last_heard,
    periods
from air
where coalesce(last_heard, '-infinity') < newest - interval '3 hours'
union all
select
    'water',
    name,
    last_heard,
    periods
from water
where coalesce(last_heard, '-infinity') < newest - interval '12 hours'
order by element, last_heard nulls first
