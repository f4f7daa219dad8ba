-- A history that is handed over is counted, of the periods that the source spoke of since it told of the site: what others
-- have there and this site has not, the source lacks. A stray label of last year is one period, and no year.
create index on governance.delivery using gist (periods);

drop view core.site_service;
create view core.site_service as
with told as (
    select
        site.feed,
        site.site_code,
        feed.element,
        min(site.valid_from) as first_period,
        min(site.known_at) as told_at,
        min(greatest(site.valid_from, site.known_at - feed.lateness - feed.averaging)) as promised_from
    from core.site as site
    inner join core.feed as feed on site.feed = feed.feed
    where site.known_at <= core.as_of()
    group by site.feed, site.site_code, feed.element
)

select
    told.feed,
    told.site_code,
    tstzmultirange(tstzrange(told.promised_from, null)) * in_register.spans as spans,
    tstzmultirange(tstzrange(told.first_period, told.promised_from)) * in_register.spans as history,
    told.told_at
from told
cross join lateral (
    -- Days of the register are of the city's clock, first and last included.
    select coalesce(range_agg(tstzrange(
        entity.valid_from::timestamp at time zone current_setting('TimeZone'),
        (entity.valid_to + 1)::timestamp at time zone current_setting('TimeZone')
    )), '{(,)}') as spans
    from core.entity_current as entity
    where
        entity.entity = 'site_register'
        and entity.code = told.site_code
        and entity.content ->> 'element' = told.element
) as in_register;
comment on view core.site_service is
    'One row is when periods of a site are promised: from the first that could have come in time, on days of the register · 应报时段';
comment on column core.site_service.spans is 'every period is promised · 应报时段';
comment on column core.site_service.history is
    'before that, since its first period: those that an answer since told_at spoke of are promised · 历史时段';
comment on column core.site_service.told_at is 'when the feed first told of the site · 首次获知时间';
grant select on core.site_service to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;

-- What stands was counted as if no history had ever been handed over.
select governance.touch(feed, tstzmultirange(tstzrange(min(period_from), max(moment))), null, 0)
from governance.delivery
where period_from is not null
group by feed;
