-- Written from the contract by `eco source staging laboratory_result --write`: change the contract.
-- One row is what one received row says of its site.
with said as (
    select
        batch_id as content_batch_id,
        row_number,
        btrim(point_code, ' ') || ':' || btrim(place, ' ') as site_code,
        case
            when btrim(sampled_at, ' ') ~ '(Z|[+-][0-9]{2}:[0-9]{2})$'
                then btrim(sampled_at, ' ')::timestamptz
            else btrim(sampled_at, ' ')::timestamp at time zone 'Asia/Shanghai'
        end as period_start,
        nullif(btrim(coalesce(point_name, ''), ' '), '') as site_name,
        null::text as area_name,
        null::text as longitude,
        null::text as latitude,
        jsonb_strip_nulls(jsonb_build_object(
            'project', nullif(btrim(coalesce(project, ''), ' '), ''),
            'point', nullif(btrim(coalesce(point_code, ''), ' '), ''),
            'place', nullif(btrim(coalesce(place, ''), ' '), '')
        )) as attributes
    from {{ source('landing', 'laboratory_result') }}
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
