-- A site counts in its area from its first period on: what stood as -infinity is worked out once from the observations,
-- and a version for each time that an older period came. From here on the core step keeps it.
comment on column core.site.valid_from is
    'first period that the source had of the site by then: from it on the site counts in its area · 首个时段';

create table core.site_retired (
    like core.site,
    retired_at  timestamptz not null default clock_timestamp(),
    retired_for integer not null
);
comment on table core.site_retired is
    'One row is one version of a site that a late sighting made superfluous; retired_for is that batch · 已作废点位版本';

create temporary table counted on commit drop as
select feed, site_code, known_at, batch_id, valid_from
from (
    select *, lag(valid_from) over (partition by feed, site_code order by known_at) as predecessor
    from (
        select series.feed, series.site_code, seen.known_at, min(seen.batch_id) as batch_id,
            min(min(seen.period_start)) over (partition by series.feed, series.site_code order by seen.known_at)
                as valid_from
        from core.observation as seen
        inner join core.series as series on seen.series_id = series.series_id
        group by series.feed, series.site_code, seen.known_at
    ) as running
) as compared
where predecessor is distinct from valid_from;

update core.site as site set valid_from = (
    select min(counted.valid_from) from counted
    where counted.feed = site.feed and counted.site_code = site.site_code and counted.known_at <= site.known_at
)
where exists (
    select from counted
    where counted.feed = site.feed and counted.site_code = site.site_code and counted.known_at <= site.known_at
);

insert into core.site (feed, site_code, known_at, element, site_name, area_name, area_code, longitude, latitude, crs,
    site_type, type_evidence, takes_part, valid_from, valid_to, batch_id)
select holds.feed, holds.site_code, counted.known_at, holds.element, holds.site_name, holds.area_name, holds.area_code,
    holds.longitude, holds.latitude, holds.crs, holds.site_type, holds.type_evidence, holds.takes_part,
    counted.valid_from, holds.valid_to, counted.batch_id
from counted
cross join lateral (
    select * from core.site as site
    where site.feed = counted.feed and site.site_code = counted.site_code and site.known_at <= counted.known_at
    order by site.known_at desc limit 1
) as holds
where holds.known_at < counted.known_at;

-- What stands was counted otherwise: the next build takes everything up again.
insert into core.change (element, feed, site_code, period_from, period_to, step_id)
select site.element, site.feed, site.site_code, min(site.valid_from), max(batch.period_to), 0
from core.site as site
inner join landing.batch as batch on batch.feed = site.feed and batch.core_step_id is not null
where site.valid_from > '-infinity'
group by site.element, site.feed, site.site_code;

grant select, insert on core.site_retired to eco_core;
grant select on core.site_retired to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
