-- Values of a site whose device lacks a record that it has to have: verification or calibration has run out, acceptance
-- is not there yet. Which kinds count, and when, are rows of vocabulary.device_rule; what each does to validity is
-- vocabulary.flag_effect. A calibration that has run out is not a verification that has.
with device as materialized (
    select code, site, valid_from, valid_to, string_to_array(replace(properties, ' ', ''), ',') as properties
    from core.device_current
    where site is not null
),
covered as (
    select device, kind, range_agg(daterange(valid_from, valid_to, '[]')) as days
    from core.device_record_current
    where coalesce(result, 'passed') = 'passed'
    group by device, kind
),
-- Days on which a device is without what the rule asks.
without as (
    select device.code, device.site, device.properties, rule.test, rule.rule_version, rule.flag, rule.kind,
        (
            case rule.condition
                when 'lacking' then '{(,)}'::datemultirange
                when 'expired' then datemultirange(daterange(lower(covered.days), null))
            end - coalesce(covered.days, '{}'::datemultirange)
        ) * datemultirange(daterange(device.valid_from, device.valid_to, '[]')) as days
    from device
    cross join vocabulary.device_rule as rule
    left join covered on covered.device = device.code and covered.kind = rule.kind
    -- What never was can't run out.
    where rule.condition = 'lacking' or covered.days is not null
)
select series.element, series.series_id, version.period_start, version.known_at, without.test,
    max(without.rule_version) as rule_version, max(without.flag)::smallint as flag,
    without.kind || ' missing: ' || string_agg(distinct without.code, ', ' order by without.code) as detail
from without
inner join core.series as series
    on series.site_code = without.site and series.procedure <> 'reported'
    and (without.properties is null or series.property = any(without.properties))
inner join judging on judging.series_id = series.series_id
cross join lateral unnest(without.days) as span (days)
cross join lateral (
    select one.period_start, one.known_at
    from core.observation as one
    where one.element = series.element
        and one.series_id = series.series_id
        and one.period_start between judging.judge_from and judging.judge_to
        and one.value is not null
        and (lower_inf(span.days) or one.period_start >= lower(span.days)::timestamptz)
        and (upper_inf(span.days) or one.period_start < upper(span.days)::timestamptz)
    offset 0 -- noqa: AM09
) as version
where not isempty(without.days)
group by series.element, series.series_id, version.period_start, version.known_at, without.test, without.kind
