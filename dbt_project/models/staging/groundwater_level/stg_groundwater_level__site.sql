-- Written from the contract by `eco source staging groundwater_level --write`: change the contract.
-- One row is what one received row says of its site.
with said as (
    select
        batch_id as content_batch_id,
        row_number,
        btrim(stcd, ' ') as site_code,
        case
            when btrim(tm, ' ') ~ '(Z|[+-][0-9]{2}:[0-9]{2})$'
                then btrim(tm, ' ')::timestamptz
            else btrim(tm, ' ')::timestamp at time zone 'Asia/Shanghai'
        end
        - interval '24 hours' as period_start,
        null::text as site_name,
        null::text as area_name,
        null::text as longitude,
        null::text as latitude,
        '{}'::jsonb as attributes
    from {{ source('landing', 'groundwater_level') }}
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
