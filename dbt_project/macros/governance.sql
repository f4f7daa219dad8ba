{# States of a planned site in their order; each includes those before it. A dropped one is none. #}
{% macro plan_states() %}{{ return(['planned', 'approved', 'built', 'accepted', 'running']) }}{% endmacro %}

{# Months from the first planned site of an element in a township to the newest that the feeds of its plans have spoken
   of: another feed's word says nothing of these. #}
{% macro plan_months() -%}
    select
        plan.element as planned_element,
        plan.township,
        months.month::date as month
    from (
        select
            said.element,
            said.township,
            min(nullif(said.valid_from, '-infinity')) as since,
            max(spoken.known_at) as till
        from {{ source('core', 'site_plan_current') }} as said
        inner join {{ source('landing', 'batch') }} as batch on said.batch_id = batch.batch_id
        inner join (
            select
                feed,
                max(known_at) as known_at
            from {{ source('landing', 'batch') }}
            where
                core_step_id is not null
                and known_at <= core.as_of()
                and feed in (select feed from {{ source('core', 'entity') }} where entity = 'site_plan')
            group by feed
        ) as spoken on batch.feed = spoken.feed
        where said.element is not null and said.township is not null
        group by said.element, said.township
    ) as plan
    cross join lateral generate_series(
        date_trunc('month', plan.since::timestamp),
        date_trunc('month', plan.till at time zone '{{ var("timezone") }}'),
        interval '1 month'
    ) as months (month)
{%- endmacro %}

{# Elements, townships and months that this build's scope touches: of every township that a planned site was ever in. #}
{% macro reached_plans() -%}
    select distinct
        said.content ->> 'element' as planned_element,
        said.content ->> 'township' as township,
        months.month::date as month
    from ({{ build_scope('governance') }}) as scope
    inner join (
        select entity, code, content from {{ source('core', 'entity') }}
        union all
        select entity, code, content from {{ source('core', 'entity_retired') }}
    ) as said on scope.site_code = said.code and said.entity = 'site_plan'
    cross join lateral generate_series(
        date_trunc('month', scope.period_from at time zone '{{ var("timezone") }}'),
        (scope.period_to - interval '1 microsecond') at time zone '{{ var("timezone") }}',
        interval '1 month'
    ) as months (month)
{%- endmacro %}

{# One row is the network of one element in one township as it stood at the end of a month: how many sites are planned,
   and how many of them have come how far. #}
{% macro governance_site_plan_coverage(scoped) -%}
with wanted as (
    select months.*
    from ({{ plan_months() }}) as months
    {%- if scoped %}
    inner join ({{ reached_plans() }}) as reached
        on
            months.planned_element = reached.planned_element
            and months.township = reached.township
            and months.month = reached.month
    {%- endif %}
),

stood as (
    select
        wanted.*,
        plan.code,
        plan.approval,
        plan.known_at,
        batch.synthetic,
        array_position(array{{ plan_states() }}, plan.state) as reached_state
    from wanted
    inner join {{ source('core', 'site_plan_current') }} as plan
        on
            wanted.planned_element = plan.element
            and wanted.township = plan.township
            and (wanted.month + interval '1 month' - interval '1 day')::date between plan.valid_from and plan.valid_to
    inner join {{ source('landing', 'batch') }} as batch on plan.batch_id = batch.batch_id
    where plan.state <> 'dropped'
),

counted as (
    select
        planned_element,
        township,
        month,
        {%- for state in plan_states() %}
        count(*) filter (where reached_state >= {{ loop.index }})::integer as {{ state }},
        {%- endfor %}
        count(*) filter (where reached_state >= 2 and approval is null)::integer as without_approval,
        max(known_at) as known_at,
        bool_or(synthetic) as synthetic
    from stood
    group by planned_element, township, month
)

select
    counted.planned_element,
    counted.township,
    counted.month,
    counted.planned,
    counted.approved,
    counted.built,
    counted.accepted,
    counted.running,
    counted.without_approval,
    round(counted.running::numeric / counted.planned, 4) as running_ratio,
    counted.known_at,
    counted.synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from counted
{%- endmacro %}

{# Operators, sites and months that this build's scope touches: of visits that changed, and of all visits that a contract
   which changed was ever about, because it says how soon they had to come. #}
{% macro reached_visits() -%}
    with said as (
        select entity, code, content from {{ source('core', 'entity') }}
        union all
        select entity, code, content from {{ source('core', 'entity_retired') }}
    ),

    changed as (
        select
            said.entity,
            said.code,
            said.content ->> 'operator' as operator,
            said.content ->> 'site' as site_code
        from ({{ build_scope('governance') }}) as scope
        inner join said on scope.site_code = said.code
    )

    select distinct
        visit.content ->> 'operator' as operator,
        visit.content ->> 'site' as site_code,
        date_trunc('month', (visit.content ->> 'raised_at')::timestamptz at time zone '{{ var("timezone") }}')::date as month
    from said as visit
    where
        visit.entity = 'operator_visit'
        and (
            visit.code in (select code from changed where entity = 'operator_visit')
            or (visit.content ->> 'operator', visit.content ->> 'site') in (
                select operator, site_code from changed where entity = 'operator_contract'
            )
        )
{%- endmacro %}

{# One row is what one operator did at one site in a month: visits, and how long alarms and outages waited for one. The
   agreed time comes from the contract in force that day. #}
{% macro governance_operator_response(scoped) -%}
with visit as (
    select
        seen.operator,
        seen.site as site_code,
        date_trunc('month', seen.raised_at at time zone '{{ var("timezone") }}')::date as month,
        seen.reason in ('alarm', 'outage') as is_response,
        seen.arrival,
        case
            when seen.reason in ('alarm', 'outage')
                then round(extract(epoch from seen.arrival - seen.raised_at)::numeric / 3600, 2)
        end as hours,
        agreed.response_hours,
        seen.known_at,
        batch.synthetic
    from {{ source('core', 'operator_visit_current') }} as seen
    inner join {{ source('landing', 'batch') }} as batch on seen.batch_id = batch.batch_id
    left join lateral (
        select min(one.response_hours) as response_hours
        from {{ source('core', 'operator_contract_current') }} as one
        where
            one.operator = seen.operator
            and one.site = seen.site
            and {{ local_date('seen.raised_at') }} between one.valid_from and one.valid_to
    ) as agreed on true
    where seen.operator is not null and seen.site is not null and seen.raised_at is not null
)

select
    visit.operator,
    visit.site_code,
    visit.month,
    count(visit.arrival)::integer as visits,
    count(*) filter (where visit.is_response)::integer as responses,
    count(*) filter (where visit.is_response and visit.arrival is null)::integer as unanswered,
    count(*) filter (where visit.hours > visit.response_hours)::integer as late,
    round(avg(visit.hours), 2) as mean_response_hours,
    max(visit.hours) as longest_response_hours,
    min(visit.response_hours) as agreed_response_hours,
    max(visit.known_at) as known_at,
    bool_or(visit.synthetic) as synthetic
    {%- if scoped %},
    {{ build_id() }} as build_id
    {%- endif %}
from visit
{%- if scoped %}
inner join ({{ reached_visits() }}) as reached
    on visit.operator = reached.operator and visit.site_code = reached.site_code and visit.month = reached.month
{%- endif %}
group by visit.operator, visit.site_code, visit.month
{%- endmacro %}
