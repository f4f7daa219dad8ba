-- Versions that landed corrections give, compared with those that stand.
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
),
wanted as (
    select series_id, period_start, known_at, value, value_text, mark from said
    where not revises or before is distinct from content
),
standing as (
    select o.series_id, o.period_start, o.known_at, o.value, o.value_text, o.source_mark
    from core.observation as o
    inner join core.series as s on o.series_id = s.series_id and o.element = s.element
    where s.feed = %(companion)s
),
missing as (
    select * from wanted
    except all
    select * from standing
),
superfluous as (
    select * from standing
    except all
    select * from wanted
)
select
    (select count(*) from missing) as missing,
    (select count(*) from superfluous) as superfluous,
    coalesce((select min(m::text) from missing as m), (select min(s::text) from superfluous as s)) as example
