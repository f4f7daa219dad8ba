-- Written from the contract by `eco source staging noise_hourly --write`: change the contract.
-- noqa: disable=LT05
-- One row is what one received row says of its site.
with said as (
    select
        batch_id as content_batch_id,
        row_number,
        btrim(meter_id, ' ') as site_code,
        (make_timestamp(substr(btrim(start_time, ' '), 1, 4)::integer, substr(btrim(start_time, ' '), 6, 2)::integer, substr(btrim(start_time, ' '), 9, 2)::integer, substr(btrim(start_time, ' '), 12, 2)::integer, substr(btrim(start_time, ' '), 15, 2)::integer, substr(btrim(start_time, ' '), 18, 2)::integer) at time zone 'Asia/Shanghai') as period_start,
        null::text as site_name,
        null::text as area_name,
        null::text as longitude,
        null::text as latitude,
        '{}'::jsonb as attributes
    from {{ source('landing', 'noise_hourly') }}
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
