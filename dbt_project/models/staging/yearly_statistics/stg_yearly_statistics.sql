-- Written from the contract by `eco source staging yearly_statistics --write`: change the contract.
-- noqa: disable=LT05
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        indicator,
        value,
        unit
    from {{ source('landing', 'yearly_statistics') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(city, ' ') as site_code,
            (make_timestamp(substr(btrim(day, ' '), 1, 4)::integer, substr(btrim(day, ' '), 6, 2)::integer, substr(btrim(day, ' '), 9, 2)::integer, 0, 0, 0) at time zone 'Asia/Shanghai') as period_start
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
        when not cell.is_number or cell.text in ('') then null
        when received.rejected_columns is null or 'value' <> all(received.rejected_columns)
            then cell.text::numeric * cell.factor
    end as value,
    case when not cell.is_number and cell.text not in ('') then cell.text end as value_text,
    case
        when said.is_half_limit then '<'
        else '='::text
    end as qualifier,
    case
        when said.is_half_limit then cell.method_limit * cell.factor
        else null::numeric
    end as detection_limit,
    case
        when cell.text <> '' and cell.text in ('') then cell.text
        when said.is_half_limit then 'substituted_half_limit'
    end as source_mark
from received
cross join lateral (
    select kind.channel, btrim(coalesce(received.value, ''), ' ') as text, kind.is_number, kind.factor, kind.method_limit
    from (
        values
            ('常住人口', '10*4{person}', 'resident_population', true, 10000, null::numeric),
            ('常住人口', '万人', 'resident_population', true, 10000, null::numeric),
            ('地区生产总值', '10*8{CNY}', 'gdp', true, 100000000, null::numeric),
            ('地区生产总值', '亿元', 'gdp', true, 100000000, null::numeric),
            ('工业增加值', '10*8{CNY}', 'industrial_output', true, 100000000, null::numeric),
            ('工业增加值', '亿元', 'industrial_output', true, 100000000, null::numeric),
            ('能源消费总量', '10*4t', 'energy_use', true, 10000, null::numeric),
            ('能源消费总量', '万吨标准煤', 'energy_use', true, 10000, null::numeric),
            ('用水总量', '10*8m3', 'water_use', true, 100000000, null::numeric),
            ('用水总量', '亿立方米', 'water_use', true, 100000000, null::numeric),
            ('煤炭消费量', '10*4t', 'coal_use', true, 10000, null::numeric),
            ('煤炭消费量', '万吨', 'coal_use', true, 10000, null::numeric),
            ('机动车保有量', '10*4{count}', 'vehicle_count', true, 10000, null::numeric),
            ('机动车保有量', '万辆', 'vehicle_count', true, 10000, null::numeric),
            ('化肥施用量(折纯)', '10*4t', 'fertiliser_use', true, 10000, null::numeric),
            ('化肥施用量(折纯)', '万吨', 'fertiliser_use', true, 10000, null::numeric),
            ('生猪出栏量', '10*4{count}', 'pig_slaughter', true, 10000, null::numeric),
            ('生猪出栏量', '万头', 'pig_slaughter', true, 10000, null::numeric),
            ('危险废物产生量', 't', 'hazardous_waste', true, 1, null::numeric),
            ('危险废物产生量', '吨', 'hazardous_waste', true, 1, null::numeric),
            ('节能环保支出', '10*4{CNY}', 'environment_spending', true, 10000, null::numeric),
            ('节能环保支出', '万元', 'environment_spending', true, 10000, null::numeric),
            ('环境监测经费', '10*4{CNY}', 'monitoring_spending', true, 10000, null::numeric),
            ('环境监测经费', '万元', 'monitoring_spending', true, 10000, null::numeric)
    ) as kind (code, unit, channel, is_number, factor, method_limit)
    where kind.code = btrim(received.indicator, ' ')
        and kind.unit = translate(btrim(coalesce(received.unit, ''), ' '), 'µμ³²', 'uu32')
) as cell
cross join lateral (
    select
        case
            when cell.is_number and cell.text ~ '^[0-9]{1,30}(\.[0-9]{0,30})?$'
                then 2 * cell.text::numeric = cell.method_limit
        end as is_half_limit
) as said
where (received.rejected_columns is null or 'value' <> all(received.rejected_columns))
