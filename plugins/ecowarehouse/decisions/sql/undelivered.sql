-- What decisions say of single cells and no batch has delivered, in the order in which it was said: the value of each
-- correction, and at the end of one what holds then: the newest correction that still stands, or that none does.
with said as (
    select 'decision/' || d.decision_id as source, d.decision_id, d.decided_at as at
    from decision.decision as d
    where d.kind = 'correction' and d.feed = %(feed)s
    union all
    select 'revocation/' || r.revocation_id as source, d.decision_id, r.revoked_at as at
    from decision.revocation as r
    inner join decision.decision as d on r.decision_id = d.decision_id
    where d.kind = 'correction' and d.feed = %(feed)s
)
select
    said.source,
    said.decision_id,
    said.at,
    about.site_code,
    about.channel,
    about.period_from,
    holds.value,
    holds.value_text,
    case when holds.decision_id is null then 'revoked' end as mark
from said
inner join decision.decision as about on said.decision_id = about.decision_id
left join lateral (
    select c.decision_id, c.value, c.value_text
    from decision.decision as c
    left join decision.revocation as r on r.decision_id = c.decision_id
    where c.kind = 'correction'
        and c.feed = about.feed
        and c.site_code = about.site_code
        and c.channel = about.channel
        and c.period_from = about.period_from
        and c.decided_at <= said.at
        and (r.revoked_at is null or r.revoked_at > said.at)
    order by c.decided_at desc, c.decision_id desc
    limit 1
) as holds on true
where not exists (
    select from landing.batch as b
    where b.feed = %(companion)s and b.source = said.source and b.outcome = 'loaded'
)
order by said.at, said.source
