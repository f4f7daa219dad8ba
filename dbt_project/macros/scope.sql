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

{# Versions of values of an element's series, one row each, with what flags and marks say of them: `invalid` takes a
   value out, `suspect` leaves it. `kinds`: series kinds, such as ['real_time', 'reviewed']. `all_versions`: every version
   known as of eco.as_of, not only the one that holds. Versions are found by the key of core.observation through LATERAL,
   so the cost follows the scope and not the history. #}
{% macro held_versions(element, kinds, all_versions=false, scoped=false) -%}
    select
        s.series_id,
        s.feed,
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
        b.synthetic
    from {{ source('core', 'series') }} as s
    {%- if scoped %}
    inner join ({{ build_scope(element) }}) as scope on s.site_code = scope.site_code
    {%- endif %}
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
    cross join lateral (
        select
            coalesce(bool_or(e.effect = 'invalid'), false) or coalesce(m.effect = 'invalid', false) as invalid,
            coalesce(bool_or(e.effect = 'suspect'), false) or coalesce(m.effect = 'suspect', false) as suspect
        from {{ source('core', 'quality_flag') }} as f
        inner join {{ ref('flag_effect') }} as e on e.source = 'own_test' and f.test = e.code and f.flag = e.flag
        where f.series_id = s.series_id and f.period_start = o.period_start and f.known_at = o.known_at
    ) as held
    where
        s.element = '{{ element }}'
        and s.series_kind in ({% for kind in kinds %}'{{ kind }}'{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# The values that hold of the wanted series: a value that a flag invalidates is null, a suspect one stays. `wanted` is a
   list of [item, property, procedure, averaging]. #}
{% macro cells(element, wanted, scoped) -%}
    select
        v.feed,
        v.site_code,
        w.item,
        v.reference_state,
        v.period_start,
        v.known_at,
        case when not v.invalid then v.value end as value,
        case when not v.invalid then v.value_text end as value_text,
        v.value is not null and v.suspect as suspect,
        v.synthetic
    from ({{ held_versions(element, ['real_time'], scoped=scoped) }}) as v
    inner join (
        values
        {%- for item, property, procedure, averaging in wanted %}
        ('{{ item }}', '{{ property }}', '{{ procedure }}', interval '{{ averaging }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as w (item, property, procedure, averaging_period)
        on v.property = w.property and v.procedure = w.procedure and v.averaging_period = w.averaging_period
{%- endmacro %}
