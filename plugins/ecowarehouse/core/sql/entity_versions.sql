-- Versions of the things of a feed as a function of its sightings: each statement that differs from the one before it.
-- `stated` has a row for each thing, span and moment at which something is said of it: that it is there, or that a whole
-- register no longer names it (`present` false).
with sighting as (
    select distinct on (batch.known_at, batch.sha256)
        batch.batch_id,
        batch.content_batch_id,
        batch.known_at,
        batch.sha256,
        content.rows as row_count,
        batch.outcome <> 'partial' and not exists (
            select from landing.batch as first
            where first.batch_id = batch.content_batch_id and first.outcome = 'partial'
        ) as is_whole
    from landing.batch as batch
    inner join landing.batch as content on batch.content_batch_id = content.batch_id
    where batch.feed = %(feed)s
        and batch.outcome in ('loaded', 'unchanged', 'partial')
        and (batch.core_step_id is not null or batch.batch_id = any(%(waiting)s))
    order by batch.known_at, batch.sha256, batch.batch_id
),

{stated},

differing as (
    select *
    from (
        select
            stated.*,
            lag(true, 1, false) over by_thing as has_predecessor,
            row(present, valid_to, content) is distinct from lag(row(present, valid_to, content)) over by_thing as differs
        from stated
        window by_thing as (partition by code, span order by known_at)
    ) as compared
    where not has_predecessor or differs
),

carried as (
    select
        differing.*,
        lag(content) over by_thing as last_content,
        lag(valid_to) over by_thing as last_valid_to,
        lag(starts) over by_thing as last_starts
    from differing
    window by_thing as (partition by code, span order by known_at)
)

select
    code,
    case when present then starts else last_starts end as valid_from,
    known_at,
    case
        when present then valid_to
        when %(absent)s = 'taken_back' then last_valid_to
        else least(last_valid_to, known_at::date - 1)
    end as valid_to,
    not present and %(absent)s = 'taken_back' as taken_back,
    case when present then content else last_content end as content,
    batch_id
from carried
