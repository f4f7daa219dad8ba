-- The first sighting of its periods: every cell is a version, nothing has to be compared.
insert into core.observation
    (element, series_id, period_start, known_at, batch_id, qualifier, value, value_text, detection_limit, source_mark)
select
    %(element)s, series.series_id, cell.period_start, %(known_at)s, %(batch_id)s, cell.qualifier,
    cell.value, cell.value_text, cell.detection_limit, cell.source_mark
from {staging} as cell
inner join core.series as series
    on series.feed = %(feed)s and series.site_code = cell.site_code and series.channel = cell.channel
where cell.content_batch_id = %(content_batch_id)s
