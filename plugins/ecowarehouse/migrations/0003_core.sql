-- Core: what is measured where (series), every version of every value (observation), what tests say (quality_flag).
create table core.channel (
    feed             text not null,
    channel          text not null,
    element          text not null,
    property         text not null,
    procedure        text not null,
    averaging_period interval not null,
    sample_part      text not null default '',
    unit             text not null,
    original_unit    text not null,
    series_kind      text not null check (series_kind in ('real_time', 'reviewed')),
    value_kind       text not null check (value_kind in ('number', 'text')),
    primary key (feed, channel)
);
comment on table core.channel is
    'One row is one column or code of a feed and the property it carries, as its contract says · 通道';

create table core.series (
    series_id        integer generated always as identity primary key,
    feed             text not null,
    site_code        text not null,
    channel          text not null,
    element          text not null,
    property         text not null,
    procedure        text not null,
    averaging_period interval not null,
    sample_part      text not null default '',
    unit             text not null,
    original_unit    text not null,
    reference_state  text,
    series_kind      text not null,
    unique (feed, site_code, channel)
);
create index on core.series (element, site_code, property);
comment on table core.series is 'One row is one property observed at one site by one procedure and averaging period · 序列';

create table core.site (
    feed         text not null,
    site_code    text not null,
    known_at     timestamptz not null,
    element      text not null,
    site_name    text,
    area_name    text,
    area_code    text,
    longitude    numeric,
    latitude     numeric,
    crs          text,
    site_type    text,
    type_evidence text,
    takes_part   boolean not null default true,
    valid_from   timestamptz not null default '-infinity',
    valid_to     timestamptz not null default 'infinity',
    batch_id     integer not null,
    primary key (feed, site_code, known_at)
);
comment on table core.site is
    'One row is one version of what a source or register says of a site; the newest known_at holds · 点位';
comment on column core.site.site_type is 'HJ 664 type: assessment, reference, regional, background, traffic, source_oriented';
comment on column core.site.takes_part is 'whether the site enters the value of its area · 是否参与评价';

create table core.observation (
    element         text not null,
    series_id       integer not null,
    period_start    timestamptz not null,
    known_at        timestamptz not null,
    batch_id        integer not null,
    qualifier       text not null default '=',
    value           numeric,
    value_text      text,
    detection_limit numeric,
    source_mark     text,
    constraint qualifier_known check (qualifier in ('=', '<', '>', 'nd'))
) partition by list (element);
comment on table core.observation is
    'One row is one version of one value: which versions exist is a pure function of all landed sightings · 观测值（全部版本）';
comment on column core.observation.known_at is 'when the source said so; the newest not after --as-of holds';
comment on column core.observation.source_mark is 'the mark or the sentinel that the source gave instead of or beside the value';

create table core.observation_retired (
    like core.observation,
    retired_at  timestamptz not null default clock_timestamp(),
    retired_for integer not null
);
comment on table core.observation_retired is
    'One row is one version that an earlier sighting, arriving later, made superfluous; retired_for is that batch';

create table core.quality_flag (
    element      text not null,
    series_id    integer not null,
    period_start timestamptz not null,
    known_at     timestamptz not null,
    test         text not null,
    rule_version integer not null,
    flag         smallint not null check (flag in (2, 3, 4, 9)),
    detail       text,
    primary key (series_id, period_start, known_at, test)
);
comment on table core.quality_flag is
    'One row is what one test says of one version of a value, QARTOD scale; no row means good (1) · 质量标记';

create table core.change (
    change_id    bigint generated always as identity primary key,
    element      text not null,
    feed         text not null,
    site_code    text not null,
    period_from  timestamptz not null,
    period_to    timestamptz not null,
    batch_id     integer,
    step_id      bigint not null,
    built_in     bigint
);
create index change_not_built on core.change (element) where built_in is null;
comment on table core.change is
    'One row is a range of periods of one site that a core step touched; built_in is the build that took it up';

-- The one place that may take a version away: when an earlier sighting arrives late, a version that no longer
-- differs from its predecessor is moved to core.observation_retired. Everything else is append-only.
create function core.refuse_change() returns trigger language plpgsql as $$
begin
    if current_user = 'eco_owner' and current_setting('eco.resequencing', true) = 'on' and tg_op = 'DELETE' then
        return old;
    end if;
    raise exception 'core.observation is append-only: % refused', tg_op
        using hint = 'A correction enters as a new version: eco load or eco correct.';
