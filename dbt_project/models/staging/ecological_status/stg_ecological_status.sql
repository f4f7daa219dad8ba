-- Written from the contract by `eco source staging ecological_status --write`: change the contract.
-- noqa: disable=LT05
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        biological_richness_index,
        vegetation_cover_index,
        water_density_index,
        land_stress_index,
        pollution_load_index,
        ecological_status_index
    from {{ source('landing', 'ecological_status') }}
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
        ('biological_richness_index', btrim(coalesce(biological_richness_index, ''), ' '), true),
        ('vegetation_cover_index', btrim(coalesce(vegetation_cover_index, ''), ' '), true),
        ('water_density_index', btrim(coalesce(water_density_index, ''), ' '), true),
        ('land_stress_index', btrim(coalesce(land_stress_index, ''), ' '), true),
        ('pollution_load_index', btrim(coalesce(pollution_load_index, ''), ' '), true),
        ('ecological_status_index', btrim(coalesce(ecological_status_index, ''), ' '), true)
) as cell (channel, text, is_number)
where (received.rejected_columns is null or cell.channel <> all(received.rejected_columns))
