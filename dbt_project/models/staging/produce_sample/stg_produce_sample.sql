-- Written from the contract by `eco source staging produce_sample --write`: change the contract.
-- noqa: disable=LT05
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        item,
        result,
        unit
    from {{ source('landing', 'produce_sample') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(site_code, ' ') as site_code,
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
        when received.rejected_columns is null or 'result' <> all(received.rejected_columns)
            then case when not said.is_not_detected then cell.text::numeric * cell.factor end
    end as value,
    case when not cell.is_number and cell.text not in ('') then cell.text end as value_text,
    case
        when said.is_not_detected then 'nd'
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
    select kind.channel, btrim(coalesce(received.result, ''), ' ') as text, kind.is_number, kind.factor, kind.method_limit
    from (
        values
            ('镉', 'mg/kg', 'produce_cadmium', true, 1, null::numeric),
            ('镉', 'ug/kg', 'produce_cadmium', true, 0.001, null::numeric),
            ('铅', 'mg/kg', 'produce_lead', true, 1, null::numeric),
            ('无机砷', 'mg/kg', 'produce_inorganic_arsenic', true, 1, null::numeric),
            ('总汞', 'mg/kg', 'produce_mercury', true, 1, null::numeric),
            ('总汞', 'ug/kg', 'produce_mercury', true, 0.001, null::numeric),
            ('铬', 'mg/kg', 'produce_chromium', true, 1, null::numeric)
    ) as kind (code, unit, channel, is_number, factor, method_limit)
    where kind.code = btrim(received.item, ' ')
        and kind.unit = translate(btrim(coalesce(received.unit, ''), ' '), 'µμ³²', 'uu32')
) as cell
cross join lateral (
    select
        cell.is_number and cell.text in ('ND') as is_not_detected,
        case
            when cell.is_number and cell.text ~ '^[0-9]{1,30}(\.[0-9]{0,30})?$'
                then 2 * cell.text::numeric = cell.method_limit
        end as is_half_limit
) as said
where (received.rejected_columns is null or 'result' <> all(received.rejected_columns))
