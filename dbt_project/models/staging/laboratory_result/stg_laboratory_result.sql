-- Written from the contract by `eco source staging laboratory_result --write`: change the contract.
-- One row is one cell of one received row. A rejected cell is none: it stands in landing.reject.
with received as (
    select
        batch_id as content_batch_id,
        row_number,
        rejected_columns,
        placed.site_code,
        placed.period_start,
        item_code,
        result,
        unit
    from {{ source('landing', 'laboratory_result') }}
    -- `offset 0` keeps these two from being worked out anew for every cell.
    cross join lateral (
        select
            btrim(point_code, ' ') || ':' || btrim(place, ' ') as site_code,
            case
            when btrim(sampled_at, ' ') ~ '(Z|[+-][0-9]{2}:[0-9]{2})$'
                then btrim(sampled_at, ' ')::timestamptz
            else btrim(sampled_at, ' ')::timestamp at time zone 'Asia/Shanghai'
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
        when received.rejected_columns is null or 'result' <> all(received.rejected_columns)
            then btrim(cell.text, 'L')::numeric * cell.factor
    end as value,
    case when not cell.is_number and cell.text not in ('') then cell.text end as value_text,
    case
        when said.names_limit then '<'
        when said.is_half_limit then '<'
        else '='::text
    end as qualifier,
    case
        when said.names_limit then btrim(cell.text, 'L')::numeric * cell.factor
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
            ('T01', 'Cel', 'water_temperature', true, 1, null::numeric),
            ('T02', '1', 'ph', true, 1, null::numeric),
            ('T03', 'mg/L', 'dissolved_oxygen', true, 1, null::numeric),
            ('T04', 'mg/L', 'codmn', true, 1, null::numeric),
            ('T05', 'mg/L', 'codcr', true, 1, null::numeric),
            ('T06', 'mg/L', 'bod5', true, 1, null::numeric),
            ('T07', 'mg/L', 'ammonia_nitrogen', true, 1, null::numeric),
            ('T08', 'mg/L', 'total_phosphorus', true, 1, null::numeric),
            ('T09', 'mg/L', 'total_nitrogen', true, 1, null::numeric),
            ('T10', 'mg/L', 'copper', true, 1, null::numeric),
            ('T11', 'mg/L', 'zinc', true, 1, null::numeric),
            ('T12', 'mg/L', 'fluoride', true, 1, null::numeric),
            ('T13', 'mg/L', 'selenium', true, 1, null::numeric),
            ('T14', 'mg/L', 'arsenic', true, 1, null::numeric),
            ('T15', 'mg/L', 'mercury', true, 1, null::numeric),
            ('T16', 'mg/L', 'cadmium', true, 1, null::numeric),
            ('T17', 'mg/L', 'chromium_vi', true, 1, null::numeric),
            ('T18', 'mg/L', 'lead', true, 1, null::numeric),
            ('T19', 'mg/L', 'cyanide', true, 1, null::numeric),
            ('T20', 'mg/L', 'volatile_phenol', true, 1, null::numeric),
            ('T21', 'mg/L', 'petroleum', true, 1, null::numeric),
            ('T22', 'mg/L', 'anionic_surfactant', true, 1, null::numeric),
            ('T23', 'mg/L', 'sulfide', true, 1, null::numeric),
            ('T25', 'mg/L', 'sulfate', true, 1, null::numeric),
            ('T26', 'mg/L', 'chloride', true, 1, null::numeric),
            ('T27', 'mg/L', 'nitrate_nitrogen', true, 1, null::numeric),
            ('T28', 'mg/L', 'iron', true, 1, null::numeric),
            ('T29', 'mg/L', 'manganese', true, 1, null::numeric),
            ('T30', 'mg/L', 'suspended_solids', true, 1, null::numeric),
            ('T24', '{count}/L', 'faecal_coliform', true, 1, null::numeric),
            ('T24', '/L', 'faecal_coliform', true, 1, null::numeric),
            ('L01', '10*4{cells}/L', 'phytoplankton_density', true, 10000, null::numeric),
            ('L01', '10*4/L', 'phytoplankton_density', true, 10000, null::numeric),
            ('L02', '{species}', 'phytoplankton_species', true, 1, null::numeric),
            ('L03', '{species}', 'benthos_species', true, 1, null::numeric),
            ('L04', '1', 'benthos_shannon_index', true, 1, null::numeric),
            ('L05', '{species}', 'fish_species', true, 1, null::numeric)
    ) as kind (code, unit, channel, is_number, factor, method_limit)
    where kind.code = btrim(received.item_code, ' ')
        and kind.unit = translate(btrim(coalesce(received.unit, ''), ' '), 'µμ³²', 'uu32')
) as cell
cross join lateral (
    select
        cell.is_number and cell.text ~ '^([0-9]{1,30}(\.[0-9]{0,30})?(L))$' as names_limit,
        case
            when cell.is_number and cell.text ~ '^[0-9]{1,30}(\.[0-9]{0,30})?$'
                then 2 * cell.text::numeric = cell.method_limit
        end as is_half_limit
) as said
where (received.rejected_columns is null or 'result' <> all(received.rejected_columns))
