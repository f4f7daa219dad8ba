-- Written from the contract by `eco source staging cnemc_air_hourly --write`: change the contract.
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
        o3_24h,
        o3,
        o3_8h_24h,
        o3_8h,
        pm10,
        pm2_5,
        so2_24h,
        no2_24h,
        co_24h,
        pm10_24h,
        pm2_5_24h,
        aqi,
        primarypollutant,
        quality
    from {{ source('landing', 'cnemc_air_hourly') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(stationcode, e'\u3000 ') as site_code,
            (btrim(timepoint, e'\u3000 ')::timestamp at time zone 'Asia/Shanghai')
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
        when not cell.is_number or cell.text in ('—', '', 'NA', '-') then null
        when received.rejected_columns is null or cell.channel <> all(received.rejected_columns)
            then cell.text::numeric
    end as value,
    case when not cell.is_number and cell.text not in ('—', '', 'NA', '-') then cell.text end as value_text,
    '='::text as qualifier,
    null::numeric as detection_limit,
    case when cell.text <> '' and cell.text in ('—', '', 'NA', '-') then cell.text end as source_mark
from received
cross join lateral (
    values
        ('so2', btrim(coalesce(so2, ''), e'\u3000 '), true),
        ('no2', btrim(coalesce(no2, ''), e'\u3000 '), true),
        ('co', btrim(coalesce(co, ''), e'\u3000 '), true),
        ('o3_24h', btrim(coalesce(o3_24h, ''), e'\u3000 '), true),
        ('o3', btrim(coalesce(o3, ''), e'\u3000 '), true),
        ('o3_8h_24h', btrim(coalesce(o3_8h_24h, ''), e'\u3000 '), true),
        ('o3_8h', btrim(coalesce(o3_8h, ''), e'\u3000 '), true),
        ('pm10', btrim(coalesce(pm10, ''), e'\u3000 '), true),
        ('pm2_5', btrim(coalesce(pm2_5, ''), e'\u3000 '), true),
        ('so2_24h', btrim(coalesce(so2_24h, ''), e'\u3000 '), true),
        ('no2_24h', btrim(coalesce(no2_24h, ''), e'\u3000 '), true),
        ('co_24h', btrim(coalesce(co_24h, ''), e'\u3000 '), true),
        ('pm10_24h', btrim(coalesce(pm10_24h, ''), e'\u3000 '), true),
        ('pm2_5_24h', btrim(coalesce(pm2_5_24h, ''), e'\u3000 '), true),
        ('aqi', btrim(coalesce(aqi, ''), e'\u3000 '), true),
        ('primarypollutant', btrim(coalesce(primarypollutant, ''), e'\u3000 '), false),
        ('quality', btrim(coalesce(quality, ''), e'\u3000 '), false)
) as cell (channel, text, is_number)
where (received.rejected_columns is null or cell.channel <> all(received.rejected_columns))
