-- The ledger of completeness: what a contract promises as a row, what became of each attempt on the feed's own clock, and
-- what a change of either asks builds of the element `governance` to take up.

create table core.feed (
    feed         text primary key,
    element      text not null,
    department   text not null,
    title_zh     text not null,
    title_en     text not null,
    averaging    interval not null,
    lateness     interval not null,
    freshness    interval not null,
    day_boundary interval not null,
    timezone     text not null,
    synthetic    boolean not null
);
comment on table core.feed is 'One row is what the contract of a feed promises, for SQL to read · 数据源合同要点';
comment on column core.feed.averaging is 'length of a period: one value of each channel is expected in it · 时段长度';
comment on column core.feed.lateness is 'how long after its end a period may still come · 允许迟到时长';
comment on column core.feed.freshness is 'after which silence people are told · 静默告警时长';
comment on column core.feed.day_boundary is 'when the feed''s own day begins, from midnight · 日界';

-- A day bears the date that holds the greater part of it: 08:00 to 08:00 the date on which it begins, 20:00 to 20:00 the
-- date on which it ends.
create function core.day_of(moment timestamptz, zone text, boundary interval) returns date
language sql immutable parallel safe as $$
    select ((moment at time zone zone) - boundary
        + case when boundary >= interval '12 hours' then interval '1 day' else interval '0' end)::date
$$;
comment on function core.day_of is 'the day of a feed in which a moment lies, by its day boundary · 所属日';

create function core.day_start(day date, zone text, boundary interval) returns timestamptz
language sql immutable parallel safe as $$
    select (day + boundary - case when boundary >= interval '12 hours' then interval '1 day' else interval '0' end)
        at time zone zone
$$;
comment on function core.day_start is 'the moment at which a day of a feed begins, by its day boundary · 日起始时刻';

-- Not in SQL, which would be taken apart: their numbers of rows tell the planner what generate_series can't, and without them
-- it joins sites and series by feed alone.
create function core.days_of(day_from date, day_to date) returns setof date
language plpgsql immutable parallel safe rows 10 as $$
begin
    return query select day::date from generate_series(day_from::timestamp, day_to::timestamp, interval '1 day') as day;
end $$;
comment on function core.days_of is 'days from the first to the last, both included · 逐日';

create function core.slots_of(day date, zone text, boundary interval, averaging interval) returns setof timestamptz
language plpgsql immutable parallel safe rows 24 as $$
begin
    return query select generate_series(core.day_start(day, zone, boundary),
        core.day_start(day + 1, zone, boundary) - interval '1 microsecond', averaging);
end $$;
comment on function core.slots_of is 'starts of the periods of a day of a feed · 一日各时段起点';

create table governance.delivery (
    batch_id    integer primary key references landing.batch,
    feed        text not null,
    moment      timestamptz not null,
    answer      text not null check (answer in ('answered', 'partial', 'unusable', 'no_answer', 'our_fault')),
    period_from timestamptz,
    period_to   timestamptz,
    synthetic   boolean not null
);
create index on governance.delivery (feed, moment);
create index on governance.delivery (feed, period_from);
create index on governance.delivery (feed, period_to);
comment on table governance.delivery is
    'One row is what became of one attempt to receive a feed, at a moment of the feed''s own clock · 到报情况';
comment on column governance.delivery.moment is
    'when the source said it; where it said nothing new, the newest that it had said and the time that has passed since';
comment on column governance.delivery.answer is
    'answered; partial: caught mid-update; unusable: came and could not be read; no_answer; our_fault: never rightly asked';

-- Null before the first answer of a feed: until then it is not in service.
create function governance.delivery_of(b landing.batch) returns governance.delivery
language sql stable as $$
    with newest as (
        select n.known_at, n.started_at
        from landing.batch as n
        where n.feed = b.feed and n.batch_id < b.batch_id and n.outcome in ('loaded', 'partial', 'unchanged')
        order by n.known_at desc, n.batch_id asc
        limit 1
    ),
    said as (
        select b.outcome in ('loaded', 'partial') or b.outcome = 'unchanged' and b.reason is distinct from 'not_modified'
            and not exists (
                select from landing.batch as same
                where same.feed = b.feed and same.sha256 = b.sha256 and same.known_at = b.known_at
                    and same.batch_id < b.batch_id
            ) as anything
    ),
    placed as (
        select case when said.anything then b.known_at
            else (select newest.known_at + (b.started_at - newest.started_at) from newest) end as moment
        from said
    )
    select b.batch_id, b.feed, placed.moment,
        case
            when b.outcome in ('loaded', 'unchanged') then 'answered'
            when b.outcome = 'partial' then 'partial'
            when b.outcome = 'rejected' then 'unusable'
            when b.outcome = 'aborted'
                or b.reason in ('secret_missing', 'unauthorised', 'not_http', 'not_found', 'unreadable') then 'our_fault'
            else 'no_answer'
        end,
        case when b.outcome in ('loaded', 'unchanged', 'partial') then b.period_from end,
        case when b.outcome in ('loaded', 'unchanged', 'partial') then b.period_to end,
        coalesce(b.synthetic, false)
    from placed
    where placed.moment is not null
$$;

