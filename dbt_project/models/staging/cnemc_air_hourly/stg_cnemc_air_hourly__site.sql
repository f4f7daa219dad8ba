-- Written from the contract by `eco source staging cnemc_air_hourly --write`: change the contract.
-- One row is what one received row says of its site.
with said as (
    select
        batch_id as content_batch_id,
        row_number,
        btrim(stationcode, e'\u3000 ') as site_code,
        (btrim(timepoint, e'\u3000 ')::timestamp at time zone 'Asia/Shanghai')
        - interval '1 hour' as period_start,
        nullif(btrim(coalesce(positionname, ''), e'\u3000 '), '') as site_name,
        nullif(btrim(coalesce(area, ''), e'\u3000 '), '') as area_name,
        nullif(btrim(coalesce(longitude, ''), e'\u3000 '), '') as longitude,
        nullif(btrim(coalesce(latitude, ''), e'\u3000 '), '') as latitude,
        '{}'::jsonb as attributes
    from {{ source('landing', 'cnemc_air_hourly') }}
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
