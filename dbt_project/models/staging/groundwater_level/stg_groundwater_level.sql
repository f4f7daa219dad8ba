-- Written from the contract by `eco source staging groundwater_level --write`: change the contract.
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        bsdp
    from {{ source('landing', 'groundwater_level') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(stcd, ' ') as site_code,
            case
            when btrim(tm, ' ') ~ '(Z|[+-][0-9]{2}:[0-9]{2})$'
                then btrim(tm, ' ')::timestamptz
            else btrim(tm, ' ')::timestamp at time zone 'Asia/Shanghai'
        end
        - interval '24 hours' as period_start
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
        when not cell.is_number or cell.text in ('', '-9999', '-9999.0', '9999', '9999.0') then null
        when received.rejected_columns is null or cell.channel <> all(received.rejected_columns)
            then cell.text::numeric
    end as value,
    case when not cell.is_number and cell.text not in ('', '-9999', '-9999.0', '9999', '9999.0') then cell.text end as value_text,
    '='::text as qualifier,
    null::numeric as detection_limit,
    case when cell.text <> '' and cell.text in ('', '-9999', '-9999.0', '9999', '9999.0') then cell.text end as source_mark
from received
cross join lateral (
    values
        ('bsdp', btrim(coalesce(bsdp, ''), ' '), true)
) as cell (channel, text, is_number)
where (received.rejected_columns is null or cell.channel <> all(received.rejected_columns))
