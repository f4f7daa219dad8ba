-- Where the corrected periods go; most are there already. Cut by the city's clock, as core's own step does.
select core.ensure_partitions(s.element, min(c.period_start::timestamptz), max(c.period_start::timestamptz)
    + interval '1 second', current_setting('TimeZone'))
from landing.correction as c
inner join core.series as s on s.feed = c.feed and s.site_code = c.site_code and s.channel = c.channel
where c.feed = %(feed)s
group by s.element
