-- A series of reviewed values beside each corrected one.
insert into core.series (
    feed, site_code, channel, element, property, procedure, averaging_period, sample_part, unit, original_unit,
    reference_state, series_kind
)
select distinct
    %(companion)s, base.site_code, base.channel, base.element, base.property, base.procedure, base.averaging_period,
    base.sample_part, base.unit, base.original_unit, base.reference_state, 'reviewed'
from landing.correction as c
inner join core.series as base on base.feed = c.feed and base.site_code = c.site_code and base.channel = c.channel
where c.feed = %(feed)s
on conflict do nothing
