{# Columns of completeness that add up over sites and channels. #}
{% macro completeness_counts() -%}
    {%- set names = [
        'expected_count', 'received_count', 'valid_count', 'suspect_count', 'marked_invalid_count',
        'invalidated_by_review_count', 'source_missing_count', 'platform_missing_count'
    ] -%}
    {%- for reason, kind in missing_reasons() -%}{%- do names.append(reason ~ '_count') -%}{%- endfor -%}
    {{ return(names + ['late_count', 'duplicate_count', 'rejected_count', 'revised_count']) }}
{%- endmacro %}

{# One row is one feed and day: the counts of its sites and channels together. #}
{% macro governance_feed_day(completeness, scoped) -%}
with counted as (
    select
        c.feed,
        c.day,
        count(distinct c.site_code)::integer as site_count,
        {%- for name in completeness_counts() %}
        sum(c.{{ name }})::integer as {{ name }},
        {%- endfor %}
        max(c.max_delay_seconds) as max_delay_seconds,
        bool_or(c.synthetic) as synthetic
    from {{ completeness }} as c
    {%- if scoped %}
    inner join ({{ completeness_spans(scoped=true) }}) as scope
        on c.feed = scope.feed and c.day >= scope.day_from and c.day < scope.day_to
    {%- endif %}
    group by c.feed, c.day
),

unplaced as (
    select
        counted.feed,
        counted.day,
        count(*)::integer as unplaced_count
    from counted
    inner join {{ source('core', 'feed') }} as f on counted.feed = f.feed
    inner join {{ source('governance', 'unplaced_reject') }} as refused
        on
            counted.feed = refused.feed
            and refused.moment >= core.day_start(counted.day, f.timezone, f.day_boundary)
            and refused.moment < core.day_start(counted.day + 1, f.timezone, f.day_boundary)
            and refused.moment <= core.as_of()
    group by counted.feed, counted.day
)

select
    counted.feed,
    counted.day,
    f.element,
    f.department,
    f.title_zh,
    f.title_en,
    counted.site_count,
    {%- for name in completeness_counts() %}
    counted.{{ name }},
    {%- endfor %}
    coalesce(unplaced.unplaced_count, 0) as unplaced_count,
    round(
        (counted.valid_count + counted.suspect_count)::numeric
        / nullif(counted.expected_count - counted.not_required_count - counted.awaited_count, 0),
        4
    ) as complete_share,
    round(1 - counted.late_count::numeric / nullif(counted.received_count, 0), 4) as in_time_share,
    counted.max_delay_seconds,
    counted.synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from counted
inner join {{ source('core', 'feed') }} as f on counted.feed = f.feed
left join unplaced on counted.feed = unplaced.feed and counted.day = unplaced.day
{%- endmacro %}
