-- Written from the contract by `eco source staging forest_wetland_yearly --write`: change the contract.
-- noqa: disable=LT05
-- One row is what one received row says of its site.
with said as (
    select
        batch_id as content_batch_id,
        row_number,
        btrim(township_code, ' ') as site_code,
        (make_timestamp(substr(btrim(day, ' '), 1, 4)::integer, substr(btrim(day, ' '), 6, 2)::integer, substr(btrim(day, ' '), 9, 2)::integer, 0, 0, 0) at time zone 'Asia/Shanghai') as period_start,
        nullif(btrim(coalesce(township, ''), ' '), '') as site_name,
        null::text as area_name,
        null::text as longitude,
        null::text as latitude,
        '{}'::jsonb as attributes
    from {{ source('landing', 'forest_wetland_yearly') }}
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
