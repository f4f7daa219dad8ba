-- A site that the register of its city knows is in service in the spans of the register, and not after it was closed nor
-- between two of them; any other is from its promise on.
create or replace view core.site_service as
with promised as (
    select
        site.feed,
        site.site_code,
        feed.element,
        tstzrange(min(greatest(site.valid_from, site.known_at - feed.lateness - feed.averaging)), null) as span
    from core.site as site
    inner join core.feed as feed on site.feed = feed.feed
    where site.known_at <= core.as_of()
    group by site.feed, site.site_code, feed.element
)

select
    promised.feed,
    promised.site_code,
    tstzmultirange(promised.span) * coalesce(registered.spans, '{(,)}') as spans
from promised
cross join lateral (
    -- Days of the register are of the city's clock, first and last included.
    select range_agg(tstzrange(
        entity.valid_from::timestamp at time zone current_setting('TimeZone'),
        (entity.valid_to + 1)::timestamp at time zone current_setting('TimeZone')
    )) as spans
    from core.entity_current as entity
    where
        entity.entity = 'site_register'
        and entity.code = promised.site_code
        and entity.content ->> 'element' = promised.element
) as registered;
comment on view core.site_service is
    'One row is when periods of a site are promised: from the first that could have come in time, on days of the register · 应报时段';
comment on column core.site.valid_to is
    'nothing writes it: when a site ended says the register (core.site_register) · 未使用，撤站以点位登记为准';

-- What stands was counted as if no site had ever been closed.
select governance.touch(
    feed, tstzmultirange(tstzrange(min(least(period_from, moment)) - interval '1 day', max(moment) + interval '1 day')),
    null, 0
)
from governance.delivery
where feed in (select site.feed from core.site as site inner join core.entity as entity on site.site_code = entity.code
    where entity.entity = 'site_register')
group by feed;
