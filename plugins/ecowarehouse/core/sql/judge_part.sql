-- A part above its whole beyond the precision (PM2.5 above PM10): both are suspect, never invalid, for either may be wrong
-- and with sound instruments it is valid data. Which property is part of which is a row of the rules.
with pair as (
    select
        part.element, part.series_id as part_id, whole.series_id as whole_id, judging.judge_from, judging.judge_to,
        rule.test, rule.rule_version, rule.tolerance, rule.property, rule.whole
    from judging
    inner join core.series as part on part.series_id = judging.series_id and part.procedure = 'measured'
    inner join vocabulary.quality_rule as rule
        on rule.property = part.property and rule.averaging_period::interval = part.averaging_period
    inner join core.series as whole
        on whole.feed = part.feed and whole.site_code = part.site_code
        and whole.averaging_period = part.averaging_period and whole.procedure = part.procedure
        and whole.series_kind = part.series_kind
        and whole.property = rule.whole
),
exceeding as (
    select
        pair.*, both_held.period_start, both_held.part_known_at, both_held.whole_known_at,
        pair.property || ' ' || trim_scale(both_held.part) || ' above ' || pair.whole || ' '
        || trim_scale(both_held.whole) as detail
    from pair
    cross join lateral (
        select
            part.period_start, part.known_at as part_known_at, part.value as part, whole.known_at as whole_known_at,
            whole.value as whole
        from (
            select distinct on (period_start) period_start, known_at, value
            from core.observation
            where element = pair.element and series_id = pair.part_id
                and period_start between pair.judge_from and pair.judge_to
            order by period_start, known_at desc
        ) as part
        inner join (
            select distinct on (period_start) period_start, known_at, value
            from core.observation
            where element = pair.element and series_id = pair.whole_id
                and period_start between pair.judge_from and pair.judge_to
            order by period_start, known_at desc
        ) as whole on whole.period_start = part.period_start
        where part.value > whole.value + pair.tolerance
    ) as both_held
)
-- One flag a value, whatever the number of its parts.
select
    exceeding.element, side.series_id, exceeding.period_start, side.known_at, exceeding.test,
    max(exceeding.rule_version) as rule_version, 3::smallint as flag,
    string_agg(exceeding.detail, '; ' order by exceeding.detail) as detail
from exceeding
cross join lateral (
    values
        (exceeding.part_id, exceeding.part_known_at),
        (exceeding.whole_id, exceeding.whole_known_at)
) as side (series_id, known_at)
group by exceeding.element, side.series_id, exceeding.period_start, side.known_at, exceeding.test
