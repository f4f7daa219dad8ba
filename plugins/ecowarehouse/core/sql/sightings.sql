-- All sightings of the keys asked for, and of them the versions: in the order of known_at, each that differs from its
-- predecessor; of several sightings at one known_at the last by (sha256, row) holds.
with sighting as (
    select
        series.series_id,
        cell.period_start,
        batch.known_at,
        batch.sha256,
        batch.batch_id,
        cell.row_number,
        cell.qualifier,
        cell.value,
        cell.value_text,
        cell.detection_limit,
        cell.source_mark
    from landing.batch as batch
    inner join {staging} as cell on cell.content_batch_id = batch.content_batch_id
    inner join core.series as series
        on series.feed = batch.feed and series.site_code = cell.site_code and series.channel = cell.channel
    where batch.feed = %(feed)s
        and batch.outcome in ('loaded', 'unchanged', 'partial')
        and (batch.core_step_id is not null or batch.batch_id = %(batch_id)s)
        and batch.period_from < %(period_to)s
        and batch.period_to > %(period_from)s
        and {keys}
),
held as (
    select distinct on (series_id, period_start, known_at) *
    from sighting
    order by series_id, period_start, known_at, sha256 desc, row_number desc, batch_id
),
compared as (
    select
        held.*,
        -- Asked apart: a row with a null in it is neither null nor not null.
        lag(true, 1, false) over by_key as revises,
        lag(row(qualifier, value, value_text, detection_limit, source_mark)) over by_key as predecessor,
        row(qualifier, value, value_text, detection_limit, source_mark) as content
    from held
    window by_key as (partition by series_id, period_start order by known_at)
)
select
    series_id, period_start, known_at, batch_id, qualifier, value, value_text, detection_limit, source_mark,
    revises
from compared
where not revises or predecessor is distinct from content
