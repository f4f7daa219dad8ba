-- The newest sighting of its periods: a version for every cell that differs from the one that holds now.
with incoming as (
    select
        series.series_id, cell.period_start, cell.qualifier, cell.value, cell.value_text, cell.detection_limit,
        cell.source_mark
    from {staging} as cell
    inner join core.series as series
        on series.feed = %(feed)s and series.site_code = cell.site_code and series.channel = cell.channel
    where cell.content_batch_id = %(content_batch_id)s
),
changed as (
    select incoming.*, holds.series_id is not null as revises
    from incoming
    left join {current}
    where holds.series_id is null
        or row(incoming.qualifier, incoming.value, incoming.value_text, incoming.detection_limit, incoming.source_mark)
        is distinct from
        row(holds.qualifier, holds.value, holds.value_text, holds.detection_limit, holds.source_mark)
    order by incoming.series_id, incoming.period_start
),
inserted as (
    insert into core.observation
        (element, series_id, period_start, known_at, batch_id, qualifier, value, value_text, detection_limit, source_mark)
    select
        %(element)s, series_id, period_start, %(known_at)s, %(batch_id)s, qualifier, value, value_text, detection_limit,
        source_mark
    from changed
)
insert into touched (series_id, period_from, period_to, versions, revised)
select series_id, min(period_start), max(period_start), count(*), count(*) filter (where revises)
from changed
group by series_id
