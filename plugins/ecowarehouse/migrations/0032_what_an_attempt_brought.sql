-- What came and could not be used is not silence: half an answer, a page for people, another header, a stamp of a wrong
-- clock. One function says what an attempt brought, and the books go by it.
create function governance.answer_of(outcome text, reason text) returns text
language sql immutable parallel safe as $$
    select case
        when outcome in ('loaded', 'unchanged') then 'answered'
        when outcome = 'partial' then 'partial'
        when outcome = 'aborted'
            or reason in ('secret_missing', 'unauthorised', 'not_http', 'not_found', 'unreadable') then 'our_fault'
        when outcome = 'rejected'
            or reason in ('truncated', 'inconsistent_pages', 'html_instead_of_data', 'empty_body', 'header_changed',
                'checksum_mismatch', 'known_at_unreadable', 'known_at_implausible') then 'unusable'
        else 'no_answer'
    end
$$;
comment on function governance.answer_of is
    'what an attempt that ended so brought: answered, partial, unusable, no_answer or our_fault · 一次采集的结果类别';

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
        coalesce(b.synthetic, false)
    from placed
    where placed.moment is not null
$$;

with mended as (
    update governance.delivery as d set answer = governance.answer_of(b.outcome, b.reason)
    from landing.batch as b
    where d.batch_id = b.batch_id and d.answer <> governance.answer_of(b.outcome, b.reason)
    returning d.feed, d.moment
)
select governance.touch(f.feed,
    range_agg(tstzrange(mended.moment - f.lateness - f.averaging, mended.moment, '[]')), null, 0)
from mended inner join core.feed as f on mended.feed = f.feed
group by f.feed;
