-- Written from the contract by `eco source staging groundwater_quality --write`: change the contract.
-- noqa: disable=LT05
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        ph,
        total_hardness,
        dissolved_solids,
        sulfate,
        chloride,
        iron,
        manganese,
        volatile_phenol,
        codmn,
        ammonia_nitrogen,
        nitrate_nitrogen,
        nitrite_nitrogen,
        fluoride,
        arsenic,
        cadmium
    from {{ source('landing', 'groundwater_quality') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(well, ' ') as site_code,
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
            then btrim(cell.text, '<')::numeric
    end as value,
    case when not cell.is_number and cell.text not in ('') then cell.text end as value_text,
    case
        when said.names_limit then '<'
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
        ('ph', btrim(coalesce(ph, ''), ' '), true),
        ('total_hardness', btrim(coalesce(total_hardness, ''), ' '), true),
        ('dissolved_solids', btrim(coalesce(dissolved_solids, ''), ' '), true),
        ('sulfate', btrim(coalesce(sulfate, ''), ' '), true),
        ('chloride', btrim(coalesce(chloride, ''), ' '), true),
        ('iron', btrim(coalesce(iron, ''), ' '), true),
        ('manganese', btrim(coalesce(manganese, ''), ' '), true),
        ('volatile_phenol', btrim(coalesce(volatile_phenol, ''), ' '), true),
        ('codmn', btrim(coalesce(codmn, ''), ' '), true),
        ('ammonia_nitrogen', btrim(coalesce(ammonia_nitrogen, ''), ' '), true),
        ('nitrate_nitrogen', btrim(coalesce(nitrate_nitrogen, ''), ' '), true),
        ('nitrite_nitrogen', btrim(coalesce(nitrite_nitrogen, ''), ' '), true),
        ('fluoride', btrim(coalesce(fluoride, ''), ' '), true),
        ('arsenic', btrim(coalesce(arsenic, ''), ' '), true),
        ('cadmium', btrim(coalesce(cadmium, ''), ' '), true)
) as cell (channel, text, is_number)
cross join lateral (
    select
        cell.is_number and cell.text ~ '^((<)[0-9]{1,30}(\.[0-9]{0,30})?)$' as names_limit
) as said
where (received.rejected_columns is null or cell.channel <> all(received.rejected_columns))
