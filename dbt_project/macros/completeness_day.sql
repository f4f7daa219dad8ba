{# Why a value is missing, each reason with its kind. What every expected value is in exactly one of: valid, suspect,
   marked_invalid, invalidated_by_review, or one of these. #}
{% macro missing_reasons() -%}
    {{ return([
        ('sentinel', 'source'), ('not_in_answer', 'source'), ('not_offered', 'source'), ('source_down', 'source'),
        ('unusable_answer', 'source'), ('attempt_failed', 'platform'), ('not_asked', 'platform'),
        ('not_required', 'not_required'), ('awaited', 'awaited')
    ]) }}
{%- endmacro %}

{# Days of feeds that are asked for: those of this build's scope, or all since a site is in service. A scope of the element
   governance is of a feed and whole days of it. #}
{% macro completeness_spans(scoped) -%}
    {%- if scoped %}
    select
        f.feed,
        core.day_of(scope.period_from, f.timezone, f.day_boundary) as day_from,
        core.day_of(scope.period_to, f.timezone, f.day_boundary) as day_to
    from ({{ build_scope('governance') }}) as scope
    inner join {{ source('core', 'feed') }} as f on scope.site_code = f.feed
    {%- else %}
    select
        f.feed,
        core.day_of(began.moment, f.timezone, f.day_boundary) as day_from,
        core.day_of(known.clock, f.timezone, f.day_boundary) + 1 as day_to
    from {{ source('core', 'feed') }} as f
    cross join lateral (
        select least(min(lower(s.spans)), min(lower(s.history))) as moment
        from {{ source('core', 'site_service') }} as s
        where s.feed = f.feed
    ) as began
    cross join lateral (
        select max(d.moment) as clock
        from {{ source('governance', 'delivery') }} as d
        where d.feed = f.feed and d.moment <= core.as_of()
    ) as known
    where began.moment <= known.clock
    {%- endif %}
{%- endmacro %}

{# Of a site's slot: whether it was promised live, or with a history that an answer spoke of. #}
{% macro in_history(service, slot_start, spoken_at) -%}
    {{ service }}.history @> {{ slot_start }} and {{ spoken_at }} >= {{ service }}.told_at
{%- endmacro %}

{# Why a site's value is missing if nothing came. #}
{% macro missing_reason(service, slot_start, spoken_at, reason) -%}
    case
            when {{ service }}.spans @> {{ slot_start }} then {{ reason }}
            when {{ in_history(service, slot_start, spoken_at) }} then 'not_in_answer'
            else 'not_required'
        end
{%- endmacro %}

{# The class of a missing value follows from its feed and period alone; so it is worked out once a slot, and counted for
   sites. All that decides it happens before its lateness ends: what comes later is a late value and blames nobody. An
   answer with rows of that very period lacks what it lacks, unless a later attempt failed by our fault: that may have
   lost the value. Else the last hour decides who is to blame: the schedule asks in every hour, so whoever did not ask in
   that one gave the source no chance. #}
{% macro completeness_slots(spans) -%}
    select
        f.feed,
        days.day,
        slots.slot_start,
        slots.slot_start + f.averaging as slot_end,
        f.element,
        f.department,
        f.averaging,
        f.lateness,
        f.synthetic,
        case
            when slots.slot_start + f.averaging + f.lateness > known.clock then 'awaited'
            when attempts.answered <= attempts.lost then 'attempt_failed'
            when attempts.answered is not null then 'not_in_answer'
            else coalesce(last_asked.reason, 'not_asked')
        end as reason,
        spoken.spoken_at
    from {{ spans }} as span
    inner join {{ source('core', 'feed') }} as f on span.feed = f.feed
    cross join lateral (
        select max(d.moment) as clock
        from {{ source('governance', 'delivery') }} as d
        where d.feed = f.feed and d.moment <= core.as_of()
    ) as known
    cross join lateral core.days_of(
        span.day_from,
        least(span.day_to - 1, core.day_of(known.clock, f.timezone, f.day_boundary))
    ) as days (day)
    cross join lateral core.slots_of(
        days.day, f.timezone, f.day_boundary, f.averaging
    ) as slots (slot_start)
    cross join lateral (
        select
            max(d.moment) filter (
                where d.answer = 'answered'
                and d.periods @> tstzrange(slots.slot_start, slots.slot_start + f.averaging)
            ) as answered,
            max(d.moment) filter (where d.answer = 'our_fault') as lost
        from {{ source('governance', 'delivery') }} as d
        where
            d.feed = f.feed
            and d.moment between slots.slot_start + f.averaging and slots.slot_start + f.averaging + f.lateness
            and d.moment <= core.as_of()
    ) as attempts
    left join lateral (
        select
            case d.answer
                when 'no_answer' then 'source_down'
                when 'unusable' then 'unusable_answer'
                when 'our_fault' then 'attempt_failed'
                else 'not_offered'
            end as reason
        from {{ source('governance', 'delivery') }} as d
        where
            d.feed = f.feed
            and d.moment between slots.slot_start + f.averaging + greatest(f.lateness - interval '1 hour', interval '0')
            and slots.slot_start + f.averaging + f.lateness
            and d.moment <= core.as_of()
        order by d.moment desc, d.answer asc
        limit 1
    ) as last_asked on true
    cross join lateral (
        select max(d.moment) as spoken_at
        from {{ source('governance', 'delivery') }} as d
        where
            d.feed = f.feed
            and d.answer = 'answered'
            and d.periods @> tstzrange(slots.slot_start, slots.slot_start + f.averaging)
            and d.moment <= core.as_of()
    ) as spoken
    where f.counted_by_day and known.clock is not null
{%- endmacro %}

{# One row is one feed, site, channel and day of the feed: what was promised, less what came. The two are added up and not
   joined: nobody knows beforehand how many rows a scope has, and a join that is planned for one row takes hours for many. #}
{% macro governance_completeness_day(scoped) -%}
{%- set reasons = missing_reasons() -%}
{%- set slot_reasons = reasons[1:] -%}
{%- set held = ['valid', 'suspect', 'marked_invalid', 'invalidated_by_review', 'sentinel', 'not_measured'] -%}
with span as (
    {{ completeness_spans(scoped) }}
),

slot as (
    {{ completeness_slots('span') }}
),

-- Days with the reason of each of their slots, in order.
feed_day as (
    select
        slot.feed,
        slot.day,
        min(slot.slot_start) as day_start,
        max(slot.slot_end) as day_end,
        min(slot.averaging) as averaging,
        min(slot.lateness) as lateness,
        array_agg(slot.reason order by slot.slot_start) as reasons,
        array_agg(slot.spoken_at order by slot.slot_start) as spoken_at,
        bool_or(slot.synthetic) or exists (
            select from {{ source('governance', 'delivery') }} as d
            where
                d.feed = slot.feed
                and d.synthetic
                and d.moment <= core.as_of()
                and d.period_from < max(slot.slot_end)
                and d.period_to > min(slot.slot_start)
                and d.periods && tstzrange(min(slot.slot_start), max(slot.slot_end))
        ) as synthetic
    from slot
    group by slot.feed, slot.day
),

-- What was promised: every slot of a site, with the reason that holds if nothing came.
promised as (
    select
        slot.feed,
        site.site_code,
        slot.day,
        min(slot.element) as element,
        min(slot.department) as department,
        min(site.site_name) as site_name,
        min(site.area_code) as area_code,
        min(site.area_name) as area_name,
        count(*)::integer as expected
        {%- for reason, kind in slot_reasons %},
        count(*) filter (where {{ missing_reason('service', 'slot.slot_start', 'slot.spoken_at', 'slot.reason') }}
        = '{{ reason }}')::integer as {{ reason }}
        {%- endfor %}
    from slot
    inner join {{ source('core', 'site_current') }} as site on slot.feed = site.feed
    inner join {{ source('core', 'site_service') }} as service
        on site.feed = service.feed and site.site_code = service.site_code
    group by slot.feed, site.site_code, slot.day
    having bool_or(service.spans @> slot.slot_start or {{ in_history('service', 'slot.slot_start', 'slot.spoken_at') }})
),

-- Every version of what came. Found by key, series by series: the cost follows the days and not the history.
version as (
    select
        s.series_id,
        s.element,
        s.feed,
        s.site_code,
        s.channel,
        b.day,
        b.lateness,
        date_bin(b.averaging, o.period_start, b.day_start) as slot_start,
        date_bin(b.averaging, o.period_start, b.day_start) + b.averaging as slot_end,
        {{ missing_reason('service', 'o.period_start', 'b.spoken_at[o.place_of_day]', 'b.reasons[o.place_of_day]') }}
        as reason,
        service.spans @> o.period_start as is_live,
        o.period_start,
        o.known_at,
        o.source_mark,
        o.has_value,
        row_number() over (partition by s.series_id, o.period_start order by o.known_at desc) as place
    from feed_day as b
    inner join {{ source('core', 'series') }} as s on b.feed = s.feed
    cross join lateral (
        select
            one.spans,
            one.history,
            one.told_at
        from {{ source('core', 'site_service') }} as one
        where one.feed = s.feed and one.site_code = s.site_code
        offset 0
    ) as service
    cross join lateral (
        select
            v.period_start,
            v.known_at,
            v.source_mark,
            v.value is not null or v.value_text is not null as has_value,
            1 + floor(extract(epoch from v.period_start - b.day_start) / extract(epoch from b.averaging))::integer
            as place_of_day
        from {{ source('core', 'observation') }} as v
        where
            v.element = s.element
            and v.series_id = s.series_id
            and v.period_start >= b.day_start
            and v.period_start < b.day_end
            and v.known_at <= core.as_of()
        offset 0
    ) as o
),

-- What holds of each value: 1 valid, 2 suspect, 3 invalid by a mark or a test, 4 invalid by review, 5 sentinel; and
-- 6 where the station does not measure it.
held as (
    select
        v.*,
        case
            when not v.has_value and v.source_mark = 'not_measured' then 6
            when not v.has_value then 5
            when review.effect = 'invalid' then 4
            when review.effect = 'valid' then 1
            when mark.effect = 'invalid' or flagged.is_invalid then 3
            when mark.effect = 'suspect' or flagged.is_suspect then 2
            else 1
        end as rank
    from version as v
    left join {{ ref('flag_effect') }} as mark
        on mark.source = v.element || '_mark' and v.source_mark = mark.code
    left join lateral (
        select x.effect
        from {{ source('decision', 'review_current') }} as r
        left join {{ ref('flag_effect') }} as x on x.source = 'review' and r.validity = x.code
        where
            (select exists (select from {{ source('decision', 'decision') }} as d where d.kind = 'review'))
            and v.place = 1
            and r.feed = v.feed
            and r.site_code = v.site_code
            and (r.channel is null or r.channel = v.channel)
            and v.period_start >= r.period_from
            and v.period_start < r.period_to
        order by r.decided_at desc, r.decision_id desc
        limit 1
    ) as review on true
    left join lateral (
        select
            bool_or(e.effect = 'invalid') as is_invalid,
            bool_or(e.effect = 'suspect') as is_suspect
        from {{ source('core', 'quality_flag') }} as q
        inner join {{ ref('flag_effect') }} as e on e.source = 'own_test' and q.test = e.code and q.flag = e.flag
        where
            v.place = 1 and q.series_id = v.series_id and q.period_start = v.period_start and q.known_at = v.known_at
    ) as flagged on true
),

came as (
    select
        series_id,
        day,
        slot_start,
        min(reason) as reason,
        min(rank) filter (where place = 1) as rank,
        count(*) - count(distinct period_start) as revised,
        extract(epoch from min(known_at) filter (where has_value) - min(slot_end))::bigint as delay_seconds,
        bool_or(is_live) and min(known_at) filter (where has_value) > min(slot_end + lateness) as is_late
    from held
    group by series_id, day, slot_start
),

came_day as (
    select
        series_id,
        day,
        {%- for class in held %}
        count(*) filter (where rank = {{ loop.index }})::integer as {{ class }},
        {%- endfor %}
        {%- for reason, kind in slot_reasons %}
        count(*) filter (where reason = '{{ reason }}')::integer as {{ reason }},
        {%- endfor %}
        sum(revised)::integer as revised,
        count(*) filter (where is_late and rank < 5)::integer as late,
        percentile_disc(0.5) within group (order by delay_seconds) filter (where rank < 5) as median_delay_seconds,
        max(delay_seconds) filter (where rank < 5) as max_delay_seconds
    from came
    group by series_id, day
),

refused as (
    select
        s.series_id,
        b.day,
        count(*) filter (where r.reason in ('duplicate_row', 'conflicting_row'))::integer as duplicates,
        count(*) filter (where r.reason not in ('duplicate_row', 'conflicting_row'))::integer as rejected
    from feed_day as b
    inner join {{ source('governance', 'cell_reject') }} as r
        on b.feed = r.feed and r.period_start >= b.day_start and r.period_start < b.day_end
    inner join {{ source('governance', 'delivery') }} as d on r.batch_id = d.batch_id and d.moment <= core.as_of()
    inner join {{ source('core', 'series') }} as s
        on r.feed = s.feed and r.site_code = s.site_code and (r.channel is null or r.channel = s.channel)
    group by s.series_id, b.day
),

line as (
    select
        s.series_id,
        p.day,
        p.element,
        p.department,
        p.site_name,
        p.area_code,
        p.area_name,
        b.synthetic,
        p.expected,
        {%- for reason, kind in slot_reasons %}
        p.{{ reason }},
        {%- endfor %}
        {%- for class in held %}
        0 as {{ class }},
        {%- endfor %}
        0 as late,
        0 as revised,
        0 as duplicates,
        0 as rejected,
        null::bigint as median_delay_seconds,
        null::bigint as max_delay_seconds
    from promised as p
    inner join feed_day as b on p.feed = b.feed and p.day = b.day
    inner join {{ source('core', 'series') }} as s on p.feed = s.feed and p.site_code = s.site_code
    union all
    select
        series_id,
        day,
        null,
        null,
        null,
        null,
        null,
        null,
        0,
        {%- for reason, kind in slot_reasons %}
        - {{ reason }},
        {%- endfor %}
        {%- for class in held %}
        {{ class }},
        {%- endfor %}
        late,
        revised,
        0,
        0,
        median_delay_seconds,
        max_delay_seconds
    from came_day
    union all
    select
        series_id,
        day,
        null,
        null,
        null,
        null,
        null,
        null,
        0,
        {%- for reason, kind in slot_reasons %}
        0,
        {%- endfor %}
        {%- for class in held %}
        0,
        {%- endfor %}
        0,
        0,
        duplicates,
        rejected,
        null,
        null
    from refused
),

counted as (
    select
        series_id,
        day,
        min(element) as element,
        min(department) as department,
        min(site_name) as site_name,
        min(area_code) as area_code,
        min(area_name) as area_name,
        bool_or(synthetic) as synthetic,
        sum(expected)::integer as expected_count,
        {%- for class in held %}
        sum({{ class }})::integer as {{ class }}_count,
        {%- endfor %}
        {%- for reason, kind in slot_reasons %}
        sum({{ reason }})::integer as {{ reason }}_count,
        {%- endfor %}
        sum(late)::integer as late_count,
        sum(revised)::integer as revised_count,
        sum(duplicates)::integer as duplicate_count,
        sum(rejected)::integer as rejected_count,
        min(median_delay_seconds) as median_delay_seconds,
        max(max_delay_seconds) as max_delay_seconds
    from line
    group by series_id, day
    having sum(expected) > 0
)

select
    s.feed,
    s.site_code,
    s.channel,
    counted.day,
    counted.element,
    counted.department,
    s.property,
    s.procedure,
    counted.site_name,
    counted.area_code,
    counted.area_name,
    expected_count,
    valid_count + suspect_count + marked_invalid_count + invalidated_by_review_count as received_count,
    valid_count,
    suspect_count,
    marked_invalid_count,
    invalidated_by_review_count,
    {%- for wanted in ['source', 'platform'] %}
    {% for reason, kind in reasons if kind == wanted -%}
    {{ ' + ' if not loop.first }}{{ reason }}_count
    {%- endfor %} as {{ wanted }}_missing_count,
    {%- endfor %}
    {%- for reason, kind in reasons %}
    {{ reason }}_count{{ ' + not_measured_count as not_required_count' if reason == 'not_required' }},
    {%- endfor %}
    late_count,
    duplicate_count,
    rejected_count,
    revised_count,
    round(
        1 - late_count::numeric
        / nullif(valid_count + suspect_count + marked_invalid_count + invalidated_by_review_count, 0),
        4
    ) as in_time_share,
    median_delay_seconds,
    max_delay_seconds,
    counted.synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from counted
inner join {{ source('core', 'series') }} as s on counted.series_id = s.series_id
{%- endmacro %}
