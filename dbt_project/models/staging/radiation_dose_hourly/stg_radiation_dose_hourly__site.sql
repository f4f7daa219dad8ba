-- Written from the contract by `eco source staging radiation_dose_hourly --write`: change the contract.
-- One row is what one received row says of its site.
with said as (
    select
        batch_id as content_batch_id,
        row_number,
        btrim(locality_code, ' ') as site_code,
        case
            when btrim("end", ' ') ~ '(Z|[+-][0-9]{2}:[0-9]{2})$'
                then btrim("end", ' ')::timestamptz
            else btrim("end", ' ')::timestamp at time zone 'UTC'
        end
        - interval '1 hour' as period_start,
        nullif(btrim(coalesce(locality_name, ''), ' '), '') as site_name,
        null::text as area_name,
        nullif(btrim(coalesce(longitude, ''), ' '), '') as longitude,
        nullif(btrim(coalesce(latitude, ''), ' '), '') as latitude,
        '{}'::jsonb as attributes
    from {{ source('landing', 'radiation_dose_hourly') }}
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
