{# The build of this session: `eco` says so in the session's settings and not in a dbt variable, because a variable
   that changes from run to run makes dbt parse the whole project again. No scope has -1. #}
{% macro build_id() -%}
    coalesce(nullif(current_setting('eco.build_id', true), ''), '-1')::bigint
{%- endmacro %}

{# Rows of this build's scope. #}
{% macro build_scope(element) -%}
    select
        site_code,
        period_from,
        period_to
    from {{ source('governance', 'build_scope') }}
    where build_id = {{ build_id() }} and element = '{{ element }}'
{%- endmacro %}

{# Local days that this build's scope touches, per site. #}
{% macro scope_days(element) -%}
    select distinct
        scope.site_code as station_code,
        days.day::date as day
    from ({{ build_scope(element) }}) as scope
    cross join lateral generate_series(
        date_trunc('day', scope.period_from at time zone '{{ var("timezone") }}'),
        (scope.period_to - interval '1 microsecond') at time zone '{{ var("timezone") }}',
        interval '1 day'
    ) as days (day)
{%- endmacro %}

{# Areas and local days that this build's scope touches, of participating and other sites alike: those a site belongs to
   and those it was ever said to belong to, which have to be worked out without it. #}
{% macro scope_area_days(element) -%}
    select distinct
        coalesce(site.area_code, alias.area_code, site.area_name) as area_code,
        days.day
    from ({{ scope_days(element) }}) as days
    inner join (
        select element, site_code, area_code, area_name from {{ source('core', 'site') }}
        union
        select element, site_code, area_code, area_name from {{ source('core', 'site_retired') }}
        union
        select '{{ element }}', code, null, content ->> 'area' from {{ source('core', 'entity') }}
        where entity = 'site_register'
        union
        select '{{ element }}', code, null, content ->> 'area' from {{ source('core', 'entity_retired') }}
        where entity = 'site_register'
    ) as site on days.station_code = site.site_code
    left join {{ ref('area_alias') }} as alias on site.area_name = alias.area_name
    where site.element = '{{ element }}' and coalesce(site.area_code, site.area_name) is not null
{%- endmacro %}

{# pre_hook of every mart: what the build is about to write again goes first, in the same transaction. #}
{% macro delete_scope(element, grain) -%}
    {%- if is_incremental() -%}
        {%- if grain == 'station_hour' -%}
            delete from {{ this }} as m
            using ({{ build_scope(element) }}) as scope
            where m.station_code = scope.site_code
                and m.period_start >= scope.period_from and m.period_start < scope.period_to
        {%- elif grain == 'station_day' -%}
            delete from {{ this }} as m
            using ({{ scope_days(element) }}) as scope
            where m.station_code = scope.station_code and m.day = scope.day
        {%- elif grain == 'area_day' -%}
            delete from {{ this }} as m
            using ({{ scope_area_days(element) }}) as scope
            where m.area_code = scope.area_code and m.day = scope.day
        {%- elif grain == 'area_month' -%}
            delete from {{ this }} as m
            using ({{ scope_area_days(element) }}) as scope
            where m.area_code = scope.area_code and m.month = date_trunc('month', scope.day)::date
        {%- elif grain == 'area_year' -%}
            delete from {{ this }} as m
            using ({{ scope_area_days(element) }}) as scope
            where m.area_code = scope.area_code and m.year = extract(year from scope.day)::integer
        {%- else -%}
            {{ exceptions.raise_compiler_error('no such grain: ' ~ grain) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# Pairs of one value's series: what a correction or a source of final data says (reviewed) stands beside what came in real
   time. One row a value that has reviewed series, with their ids and the feed whose site it is. #}
{% macro reviewed_series(element) -%}
    select
        r.site_code,
        r.property,
        r.procedure,
        r.averaging_period,
        r.sample_part,
        array_agg(r.series_id) as series_ids,
        (
            select min(t.feed)
            from {{ source('core', 'series') }} as t
            where
                t.element = '{{ element }}' and t.series_kind = 'real_time' and t.site_code = r.site_code
                and t.property = r.property and t.procedure = r.procedure
                and t.averaging_period = r.averaging_period and t.sample_part = r.sample_part
        ) as feed
    from {{ source('core', 'series') }} as r
    where r.element = '{{ element }}' and r.series_kind = 'reviewed'
    group by r.site_code, r.property, r.procedure, r.averaging_period, r.sample_part
{%- endmacro %}

{# Versions of values of an element's series, one row each, with what flags, marks and people say of them: `invalid` takes
   a value out, `suspect` leaves it, `review_stage` is how far people have looked at it (raw: nobody), `replaced` says that
   a reviewed value stands in its place, or that its correction was revoked. `kinds`: series kinds, such as
   ['real_time', 'reviewed']. `all_versions`: every version known as of eco.as_of, not only the one that holds. `known_at`
   is the version's, `decided_at` the review's. Versions are found by the key of core.observation through LATERAL, so the
   cost follows the scope and not the history; where nobody decided, a one-time filter asks nothing more. #}
{% macro held_versions(element, kinds, all_versions=false, scoped=false) -%}
    select
        s.series_id,
        coalesce(pair.feed, s.feed) as feed,
        s.site_code,
        s.channel,
        s.property,
        s.procedure,
        s.averaging_period,
        s.sample_part,
        s.series_kind,
        s.reference_state,
        o.period_start,
        o.known_at,
        o.value,
        o.value_text,
        o.qualifier,
        o.detection_limit,
        o.source_mark,
        held.invalid,
        held.suspect and not held.invalid as suspect,
        coalesce(
            review.review_stage,
            case
                when s.series_kind = 'real_time' then 'raw'
                when b.form = 'correction' then 'first_review'
                else 'final'
            end
        ) as review_stage,
        review.decided_at,
        s.series_kind = 'real_time' and coalesce(beside.stands, false)
        or o.source_mark is not distinct from 'revoked' and s.series_kind = 'reviewed' as replaced,
        b.synthetic
    from {{ source('core', 'series') }} as s
    {%- if scoped %}
    inner join ({{ build_scope(element) }}) as scope on s.site_code = scope.site_code
    {%- endif %}
    left join ({{ reviewed_series(element) }}) as pair
        on s.site_code = pair.site_code
        and s.property = pair.property
        and s.procedure = pair.procedure
        and s.averaging_period = pair.averaging_period
        and s.sample_part = pair.sample_part
    cross join lateral (
        select{{ '' if all_versions else ' distinct on (v.period_start)' }}
            v.period_start,
            v.known_at,
            v.batch_id,
            v.value,
            v.value_text,
            v.qualifier,
            v.detection_limit,
            v.source_mark
        from {{ source('core', 'observation') }} as v
        where
            v.element = '{{ element }}'
            and v.series_id = s.series_id
            and v.known_at <= core.as_of()
            {%- if scoped %}
            and v.period_start >= scope.period_from
            and v.period_start < scope.period_to
            {%- endif %}
        {%- if not all_versions %}
        order by v.period_start asc, v.known_at desc
        {%- endif %}
    ) as o
    inner join {{ source('landing', 'batch') }} as b on o.batch_id = b.batch_id
    left join {{ ref('flag_effect') }} as m on m.source = '{{ element }}_mark' and o.source_mark = m.code
    -- The newest review of the value; one of before a correction does not speak of it.
    left join lateral (
        select
            r.review_stage,
            r.decided_at,
            x.effect
        from {{ source('decision', 'review_current') }} as r
        left join {{ ref('flag_effect') }} as x on x.source = 'review' and r.validity = x.code
        where
            (select exists (select from {{ source('decision', 'decision') }} as d where d.feed is not null))
            and r.feed = coalesce(pair.feed, s.feed)
            and r.site_code = s.site_code
            and (r.channel is null or r.channel = s.channel)
            and o.period_start >= r.period_from
            and o.period_start < r.period_to
            and (s.series_kind = 'real_time' or r.decided_at > o.known_at)
        order by r.decided_at desc, r.decision_id desc
        limit 1
    ) as review on true
    left join lateral (
        select true as stands
        from (
            select
                c.source_mark,
                row_number() over (partition by c.series_id order by c.known_at desc) as place
            from {{ source('core', 'observation') }} as c
            where
                pair.series_ids is not null
                and s.series_kind = 'real_time'
                and c.element = '{{ element }}'
                and c.series_id = any(pair.series_ids)
                and c.period_start = o.period_start
                and c.known_at <= core.as_of()
        ) as latest
        where latest.place = 1 and latest.source_mark is distinct from 'revoked'
        limit 1
    ) as beside on true
    cross join lateral (
        select
            case review.effect
                when 'invalid' then true
                when 'valid' then false
                else coalesce(bool_or(e.effect = 'invalid'), false) or coalesce(m.effect = 'invalid', false)
            end as invalid,
            case review.effect
                when 'valid' then false
                else coalesce(bool_or(e.effect = 'suspect'), false) or coalesce(m.effect = 'suspect', false)
            end as suspect
        from {{ source('core', 'quality_flag') }} as f
        inner join {{ ref('flag_effect') }} as e on e.source = 'own_test' and f.test = e.code and f.flag = e.flag
        where f.series_id = s.series_id and f.period_start = o.period_start and f.known_at = o.known_at
    ) as held
    where
        s.element = '{{ element }}'
        and s.series_kind in ({% for kind in kinds %}'{{ kind }}'{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# The values that hold of the wanted series, reviewed before real-time ones: a value that a flag or a review invalidates is
   null, a suspect one stays. `wanted` is a list of [item, property, procedure, averaging]. #}
{% macro cells(element, wanted, scoped) -%}
    select
        v.feed,
        v.site_code,
        w.item,
        v.reference_state,
        v.period_start,
        greatest(v.known_at, v.decided_at) as known_at,
        v.review_stage,
        case when not v.invalid then v.value end as value,
        case when not v.invalid then v.value_text end as value_text,
        v.value is not null and v.suspect as suspect,
        v.synthetic
    from ({{ held_versions(element, ['real_time', 'reviewed'], scoped=scoped) }}) as v
    inner join (
        values
        {%- for item, property, procedure, averaging in wanted %}
        ('{{ item }}', '{{ property }}', '{{ procedure }}', interval '{{ averaging }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as w (item, property, procedure, averaging_period)
        on v.property = w.property and v.procedure = w.procedure and v.averaging_period = w.averaging_period
    where not v.replaced
{%- endmacro %}

{# Of the cells of one row: how far people have looked at it (the least of its values), and which values they looked at. #}
{% macro review_columns(cell) -%}
    (array_agg(
        {{ cell }}.review_stage
        order by array_position(
            array['raw', 'auto_checked', 'first_review', 'second_review', 'final'], {{ cell }}.review_stage
        )
    ))[1] as review_stage,
    string_agg(
        {{ cell }}.item, ',' order by {{ cell }}.item
    ) filter (where {{ cell }}.review_stage not in ('raw', 'auto_checked')) as reviewed_items
{%- endmacro %}

{# pre_hook of a mart whose keys come from a query of its own: `condition` joins the mart `m` with `scope`. #}
{% macro delete_rows(keys, condition) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} as m
        using ({{ keys }}) as scope
        where {{ condition }}
    {%- endif -%}
{%- endmacro %}
