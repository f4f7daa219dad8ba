-- Written from the contract by `eco source staging station_air_hourly --write`: change the contract.
-- noqa: disable=LT05
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        so2,
        no2,
        co,
        o3,
        pm10,
        pm2_5
    from {{ source('landing', 'station_air_hourly') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(station_code, ' ') as site_code,
            (btrim(monitor_time, ' ')::timestamp at time zone 'Asia/Shanghai')
        - interval '1 hour' as period_start
        offset 0
    ) as placed
)

select
    received.content_batch_id,
    received.row_number,
    received.site_code,
    cell.channel,
    received.period_start,
    case
        when not cell.is_number or cell.text in ('', 'null', '-9999', '-9999.0', '-99', '-99.0', '-999', '-999.0', '-1', '-1.0') then null
        when received.rejected_columns is null or cell.channel <> all(received.rejected_columns)
            then cell.text::numeric
    end as value,
    case when not cell.is_number and cell.text not in ('', 'null', '-9999', '-9999.0', '-99', '-99.0', '-999', '-999.0', '-1', '-1.0') then cell.text end as value_text,
    '='::text as qualifier,
    null::numeric as detection_limit,
    case when cell.text <> '' and cell.text in ('', 'null', '-9999', '-9999.0', '-99', '-99.0', '-999', '-999.0', '-1', '-1.0') then cell.text end as source_mark
from received
cross join lateral (
    values
        ('so2', btrim(coalesce(so2, ''), ' '), true),
        ('no2', btrim(coalesce(no2, ''), ' '), true),
        ('co', btrim(coalesce(co, ''), ' '), true),
        ('o3', btrim(coalesce(o3, ''), ' '), true),
        ('pm10', btrim(coalesce(pm10, ''), ' '), true),
        ('pm2_5', btrim(coalesce(pm2_5, ''), ' '), true)
) as cell (channel, text, is_number)
where (received.rejected_columns is null or cell.channel <> all(received.rejected_columns))
