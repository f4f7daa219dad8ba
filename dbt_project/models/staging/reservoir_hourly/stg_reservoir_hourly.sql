-- Written from the contract by `eco source staging reservoir_hourly --write`: change the contract.
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        property,
        value,
        unit
    from {{ source('landing', 'reservoir_hourly') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(site_code, ' ') as site_code,
            case
            when btrim(time, ' ') ~ '(Z|[+-][0-9]{2}:[0-9]{2})$'
                then btrim(time, ' ')::timestamptz
            else btrim(time, ' ')::timestamp at time zone 'Asia/Shanghai'
        end as period_start
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
            ('RZ', 'm', 'level', true, 1, null::numeric),
            ('库水位', 'm', 'level', true, 1, null::numeric),
            ('INQ', 'm3/s', 'inflow', true, 1, null::numeric),
            ('入库流量', 'm3/s', 'inflow', true, 1, null::numeric),
            ('OTQ', 'm3/s', 'outflow', true, 1, null::numeric),
            ('出库流量', 'm3/s', 'outflow', true, 1, null::numeric)
    ) as kind (code, unit, channel, is_number, factor, method_limit)
    where kind.code = btrim(received.property, ' ')
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
