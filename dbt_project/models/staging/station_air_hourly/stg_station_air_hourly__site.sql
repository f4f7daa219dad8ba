-- Written from the contract by `eco source staging station_air_hourly --write`: change the contract.
-- One row is what one received row says of its site.
with said as (
    select
        batch_id as content_batch_id,
        row_number,
        btrim(station_code, ' ') as site_code,
        (btrim(monitor_time, ' ')::timestamp at time zone 'Asia/Shanghai')
        - interval '1 hour' as period_start,
        nullif(btrim(coalesce(station_name, ''), ' '), '') as site_name,
        null::text as area_name,
        null::text as longitude,
        null::text as latitude,
        '{}'::jsonb as attributes
    from {{ source('landing', 'station_air_hourly') }}
)

select
    content_batch_id,
    row_number,
    site_code,
    period_start,
    site_name,
    area_name,
    case when longitude ~ '^[+-]?[0-9]{1,3}(\.[0-9]{1,20})?$' then longitude::numeric end as longitude,
    case when latitude ~ '^[+-]?[0-9]{1,3}(\.[0-9]{1,20})?$' then latitude::numeric end as latitude,
    attributes
from said
