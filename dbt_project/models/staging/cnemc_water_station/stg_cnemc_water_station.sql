-- Written from the contract by `eco source staging cnemc_water_station --write`: change the contract.
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        water_temperature,
        ph,
        dissolved_oxygen,
        conductivity,
        turbidity,
        codmn,
        ammonia_nitrogen,
        total_phosphorus,
        total_nitrogen,
        chlorophyll_a,
        algae_density,
        water_temperature_raw,
        ph_raw,
        dissolved_oxygen_raw,
        conductivity_raw,
        turbidity_raw,
        codmn_raw,
        ammonia_nitrogen_raw,
        total_phosphorus_raw,
        total_nitrogen_raw,
        chlorophyll_a_raw,
        algae_density_raw,
        official_class,
        status
    from {{ source('landing', 'cnemc_water_station') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(province, e'\u3000 ') || ':' || btrim(section, e'\u3000 ') as site_code,
            (btrim(time, e'\u3000 ')::timestamp at time zone 'Asia/Shanghai') as period_start
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
        when not cell.is_number or cell.text in ('*', '--', '', '极值过滤') then null
        when received.rejected_columns is null or cell.channel <> all(received.rejected_columns)
            then case when not said.is_not_detected then btrim(cell.text, '<＜L')::numeric end
    end as value,
    case when not cell.is_number and cell.text not in ('*', '--', '', '极值过滤') then cell.text end as value_text,
    case
        when said.names_limit then '<'
        when said.is_not_detected then 'nd'
        when said.is_half_limit then '<'
        else '='::text
    end as qualifier,
    case
        when said.names_limit then btrim(cell.text, '<＜L')::numeric
        when said.is_half_limit then cell.method_limit
        else null::numeric
    end as detection_limit,
    case
        when cell.text in ('*', '')
            and cell.channel in ('chlorophyll_a', 'chlorophyll_a_raw', 'algae_density', 'algae_density_raw')
            and btrim(coalesce(received.status, ''), e'\u3000 ') in ('正常')
            then 'not_measured'
        when cell.text <> '' and cell.text in ('*', '--', '', '极值过滤') then cell.text
        when said.is_half_limit then 'substituted_half_limit'
    end as source_mark
from received
cross join lateral (
    values
        ('water_temperature', btrim(coalesce(water_temperature, ''), e'\u3000 '), true, null::numeric),
        ('ph', btrim(coalesce(ph, ''), e'\u3000 '), true, null::numeric),
        ('dissolved_oxygen', btrim(coalesce(dissolved_oxygen, ''), e'\u3000 '), true, null::numeric),
        ('conductivity', btrim(coalesce(conductivity, ''), e'\u3000 '), true, null::numeric),
        ('turbidity', btrim(coalesce(turbidity, ''), e'\u3000 '), true, null::numeric),
        ('codmn', btrim(coalesce(codmn, ''), e'\u3000 '), true, null::numeric),
        ('ammonia_nitrogen', btrim(coalesce(ammonia_nitrogen, ''), e'\u3000 '), true, null::numeric),
        ('total_phosphorus', btrim(coalesce(total_phosphorus, ''), e'\u3000 '), true, null::numeric),
        ('total_nitrogen', btrim(total_nitrogen, e'\u3000 '), true, null::numeric),
        ('chlorophyll_a', btrim(chlorophyll_a, e'\u3000 '), true, null::numeric),
        ('algae_density', btrim(algae_density, e'\u3000 '), true, null::numeric),
        ('water_temperature_raw', btrim(water_temperature_raw, e'\u3000 '), true, null::numeric),
        ('ph_raw', btrim(ph_raw, e'\u3000 '), true, null::numeric),
        ('dissolved_oxygen_raw', btrim(dissolved_oxygen_raw, e'\u3000 '), true, null::numeric),
        ('conductivity_raw', btrim(conductivity_raw, e'\u3000 '), true, null::numeric),
        ('turbidity_raw', btrim(turbidity_raw, e'\u3000 '), true, null::numeric),
        ('codmn_raw', btrim(codmn_raw, e'\u3000 '), true, 0.5),
        ('ammonia_nitrogen_raw', btrim(ammonia_nitrogen_raw, e'\u3000 '), true, 0.05),
        ('total_phosphorus_raw', btrim(total_phosphorus_raw, e'\u3000 '), true, 0.01),
        ('total_nitrogen_raw', btrim(total_nitrogen_raw, e'\u3000 '), true, 0.1),
        ('chlorophyll_a_raw', btrim(chlorophyll_a_raw, e'\u3000 '), true, null::numeric),
        ('algae_density_raw', btrim(algae_density_raw, e'\u3000 '), true, null::numeric),
        ('official_class', btrim(official_class, e'\u3000 '), false, null::numeric),
        ('status', btrim(coalesce(status, ''), e'\u3000 '), false, null::numeric)
) as cell (channel, text, is_number, method_limit)
cross join lateral (
    select
        cell.is_number and cell.text ~ '^((<|＜)[0-9]{1,30}(\.[0-9]{0,30})?|[0-9]{1,30}(\.[0-9]{0,30})?(L))$' as names_limit,
        cell.is_number and cell.text in ('未检出', 'ND') as is_not_detected,
        case
            when cell.is_number and cell.text ~ '^[0-9]{1,30}(\.[0-9]{0,30})?$'
                then 2 * cell.text::numeric = cell.method_limit
        end as is_half_limit
) as said
where (received.rejected_columns is null or cell.channel <> all(received.rejected_columns))
    and cell.text is not null
