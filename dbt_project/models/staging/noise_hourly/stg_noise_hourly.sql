-- Written from the contract by `eco source staging noise_hourly --write`: change the contract.
-- noqa: disable=LT05
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        leq,
        l10,
        l50,
        l90,
        lmax,
        lmin
    from {{ source('landing', 'noise_hourly') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(meter_id, ' ') as site_code,
            (make_timestamp(substr(btrim(start_time, ' '), 1, 4)::integer, substr(btrim(start_time, ' '), 6, 2)::integer, substr(btrim(start_time, ' '), 9, 2)::integer, substr(btrim(start_time, ' '), 12, 2)::integer, substr(btrim(start_time, ' '), 15, 2)::integer, substr(btrim(start_time, ' '), 18, 2)::integer) at time zone 'Asia/Shanghai') as period_start
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
        when not cell.is_number or cell.text in ('', '-9999', '-9999.0', '999.9', '0', '0.0') then null
        when received.rejected_columns is null or cell.channel <> all(received.rejected_columns)
            then cell.text::numeric
    end as value,
    case when not cell.is_number and cell.text not in ('', '-9999', '-9999.0', '999.9', '0', '0.0') then cell.text end as value_text,
    '='::text as qualifier,
    null::numeric as detection_limit,
    case when cell.text <> '' and cell.text in ('', '-9999', '-9999.0', '999.9', '0', '0.0') then cell.text end as source_mark
from received
cross join lateral (
    values
        ('leq', btrim(coalesce(leq, ''), ' '), true),
        ('l10', btrim(coalesce(l10, ''), ' '), true),
        ('l50', btrim(coalesce(l50, ''), ' '), true),
        ('l90', btrim(coalesce(l90, ''), ' '), true),
        ('lmax', btrim(coalesce(lmax, ''), ' '), true),
        ('lmin', btrim(coalesce(lmin, ''), ' '), true)
) as cell (channel, text, is_number)
where (received.rejected_columns is null or cell.channel <> all(received.rejected_columns))
