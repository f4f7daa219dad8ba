-- The ledger row of a delivered correction. Synthetic is what it corrects: a stand-in's value stays one.
update landing.batch as this
set
    outcome = 'loaded',
    ended_at = clock_timestamp(),
    form = %(form)s,
    known_at = %(at)s,
    known_at_from = 'decision',
    sha256 = %(sha256)s,
    bytes = %(size)s,
    bytes_address = %(address)s,
    content_batch_id = %(batch)s,
    period_from = about.period_from,
    period_to = about.period_to,
    rows = 1,
    synthetic = coalesce((
        select b.synthetic from landing.batch as b
        where b.feed = %(feed)s and b.outcome in ('loaded', 'partial', 'unchanged')
        order by b.batch_id desc
        limit 1
    ), false)
from decision.decision as about
where this.batch_id = %(batch)s and about.decision_id = %(decision)s
