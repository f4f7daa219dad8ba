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
