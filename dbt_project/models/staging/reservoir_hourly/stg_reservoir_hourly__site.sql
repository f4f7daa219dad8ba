-- Written from the contract by `eco source staging reservoir_hourly --write`: change the contract.
-- One row is what one received row says of its site.
with said as (
    select
        batch_id as content_batch_id,
        row_number,
        btrim(site_code, ' ') as site_code,
        case
            when btrim(time, ' ') ~ '(Z|[+-][0-9]{2}:[0-9]{2})$'
                then btrim(time, ' ')::timestamptz
            else btrim(time, ' ')::timestamp at time zone 'Asia/Shanghai'
        end as period_start,
        nullif(btrim(coalesce(site_name, ''), ' '), '') as site_name,
        null::text as area_name,
        nullif(btrim(coalesce(longitude, ''), ' '), '') as longitude,
        nullif(btrim(coalesce(latitude, ''), ' '), '') as latitude,
        '{}'::jsonb as attributes
    from {{ source('landing', 'reservoir_hourly') }}
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
