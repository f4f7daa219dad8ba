-- Written from the contract by `eco source staging tap_water --write`: change the contract.
-- noqa: disable=LT05
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        total_coliform,
        colony_count,
        turbidity,
        ph,
        free_chlorine,
        codmn,
        ammonia_nitrogen,
        nitrate_nitrogen,
        arsenic,
        lead,
        trichloromethane
    from {{ source('landing', 'tap_water') }}
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
        when received.rejected_columns is null or cell.channel <> all(received.rejected_columns)
            then case when not said.is_not_detected then btrim(cell.text, '<')::numeric end
    end as value,
    case when not cell.is_number and cell.text not in ('') then cell.text end as value_text,
    case
        when said.names_limit then '<'
        when said.is_not_detected then 'nd'
        else '='::text
    end as qualifier,
    case
        when said.names_limit then btrim(cell.text, '<')::numeric
        else null::numeric
    end as detection_limit,
    case when cell.text <> '' and cell.text in ('') then cell.text end as source_mark
from received
cross join lateral (
    values
        ('total_coliform', btrim(coalesce(total_coliform, ''), ' '), true),
        ('colony_count', btrim(coalesce(colony_count, ''), ' '), true),
        ('turbidity', btrim(coalesce(turbidity, ''), ' '), true),
        ('ph', btrim(coalesce(ph, ''), ' '), true),
        ('free_chlorine', btrim(coalesce(free_chlorine, ''), ' '), true),
        ('codmn', btrim(coalesce(codmn, ''), ' '), true),
        ('ammonia_nitrogen', btrim(coalesce(ammonia_nitrogen, ''), ' '), true),
        ('nitrate_nitrogen', btrim(coalesce(nitrate_nitrogen, ''), ' '), true),
        ('arsenic', btrim(coalesce(arsenic, ''), ' '), true),
        ('lead', btrim(coalesce(lead, ''), ' '), true),
        ('trichloromethane', btrim(coalesce(trichloromethane, ''), ' '), true)
) as cell (channel, text, is_number)
cross join lateral (
    select
        cell.is_number and cell.text ~ '^((<)[0-9]{1,30}(\.[0-9]{0,30})?)$' as names_limit,
        cell.is_number and cell.text in ('未检出') as is_not_detected
) as said
where (received.rejected_columns is null or cell.channel <> all(received.rejected_columns))
