-- Builds take up the site's periods under the feed that they know.
insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)
select s.element, s.feed, s.site_code, b.period_from, b.period_to, b.batch_id, %(step)s
from landing.batch as b
inner join landing.correction as c on c.batch_id = b.batch_id
inner join core.series as s on s.feed = c.feed and s.site_code = c.site_code and s.channel = c.channel
where b.feed = %(companion)s and b.core_step_id is null and b.outcome = 'loaded'
