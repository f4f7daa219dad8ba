-- Whole registers: at each moment every thing ever named is there or is not. The register of a moment is the last by
-- sha256; one that repeats its predecessor says nothing new; a partial one says what is there and nothing of the rest.
-- So does one with too few of the rows of its predecessor, as a file that was cut off has, until the next confirms it.
delivered as (
    select
        latest.*,
        row_count < %(least_share)s * lag(row_count, 1, 0::bigint) over (order by known_at) as is_cut
    from (
        select distinct on (known_at) * from sighting order by known_at, sha256 desc
    ) as latest
),

register as (
    select *
    from (
        select
            delivered.*,
            lag(content_batch_id) over in_time as before,
            lag(is_cut) over in_time as after_a_cut,
            min(known_at) over () as first_known_at
        from delivered
        window in_time as (order by known_at)
    ) as repeated
    where before is distinct from content_batch_id or after_a_cut
),

named as (
    select distinct on (row_said.code, row_said.valid_from, register.known_at)
        register.known_at,
        row_said.code,
        row_said.valid_from as span,
        row_said.valid_to,
        row_said.damaged,
        row_said.content
    from register
    inner join {staging} as row_said on row_said.content_batch_id = register.content_batch_id
    order by row_said.code, row_said.valid_from, register.known_at, row_said.row_number desc
),

thing as (
    select code, span, min(known_at) as first_named
    from named
    where not damaged
    group by code, span
),

stated as (
    select
        thing.code,
        thing.span,
        case
            when %(spans)s and register.known_at > register.first_known_at
                then register.known_at::date
            else thing.span
        end as starts,
        register.known_at,
        register.batch_id,
        named.code is not null as present,
        named.valid_to,
        named.content
    from thing
    inner join register on register.known_at >= thing.first_named
    left join named on named.known_at = register.known_at and named.code = thing.code and named.span = thing.span
        and not named.damaged
    -- Of a thing with a damaged row it is known that it is there, and nothing else.
    where named.code is not null
        or register.is_whole and not register.is_cut and not exists (
            select from named as damaged_row
            where damaged_row.known_at = register.known_at and damaged_row.code = thing.code and damaged_row.damaged
        )
)
