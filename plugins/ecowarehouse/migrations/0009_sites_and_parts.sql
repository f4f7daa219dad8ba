-- What a source says of a site beside name and place: the river of a section, its basin.
alter table core.site add column attributes jsonb not null default '{}';
comment on column core.site.attributes is
    'what else the source says of the site, by the names of the contract; what it leaves empty is missing here · 其他属性';

create or replace view core.site_current as
select distinct on (feed, site_code) *
from core.site
where known_at <= core.as_of()
order by feed, site_code, known_at desc;

-- One content may hold several pulls, each known at its own moment: each is a delivery with a ledger row of its own.
alter table landing.batch add column part text not null default '';
comment on column landing.batch.part is
    'which of several pulls in one content this is: the text of the column that says when it was known; else empty';

-- What the city itself knows of surface-water sections and what is asked of them: registers in the city's folder.
create table core.section (
    section_code text not null,
    valid_from   date not null default '0001-01-01',
    valid_to     date not null default '9999-12-31',
    known_at     timestamptz not null,
    section_name text,
    river        text,
    basin        text,
    water_type   text check (water_type in ('river', 'lake', 'river_type_reservoir')),
    role         text,
    area_code    text,
    mark         text not null,
    primary key (section_code, valid_from, known_at)
);
comment on table core.section is
    'One row is what the city''s register says of a section in a span of time, as known at a moment · 断面登记';
comment on column core.section.role is 'entry, exit, control, border or source · 断面功能';

create table core.section_target (
    section_code text not null,
    year         integer not null,
    level        text not null,
    known_at     timestamptz not null,
    target_class integer not null check (target_class between 1 and 6),
    document     text not null,
    mark         text not null,
    primary key (section_code, year, level, known_at)
);
comment on table core.section_target is
    'One row is the class that a document asks of a section in a year · 断面水质目标';
comment on column core.section_target.level is 'national, region or city: who set it · 考核级别';

grant select, insert, delete on core.section, core.section_target to eco_core;
grant select on core.section, core.section_target to
    eco_landing, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