-- Changes of the element `governance` are of a whole feed (site_code is the feed) and of whole days of it.
create function governance.touch(p_feed text, p_periods tstzmultirange, p_batch integer, p_step bigint)
returns void language sql security definer set search_path = pg_catalog, core as $$
    insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)
    select 'governance', whole.feed, whole.feed, lower(days.period), upper(days.period), p_batch, p_step
    from (
        select f.feed, range_agg(tstzrange(
            core.day_start(core.day_of(lower(asked.period), f.timezone, f.day_boundary), f.timezone, f.day_boundary),
            core.day_start(core.day_of(upper(asked.period) - interval '1 microsecond', f.timezone, f.day_boundary) + 1,
                f.timezone, f.day_boundary)
        )) as periods
        from core.feed as f
        cross join unnest(p_periods) as asked (period)
        where f.feed = p_feed and isfinite(lower(asked.period)) and isfinite(upper(asked.period))
        group by f.feed
    ) as whole
    cross join lateral unnest(whole.periods) as days (period)
$$;
revoke execute on function governance.touch from public;

-- An attempt that ended changes what its content covers, and what is missing in the periods that it decides or lets close.
create function governance.note_delivery() returns trigger
language plpgsql security definer set search_path = pg_catalog, core as $$
declare
    this governance.delivery;
    promised core.feed;
    clock timestamptz;
    began timestamptz;
    touched tstzmultirange := '{}';
begin
    this := governance.delivery_of(new);
    if this.batch_id is null then
        return null;
    end if;
    select max(moment), min(period_from) into clock, began
    from governance.delivery where feed = new.feed and batch_id <> new.batch_id;
    insert into governance.delivery select this.*
    on conflict (batch_id) do update set moment = excluded.moment, answer = excluded.answer,
        period_from = excluded.period_from, period_to = excluded.period_to, synthetic = excluded.synthetic;
    select * into promised from core.feed where feed = new.feed;
    if not found then
        return null;  -- core writes the row with the first values, and that asks for everything
    end if;
    touched := touched + tstzmultirange(tstzrange(
        least(this.moment, coalesce(clock, this.moment)) - promised.lateness - promised.averaging, this.moment, '[]'));
    if clock > this.moment then
        touched := tstzmultirange(tstzrange(
            this.moment - promised.lateness - promised.averaging, this.moment, '[]'));
    end if;
    if this.period_from is not null then
        touched := touched + tstzmultirange(tstzrange(this.period_from, this.period_to));
    end if;
    if this.period_from < began then
        touched := touched + tstzmultirange(tstzrange(this.period_from, began));
    end if;
    perform governance.touch(new.feed, touched, case when this.period_from is not null then new.batch_id end, 0);
    return null;
end $$;

create trigger delivery_noted_on_update after update of outcome on landing.batch
    for each row when (new.outcome <> 'running' and new.outcome is distinct from old.outcome)
    execute function governance.note_delivery();
create trigger delivery_noted_on_insert after insert on landing.batch
    for each row when (new.outcome <> 'running')
    execute function governance.note_delivery();

-- What changes in any element changes what came of its feed.
create function governance.note_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, core as $$
declare
    changed record;
begin
    for changed in
        select feed, range_agg(tstzrange(period_from, period_to)) as periods, max(batch_id) as batch, max(step_id) as step
        from added where element <> 'governance' and period_from < period_to group by feed
    loop
        perform governance.touch(changed.feed, changed.periods, changed.batch, changed.step);
    end loop;
    return null;
end $$;

create trigger governance_follows after insert on core.change
    referencing new table as added for each statement execute function governance.note_change();

-- A promise that changed, or came to be known, concerns all days of the feed.
create function governance.note_promise() returns trigger
language plpgsql security definer set search_path = pg_catalog, core as $$
declare
    known tstzrange;
begin
    -- A day more on both sides: what stands under another day boundary goes.
    select tstzrange(least(min(period_from), min(moment)) - interval '1 day', max(moment) + interval '1 day') into known
    from governance.delivery where feed = new.feed;
    if not isempty(known) and not lower_inf(known) then
        perform governance.touch(new.feed, tstzmultirange(known), null, 0);
    end if;
    return null;
end $$;

create trigger promise_noted after insert or update on core.feed
    for each row execute function governance.note_promise();

revoke execute on function governance.note_delivery, governance.note_change, governance.note_promise from public;

insert into governance.delivery
select noted.* from landing.batch as b cross join lateral governance.delivery_of(b) as noted
where b.outcome <> 'running' and noted.batch_id is not null;

-- A reject says of which value it is, as far as that could be read.
alter table landing.reject add column site_code text, add column channel text, add column period_start timestamptz;
comment on column landing.reject.channel is 'null: of the whole row, so of all channels · 空为整行';
create index on landing.reject (period_start) where period_start is not null;

create view governance.cell_reject as
select b.feed, r.batch_id, r.site_code, r.channel, r.period_start, r.reason
from landing.reject as r inner join landing.batch as b on r.batch_id = b.batch_id
where r.site_code is not null and r.period_start is not null;
comment on view governance.cell_reject is
    'One row is one row or cell that was not taken, with the site and period that it names · 可定位的拒收';

-- The end of a silence is told too.
alter table governance.notice drop constraint notice_kind_check;
alter table governance.notice add constraint notice_kind_check
    check (kind in ('failure', 'freshness', 'answers_again', 'blocked', 'new_site'));

-- dbt keeps marts in the schema of the ledger too; who reads them it says itself.
grant create on schema governance to eco_dbt;

grant select, insert, update on core.feed to eco_core;
grant select on core.feed to eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
grant select on governance.delivery, governance.cell_reject to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
