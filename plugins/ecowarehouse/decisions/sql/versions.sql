-- Versions are what corrections said, in the order of said-at, each that differs from its predecessor.
with said as (
    select
        s.element, s.series_id, c.period_start::timestamptz as period_start, b.known_at, b.batch_id, c.value::numeric as value,
        c.value_text, c.mark,
        lag(row(c.value::numeric, c.value_text, c.mark)) over cell as before,
        lag(true, 1, false) over cell as revises,
        row(c.value::numeric, c.value_text, c.mark) as content
    from landing.correction as c
    inner join landing.batch as b on c.batch_id = b.batch_id and b.outcome = 'loaded'
    inner join core.series as s on s.feed = %(companion)s and s.site_code = c.site_code and s.channel = c.channel
    where c.feed = %(feed)s
    window cell as (partition by s.series_id, c.period_start::timestamptz order by b.known_at, b.batch_id)
)
insert into core.observation (element, series_id, period_start, known_at, batch_id, value, value_text, source_mark)
select element, series_id, period_start, known_at, batch_id, value, value_text, mark
from said
where (not revises or before is distinct from content)
    and not exists (
        select from core.observation as o
        where o.element = said.element and o.series_id = said.series_id
            and o.period_start = said.period_start and o.known_at = said.known_at
    )
