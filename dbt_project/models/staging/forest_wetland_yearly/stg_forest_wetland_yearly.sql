-- Written from the contract by `eco source staging forest_wetland_yearly --write`: change the contract.
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
    from {{ source('landing', 'forest_wetland_yearly') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(township_code, ' ') as site_code,
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
            ('林地保有量', 'hm2', 'forest_area', true, 1, null::numeric),
            ('林地保有量', '公顷', 'forest_area', true, 1, null::numeric),
            ('森林覆盖率', '%', 'forest_coverage', true, 1, null::numeric),
            ('森林蓄积量', 'm3', 'forest_stock', true, 1, null::numeric),
            ('森林蓄积量', '立方米', 'forest_stock', true, 1, null::numeric),
            ('湿地保有量', 'hm2', 'wetland_area', true, 1, null::numeric),
            ('湿地保有量', '公顷', 'wetland_area', true, 1, null::numeric),
            ('水土流失面积', 'hm2', 'erosion_area', true, 0.01, null::numeric),
            ('水土流失面积', '公顷', 'erosion_area', true, 0.01, null::numeric)
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
