-- Some rows: what is not delivered is not spoken of.
stated as (
    select distinct on (row_said.code, row_said.valid_from, sighting.known_at)
        row_said.code,
        row_said.valid_from as span,
        row_said.valid_from as starts,
        sighting.known_at,
        sighting.batch_id,
        true as present,
        row_said.valid_to,
        row_said.content
    from sighting
    inner join {staging} as row_said on row_said.content_batch_id = sighting.content_batch_id
    where not row_said.damaged and (%(codes)s::text[] is null or row_said.code = any(%(codes)s))
    order by
        row_said.code, row_said.valid_from, sighting.known_at, sighting.sha256 desc, row_said.row_number desc
)
