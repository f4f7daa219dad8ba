-- An answer speaks of the periods of its rows, and not of those that lie between: one old row says nothing of the year
-- after it. And a site is promised from when its feed could first be asked for it, however old the first row is.
alter table landing.batch add column periods tstzmultirange;
comment on column landing.batch.periods is
    'the periods that rows of this content came of, on the batch that holds the content; null: not known · 内容所及时段';

alter table governance.delivery add column periods tstzmultirange;
comment on column governance.delivery.periods is 'the periods of which it had rows, of whatever site · 所及时段';

do $$
declare
    promised core.feed;
    described text;
begin
    for promised in select * from core.feed where counted_by_day loop
        described := format('staging.%I', 'stg_' || promised.feed || '__site');
        if coalesce(has_table_privilege(to_regclass(described), 'select'), false) then
            execute format('update landing.batch as b set periods = said.periods from (
                    select content_batch_id, range_agg(tstzrange(period_start, period_start + $1)) as periods
                    from %s group by content_batch_id
                ) as said where b.batch_id = said.content_batch_id and b.feed = $2', described)
            using promised.averaging, promised.feed;
        end if;
    end loop;
end $$;

create function landing.periods_of(b landing.batch) returns tstzmultirange
language sql stable as $$
    select case
        when b.outcome not in ('loaded', 'unchanged', 'partial') or b.period_from is null then null
        else coalesce(
            case
                when b.content_batch_id = b.batch_id then b.periods
                else (select content.periods from landing.batch as content where content.batch_id = b.content_batch_id)
            end,
            tstzmultirange(tstzrange(b.period_from, b.period_to))
        )
    end
$$;
comment on function landing.periods_of is 'the periods that rows of a batch came of; of old batches all from first to last';

create or replace function governance.delivery_of(b landing.batch) returns governance.delivery
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
    select b.batch_id, b.feed, placed.moment, governance.answer_of(b.outcome, b.reason),
        case when b.outcome in ('loaded', 'unchanged', 'partial') then b.period_from end,
        case when b.outcome in ('loaded', 'unchanged', 'partial') then b.period_to end,
        coalesce(b.synthetic, false),
        landing.periods_of(b)
    from placed
    where placed.moment is not null
$$;

create or replace function governance.note_delivery() returns trigger
language plpgsql security definer set search_path = pg_catalog, core as $$
declare
    this governance.delivery;
    promised core.feed;
    clock timestamptz;
begin
    this := governance.delivery_of(new);
    if this.batch_id is null then
        return null;
    end if;
    select max(moment) into clock from governance.delivery where feed = new.feed and batch_id <> new.batch_id;
    insert into governance.delivery select this.*
    on conflict (batch_id) do update set moment = excluded.moment, answer = excluded.answer,
        period_from = excluded.period_from, period_to = excluded.period_to, synthetic = excluded.synthetic,
        periods = excluded.periods;
    select * into promised from core.feed where feed = new.feed;
    if not found then
        return null;  -- core writes the row with the first values, and that asks for everything
    end if;
    -- What it decides itself; and where the clock moved on, all that it lets close.
    perform governance.touch(
        new.feed,
        tstzmultirange(tstzrange(
            least(this.moment, clock) - promised.lateness - promised.averaging, this.moment, '[]'
        )) + coalesce(this.periods, '{}'),
        case when this.period_from is not null then new.batch_id end,
        0
    );
    return null;
end $$;

-- What a sighting moves in it core notes (core/service.py).
create view core.site_service as
select
    site.feed,
    site.site_code,
    tstzmultirange(tstzrange(
        min(greatest(site.valid_from, site.known_at - feed.lateness - feed.averaging)), null
    )) as spans
from core.site as site
inner join core.feed as feed on site.feed = feed.feed
where site.known_at <= core.as_of()
group by site.feed, site.site_code;
comment on view core.site_service is
    'One row is when periods of a site are promised: from the first that came in time or, before it came, could have · 应报时段';
grant select on core.site_service to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
grant execute on function governance.touch to eco_core;

update governance.delivery as d set periods = landing.periods_of(b)
from landing.batch as b
where d.batch_id = b.batch_id;

select governance.touch(
    feed, tstzmultirange(tstzrange(min(least(period_from, moment)) - interval '1 day', max(moment) + interval '1 day')),
    null, 0
)
from governance.delivery group by feed;
