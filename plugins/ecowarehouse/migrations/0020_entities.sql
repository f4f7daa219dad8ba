-- Entities that are not series: one table for every version of all of them; what a feed says of each is declared in
-- dbt_project/entities.yml, and deployment makes core.<entity> and core.<entity>_current from it.
create table core.entity (
    entity      text not null,
    feed        text not null,
    code        text not null,
    valid_from  date not null,
    known_at    timestamptz not null,
    valid_to    date not null,
    taken_back  boolean not null,
    content     jsonb not null,
    batch_id    integer not null,
    primary key (entity, feed, code, valid_from, known_at)
);
create index on core.entity (entity, code);
comment on table core.entity is
    'One row is one version of what a feed says of a thing in a span of days: a pure function of all its sightings · 实体（全部版本）';
comment on column core.entity.code is 'the key of the thing, several columns joined by a colon · 编码';
comment on column core.entity.valid_from is 'first day of which it speaks; -infinity: ever since · 有效期起';
comment on column core.entity.valid_to is 'last day of which it speaks, included; infinity: open · 有效期止（含当日）';
comment on column core.entity.taken_back is 'it was wrong: the register no longer says so, of no day · 已撤销';
comment on column core.entity.content is 'columns of the entity by their declared names; empty ones are missing · 内容';

create table core.entity_retired (
    like core.entity,
    retired_at  timestamptz not null default clock_timestamp(),
    retired_for integer not null
);
comment on table core.entity_retired is
    'One row is one version that an earlier sighting, arriving later, made superfluous · 已作废实体版本';

-- What holds of each thing by eco.as_of, one row a span; a span ends where the next of the same thing begins.
create view core.entity_current as
select entity, feed, code, valid_from, least(valid_to, next_from - 1) as valid_to, known_at, content, batch_id
from (
    select latest.*, lead(valid_from) over (partition by entity, feed, code order by valid_from) as next_from
    from (
        select distinct on (entity, feed, code, valid_from) *
        from core.entity
        where known_at <= core.as_of()
        order by entity, feed, code, valid_from, known_at desc
    ) as latest
    where not taken_back and valid_from <= valid_to
) as following;
comment on view core.entity_current is
    'One row is what holds of a thing in a span of days (as of eco.as_of when set) · 现行实体';

-- The registers of before were tables of their own, written by deployment from files, which are feeds now. Views that
-- read them are made again by the deployment that follows.
drop table core.section, core.section_target cascade;
do $$ begin
    if to_regnamespace('as_of') is not null then
        comment on schema as_of is null;
    end if;
end $$;

grant create on schema core to eco_core; -- the views of entities
grant create on schema governance to eco_dbt; -- marts about the network itself
grant select, insert, delete on core.entity to eco_core;
grant select, insert on core.entity_retired to eco_core;
grant select on core.entity, core.entity_retired, core.entity_current to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
