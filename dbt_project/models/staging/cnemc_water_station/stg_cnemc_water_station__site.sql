-- Written from the contract by `eco source staging cnemc_water_station --write`: change the contract.
-- One row is what one received row says of its site.
with said as (
    select
        batch_id as content_batch_id,
        row_number,
        btrim(province, e'\u3000 ') || ':' || btrim(section, e'\u3000 ') as site_code,
        (btrim(time, e'\u3000 ')::timestamp at time zone 'Asia/Shanghai') as period_start,
        nullif(btrim(coalesce(section, ''), e'\u3000 '), '') as site_name,
        nullif(btrim(coalesce(city, ''), e'\u3000 '), '') as area_name,
        null::text as longitude,
        null::text as latitude,
        jsonb_strip_nulls(jsonb_build_object(
            'province', nullif(btrim(coalesce(province, ''), e'\u3000 '), ''),
            'basin', nullif(btrim(coalesce(basin, ''), e'\u3000 '), ''),
            'river', nullif(btrim(coalesce(river, ''), e'\u3000 '), '')
        )) as attributes
    from {{ source('landing', 'cnemc_water_station') }}
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