end $$;

create trigger append_only before update or delete on core.observation
    for each row execute function core.refuse_change();

create function core.retire(p_series integer[], p_period timestamptz[], p_known timestamptz[], p_element text, p_batch integer)
returns bigint language plpgsql security definer set search_path = pg_catalog, core as $$
declare
    retired bigint;
begin
    perform set_config('eco.resequencing', 'on', true);
    with superfluous as (
        delete from core.observation o
        using unnest(p_series, p_period, p_known) as k(series_id, period_start, known_at)
        where o.element = p_element and o.series_id = k.series_id
          and o.period_start = k.period_start and o.known_at = k.known_at
        returning o.*
    )
    insert into core.observation_retired select s.*, clock_timestamp(), p_batch from superfluous s;
    get diagnostics retired = row_count;
    perform set_config('eco.resequencing', 'off', true);
    return retired;
end $$;

-- Partitions on demand: by element, then by local year (by local month for pollution).
create function core.ensure_partitions(p_element text, p_from timestamptz, p_to timestamptz, p_zone text)
returns integer language plpgsql security definer set search_path = pg_catalog, core as $$
declare
    grain text := case p_element when 'pollution' then 'month' else 'year' end;
    parent text := 'observation_' || p_element;
    leaf text;
    lower_bound timestamp;
    made integer := 0;
begin
    if p_element !~ '^[a-z][a-z_]*$' then
        raise exception 'not an element: %', p_element;
    end if;
    perform pg_advisory_xact_lock(hashtext('core.ensure_partitions'));
    if to_regclass(format('core.%I', parent)) is null then
        execute format('create table core.%I partition of core.observation for values in (%L) partition by range (period_start)',
                       parent, p_element);
    end if;
    lower_bound := date_trunc(grain, p_from at time zone p_zone);
    while lower_bound at time zone p_zone < p_to loop
        leaf := parent || '_' || to_char(lower_bound, case grain when 'year' then 'YYYY' else 'YYYYMM' end);
        if to_regclass(format('core.%I', leaf)) is null then
            execute format('create table core.%I (like core.%I including defaults including constraints)', leaf, parent);
            execute format('alter table core.%I add primary key (series_id, period_start, known_at)', leaf);
            execute format('create trigger never_truncated before truncate on core.%I
                            for each statement execute function core.refuse_change()', leaf);
            execute format('alter table core.%I attach partition core.%I for values from (%L) to (%L)',
                           parent, leaf, lower_bound at time zone p_zone,
                           (lower_bound + ('1 ' || grain)::interval) at time zone p_zone);
            execute format('grant select on core.%I to eco_engineer', leaf);
            made := made + 1;
        end if;
        lower_bound := lower_bound + ('1 ' || grain)::interval;
    end loop;
    return made;
end $$;
revoke execute on function core.retire, core.ensure_partitions from public;
grant execute on function core.retire, core.ensure_partitions to eco_core;

-- --as-of: a setting of the session, so that every relation below answers for the same moment.
create function core.as_of() returns timestamptz language sql stable parallel safe as
$$ select coalesce(nullif(current_setting('eco.as_of', true), '')::timestamptz, 'infinity'::timestamptz) $$;
comment on function core.as_of is 'the moment asked for (known_at not after it), infinity when none was asked';

create view core.observation_current as
select o.*
from core.series s
cross join lateral (
    select distinct on (v.period_start) v.*
    from core.observation v
    where v.element = s.element and v.series_id = s.series_id and v.known_at <= core.as_of()
    order by v.period_start, v.known_at desc
) o;
comment on view core.observation_current is 'One row is the version of a value that holds (as of eco.as_of when set) · 现行值';

create view core.site_current as
select distinct on (feed, site_code) *
from core.site
where known_at <= core.as_of()
order by feed, site_code, known_at desc;
comment on view core.site_current is 'One row is what holds of a site (as of eco.as_of when set) · 现行点位';

grant select, insert, update on core.channel to eco_core;
grant select, insert on core.series, core.observation, core.observation_retired to eco_core;
-- A plan made before many new series are counted joins them row by row: ten times the time.
grant maintain on core.series, core.site to eco_core;
grant select, insert, delete on core.site, core.quality_flag to eco_core;
grant select, insert on core.change to eco_core;
grant select, update (built_in) on core.change to eco_dbt;
grant select on all tables in schema core to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
