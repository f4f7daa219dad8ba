-- Written from the contract by `eco source staging radiation_sample --write`: change the contract.
-- noqa: disable=LT05
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        what,
        result,
        unit
    from {{ source('landing', 'radiation_sample') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(point_code, ' ') as site_code,
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
            then btrim(cell.text, '<')::numeric * cell.factor
    end as value,
    case when not cell.is_number and cell.text not in ('') then cell.text end as value_text,
    case
        when said.names_limit then '<'
        when said.is_half_limit then '<'
        else '='::text
    end as qualifier,
    case
        when said.names_limit then btrim(cell.text, '<')::numeric * cell.factor
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
            ('aerosol Be-7', 'mBq/m3', 'beryllium_7', true, 1, null::numeric),
            ('aerosol Cs-137', 'mBq/m3', 'aerosol_caesium_137', true, 1, null::numeric),
            ('aerosol Pb-210', 'mBq/m3', 'aerosol_lead_210', true, 1, null::numeric),
            ('air_moisture H-3', 'mBq/m3', 'air_moisture_tritium', true, 1, null::numeric),
            ('biota Cs-137', 'Bq/kg', 'biota_caesium_137', true, 1, null::numeric),
            ('biota K-40', 'Bq/kg', 'biota_potassium_40', true, 1, null::numeric),
            ('biota Sr-90', 'Bq/kg', 'biota_strontium_90', true, 1, null::numeric),
            ('deposition Be-7', 'Bq/(m2.d)', 'deposition_beryllium_7', true, 1, null::numeric),
            ('deposition Cs-137', 'Bq/(m2.d)', 'deposition_caesium_137', true, 1, null::numeric),
            ('drinking_source gross_alpha', 'Bq/L', 'gross_alpha', true, 1, null::numeric),
            ('groundwater gross_alpha', 'Bq/L', 'gross_alpha', true, 1, null::numeric),
            ('drinking_source gross_beta', 'Bq/L', 'gross_beta', true, 1, null::numeric),
            ('groundwater gross_beta', 'Bq/L', 'gross_beta', true, 1, null::numeric),
            ('soil Cs-137', 'Bq/kg', 'soil_caesium_137', true, 1, null::numeric),
            ('soil K-40', 'Bq/kg', 'potassium_40', true, 1, null::numeric),
            ('soil Ra-226', 'Bq/kg', 'radium_226', true, 1, null::numeric),
            ('soil Th-232', 'Bq/kg', 'thorium_232', true, 1, null::numeric),
            ('soil U-238', 'Bq/kg', 'uranium_238', true, 1, null::numeric),
            ('surface_water Cs-137', 'mBq/L', 'caesium_137', true, 0.001, null::numeric),
            ('surface_water Ra-226', 'mBq/L', 'water_radium_226', true, 0.001, null::numeric),
            ('surface_water Sr-90', 'mBq/L', 'strontium_90', true, 0.001, null::numeric),
            ('surface_water Th', 'mBq/L', 'water_thorium', true, 0.001, null::numeric),
            ('surface_water U', 'mBq/L', 'water_uranium', true, 0.001, null::numeric)
    ) as kind (code, unit, channel, is_number, factor, method_limit)
    where kind.code = btrim(received.what, ' ')
        and kind.unit = translate(btrim(coalesce(received.unit, ''), ' '), 'µμ³²', 'uu32')
) as cell
cross join lateral (
    select
        cell.is_number and cell.text ~ '^((<)[0-9]{1,30}(\.[0-9]{0,30})?)$' as names_limit,
        case
            when cell.is_number and cell.text ~ '^[0-9]{1,30}(\.[0-9]{0,30})?$'
                then 2 * cell.text::numeric = cell.method_limit
        end as is_half_limit
) as said
where (received.rejected_columns is null or 'result' <> all(received.rejected_columns))
