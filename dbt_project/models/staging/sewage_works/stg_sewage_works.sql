-- Written from the contract by `eco source staging sewage_works --write`: change the contract.
-- noqa: disable=LT05
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        treated_volume,
        influent_cod,
        influent_ammonia,
        effluent_cod,
        effluent_ammonia,
        effluent_nitrogen,
        effluent_phosphorus,
        sludge,
        electricity
    from {{ source('landing', 'sewage_works') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(works, ' ') as site_code,
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
        when received.rejected_columns is null or cell.channel <> all(received.rejected_columns)
            then cell.text::numeric
    end as value,
    case when not cell.is_number and cell.text not in ('') then cell.text end as value_text,
    '='::text as qualifier,
    null::numeric as detection_limit,
    case when cell.text <> '' and cell.text in ('') then cell.text end as source_mark
from received
cross join lateral (
    values
        ('treated_volume', btrim(coalesce(treated_volume, ''), ' '), true),
        ('influent_cod', btrim(coalesce(influent_cod, ''), ' '), true),
        ('influent_ammonia', btrim(coalesce(influent_ammonia, ''), ' '), true),
        ('effluent_cod', btrim(coalesce(effluent_cod, ''), ' '), true),
        ('effluent_ammonia', btrim(coalesce(effluent_ammonia, ''), ' '), true),
        ('effluent_nitrogen', btrim(coalesce(effluent_nitrogen, ''), ' '), true),
        ('effluent_phosphorus', btrim(coalesce(effluent_phosphorus, ''), ' '), true),
        ('sludge', btrim(coalesce(sludge, ''), ' '), true),
        ('electricity', btrim(coalesce(electricity, ''), ' '), true)
) as cell (channel, text, is_number)
where (received.rejected_columns is null or cell.channel <> all(received.rejected_columns))
